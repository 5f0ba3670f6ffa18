"""Every reason in full: its code, its ceiling, the figures that a machine reads, and what would change it."""

import operator
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, NamedTuple

import pytest

from services.policy_engine.decide import Book, first_stage
from services.policy_engine.memory import recall
from services.policy_engine.policies import all_policies
from services.policy_engine.policy import PolicyEntry, forbid, nothing
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.messages import EmergencyStop, Limit, MinerState, OverrideKind
from shared.topics import EMERGENCY_STOP
from tests.engine_core import START, CoreRun, limit_of

# A zone that no machine has by chance: times in sentences are the owner's, here 5 h 45 min ahead of START's UTC.
FARM = Rules(miners={"s19": MinerRules(73, 75)}, zone=timezone(timedelta(hours=5, minutes=45)))
GRID = replace(FARM, miners={"s19": MinerRules(require_grid=True)})
NOON = START.isoformat()
BAND = {"stop_percent": 73, "resume_percent": 75}


def battery(*socs: float | None, state: MinerState = MinerState.HASHING, wait: float = 0) -> CoreRun:
    """A miner that lives through these states of charge, a minute apart."""
    run = CoreRun(FARM).miner("s19", state)
    for index, soc in enumerate(socs):
        run.wait(60 if index else 0).soc(soc).decide()
    return run.wait(wait)


def grid(*available: bool | None, state: MinerState = MinerState.HASHING, wait: float = 0) -> CoreRun:
    run = CoreRun(GRID).miner("s19", state)
    for index, there in enumerate(available):
        run.wait(60 if index else 0).soc(50, grid_available=there).decide()
    return run.wait(wait)


def person(kind: OverrideKind, **rest: Any) -> CoreRun:
    return battery(80).override("s19", kind, **rest)


def outside(seconds: float) -> CoreRun:
    return battery(80).miner("s19", MinerState.PAUSED, outside_pause_since=START).wait(seconds)


def stopped(reason: str) -> CoreRun:
    run = battery(80)
    run.say(EMERGENCY_STOP, "home", EmergencyStop(at=START, active=True, by="owner", reason=reason))
    return run


def capped() -> CoreRun:
    return CoreRun(replace(FARM, miners={"s19": MinerRules(max_w=2600)})).miner("s19", MinerState.HASHING)


def budget_spent() -> CoreRun:
    run = CoreRun(replace(FARM, starts_per_day=1)).miner("s19", MinerState.PAUSED)
    for soc in (80, 80, 70, 80):
        run.soc(soc).decide()
        run.wait(400)
    return run.soc(80)


def staggered() -> CoreRun:
    run = CoreRun(Rules(miners={"a": MinerRules(), "s19": MinerRules()}, stagger_w=5000))
    run.miner("a", MinerState.PAUSED).miner("s19", MinerState.PAUSED).decide()
    return run.wait(300)


def crowded() -> CoreRun:
    groups = {"shed": GroupRules(("a", "s19"), 4000)}
    run = CoreRun(Rules(miners={"a": MinerRules(), "s19": MinerRules()}, groups=groups))
    return run.miner("a", MinerState.HASHING).miner("s19", MinerState.HASHING)


class Case(NamedTuple):
    code: str
    ceiling_w: float | None
    numbers: dict[str, Any]
    changes_when: str
    run: Callable[[], CoreRun]
    policy: str


HYSTERESIS, STALE, AWAY = "soc_hysteresis", "stale_input", "grid_available"
UNAVAILABLE = {"unknown": "unavailable"}
UNTIL = START + timedelta(hours=1)
CASES = [
    Case("soc_low", 0, {"soc_percent": 72, **BAND}, "resumes above 75 %, now 72.0 %", lambda: battery(72), HYSTERESIS),
    Case("soc_ok", None, {"soc_percent": 76, **BAND}, "pauses below 73 %, now 76.0 %", lambda: battery(76), HYSTERESIS),
    Case(
        "soc_no_memory",
        0,
        {"soc_percent": 74.96, **BAND},
        "resumes above 75 %, now 74.96 %",
        lambda: battery(74.96),
        HYSTERESIS,
    ),
    Case("soc_low", 0, BAND, "resumes above 75 %", lambda: battery(60, None), HYSTERESIS),
    Case("soc_ok", None, BAND, "pauses below 73 %", lambda: battery(80, None), HYSTERESIS),
    Case("soc_never_known", None, BAND, "", lambda: battery(None), HYSTERESIS),
    Case("soc_fresh", None, {"age_seconds": 100, "counted_from": NOON}, "", lambda: battery(80, wait=100), STALE),
    Case(
        "soc_unknown",
        None,
        {"age_seconds": 90, "counted_from": NOON, **UNAVAILABLE},
        "pauses in 13 min 30 s if it stays so",
        lambda: battery(80, None, wait=30),
        STALE,
    ),
    Case(
        "soc_unknown",
        0,
        {"age_seconds": 60, "counted_from": NOON, **UNAVAILABLE},
        "may start when the state of charge is known again",
        lambda: battery(80, None, state=MinerState.PAUSED),
        STALE,
    ),
    Case(
        "soc_stale",
        None,
        {"age_seconds": 300, "counted_from": NOON},
        "pauses in 10 min if it stays so",
        lambda: battery(80, wait=300),
        STALE,
    ),
    Case(
        "soc_stale_pause",
        0,
        {"age_seconds": 900, "counted_from": NOON},
        "may resume when the state of charge is known again",
        lambda: battery(80, wait=900),
        STALE,
    ),
    Case("grid_ok", None, {"age_seconds": 20, "known_at": NOON}, "", lambda: grid(True, wait=20), AWAY),
    Case(
        "grid_lost",
        0,
        {"age_seconds": 20, "known_at": NOON},
        "may resume when the grid is back",
        lambda: grid(False, wait=20),
        AWAY,
    ),
    Case(
        "grid_unknown",
        None,
        {"age_seconds": 90, "known_at": NOON},
        "pauses in 13 min 30 s if it stays so",
        lambda: grid(True, None, wait=30),
        AWAY,
    ),
    Case(
        "grid_unknown",
        0,
        {"age_seconds": 60, "known_at": NOON},
        "may start when it is known",
        lambda: grid(True, None, state=MinerState.PAUSED),
        AWAY,
    ),
    Case(
        "grid_unknown",
        None,
        {"age_seconds": 300, "known_at": NOON},
        "pauses in 10 min if it stays so",
        lambda: grid(True, wait=300),
        AWAY,
    ),
    Case(
        "grid_unknown_pause",
        0,
        {"age_seconds": 900, "known_at": NOON},
        "may resume when the grid is back",
        lambda: grid(True, wait=900),
        AWAY,
    ),
    Case(
        "paused_by_person",
        0,
        {"by": "owner", "until": UNTIL.isoformat()},
        "automatic again at 18:45",
        lambda: person(OverrideKind.PAUSE, until=UNTIL, reason="too loud"),
        "override",
    ),
    Case(
        "paused_by_person",
        0,
        {"by": "owner"},
        "automatic when a person says so",
        lambda: person(OverrideKind.PAUSE),
        "override",
    ),
    Case(
        "force_on",
        None,
        {"by": "owner", "until": UNTIL.isoformat()},
        "automatic again at 18:45",
        lambda: person(OverrideKind.FORCE_ON, until=UNTIL),
        "override",
    ),
    Case(
        "maintenance",
        None,
        {"by": "owner", "until": (START + timedelta(hours=12)).isoformat()},
        "automatic again at 05:45",
        lambda: person(OverrideKind.MAINTENANCE),
        "override",
    ),
    Case(
        "emergency_stop",
        0,
        {"ordered_at": START.isoformat()},
        "resumes when a person lifts the stop",
        lambda: stopped("smoke"),
        "emergency_stop",
    ),
    Case(
        "outside_pause",
        0,
        {"paused_since": NOON, "until": (START + timedelta(hours=12)).isoformat()},
        "automatic again at 05:45, or when a person says so",
        lambda: outside(0),
        "outside_pause",
    ),
    Case(
        "outside_pause_over",
        None,
        {"paused_since": NOON, "until": (START + timedelta(hours=12)).isoformat()},
        "",
        lambda: outside(43200),
        "outside_pause",
    ),
    Case("miner_cap", 2600, {"max_w": 2600, "lowest_w": 3200}, "", capped, "miner_cap"),
    Case(
        "minimum_off",
        0,
        {"paused_seconds": 0, "minimum_off_seconds": 300},
        "may start at 17:50",
        lambda: battery(80, state=MinerState.PAUSED),
        "minimum_off",
    ),
    # Started at 17:51:40.
    Case(
        "starts_per_day",
        0,
        {"starts": 1, "starts_per_day": 1},
        "may start at 17:51",
        budget_spent,
        "starts_per_day",
    ),
    Case("stagger", 0, {"started_w": 3200, "stagger_w": 5000}, "may start within 30 s", staggered, "stagger"),
    Case(
        "group_cap",
        800,
        {"group": "shed", "max_w": 4000, "others_w": 3200},
        "rises when others of shed draw less",
        crowded,
        "group_cap",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.ceiling_w}")
def test_a_reason_gives_its_figures_and_what_would_change_it(case: Case) -> None:
    limit = limit_of(case.run(), case.policy)
    assert (limit.code, limit.ceiling_w) == (case.code, case.ceiling_w)
    assert (limit.numbers, limit.changes_when) == (case.numbers, case.changes_when)


def test_an_unmentioned_reason_or_end_leaves_no_trace_in_the_sentence() -> None:
    assert limit_of(person(OverrideKind.PAUSE), "override").sentence == "paused by owner"
    assert limit_of(stopped(""), "emergency_stop").sentence == "emergency stop by owner"


def test_times_in_sentences_are_the_owners() -> None:
    assert limit_of(person(OverrideKind.PAUSE, until=UNTIL), "override").sentence == "paused by owner until 18:45"
    assert limit_of(outside(0), "outside_pause").sentence == "paused outside Sunherd at 17:45, respected until 05:45"
    assert "made at 17:45" in limit_of(outside(43200), "outside_pause").sentence


def test_why_the_battery_is_not_known_is_told_apart() -> None:
    causes = [
        (CoreRun(FARM), "never heard of"),
        (battery(None), "unknown (unavailable)"),
        (battery(80), "not confirmed"),
    ]
    for run, cause in causes:
        assert limit_of(run.wait(300), STALE).sentence.startswith(f"SoC {cause} for 5 min")


def test_what_force_on_silences_says_by_whom() -> None:
    run = battery(60).override("s19", OverrideKind.FORCE_ON, until=UNTIL)
    assert limit_of(run, HYSTERESIS).sentence == "SoC 60.0 % < 73 %; silenced: forced on by owner until 18:45"
    run = battery(60).override("s19", OverrideKind.MAINTENANCE)
    assert limit_of(run, "override").sentence == "in maintenance by owner until 05:45"


CLAIM = re.compile(r"^SoC ([\d.]+) % ([<>≤≥]) ([\d.]+) %")
CHANGE = re.compile(r"^(?:resumes above|pauses below) ([\d.]+) %, now ([\d.]+) %$")
TRUE = {"<": operator.lt, ">": operator.gt, "≤": operator.le, "≥": operator.ge}


@pytest.mark.parametrize("before", [80.0, 60.0])
@pytest.mark.parametrize("soc", [60, 72.96, 73, 73.04, 74, 74.96, 75, 75.04, 80])
def test_what_a_sentence_claims_of_the_battery_is_true_as_written(soc: float, before: float) -> None:
    limit = limit_of(battery(before, soc), HYSTERESIS)
    claim = CLAIM.match(limit.sentence)
    assert claim is not None
    assert float(claim[1]) == pytest.approx(soc, abs=0.05)
    assert TRUE[claim[2]](float(claim[1]), float(claim[3])), limit.sentence
    assert (float(claim[1]) == float(claim[3])) is (soc == float(claim[3])), limit.sentence
    change = CHANGE.match(limit.changes_when)
    assert change is not None
    assert (float(change[2]) == float(change[1])) is (soc == float(change[1])), limit.changes_when


def test_a_value_between_the_bounds_is_told_as_exactly_as_it_takes() -> None:
    assert limit_of(battery(74.96), HYSTERESIS).sentence.startswith("SoC 74.96 % is between 73 % and 75 %")


def test_sentences_are_written_alike() -> None:
    """Lower case but for names, so that they can stand anywhere in a line."""
    runs = [battery(80), *(case.run() for case in CASES)]
    limits = [limit for run in runs for command in run.decide().values() for limit in command.limits]
    nothing_set = replace(FARM, miners={"s19": MinerRules()})
    limits += [entry.policy(runs[0].farm, "s19", None, START) for entry in all_policies(nothing_set)]
    for text in {text for limit in limits for text in (limit.sentence, limit.changes_when)}:
        words = set(re.findall(r"[A-Za-z]{2,}", text))
        assert {word for word in words if word != word.lower()} <= {"SoC", "Sunherd"}, text
        assert words.isdisjoint({"soc", "sunherd"}), text


# --- the policies by themselves


def test_a_policy_that_has_no_rank_yet_is_told_after_the_others() -> None:
    newer = PolicyEntry("a_newer_one", lambda *given: forbid("a_newer_one", "newer", "newer", given[-1]))
    run = battery(80)
    book = Book(FARM, [newer, *all_policies(FARM)])
    limits = first_stage(book, run.farm, "s19", run.now, recall(run.farm, "s19", FARM, run.now))
    assert [limit.policy for limit in limits][-2:] == ["outside_pause", "a_newer_one"]


def test_every_policy_signs_with_the_name_that_it_is_entered_under() -> None:
    run = CoreRun(FARM)
    for entry in all_policies(FARM):
        assert entry.policy(run.farm, "s19", None, run.now).policy == entry.name


@pytest.mark.parametrize("rules", [MinerRules(), MinerRules(stop_percent=73), MinerRules(resume_percent=75)])
def test_what_the_owner_has_not_set_holds_nothing_back(rules: MinerRules) -> None:
    farm = replace(FARM, miners={"s19": rules})
    run = CoreRun(farm).miner("s19", MinerState.HASHING)
    assert {limit.policy for limit in run.decide()["s19"].limits} == {"emergency_stop", "override", "outside_pause"}
    asked = {entry.name: entry.policy(run.farm, "s19", None, run.now) for entry in all_policies(farm)}
    assert (asked[HYSTERESIS].code, asked[HYSTERESIS].ceiling_w) == ("no_band", None)
    assert (asked["miner_cap"].code, asked["miner_cap"].ceiling_w) == ("no_cap", None)


def test_what_has_nothing_new_to_say_says_the_very_same() -> None:
    """A thousand miners without an override are told of three thousand limits a second: none is made anew."""
    run = CoreRun(FARM)
    for entry in all_policies(FARM):
        if entry.name in {"emergency_stop", "override", "outside_pause"}:
            first = entry.policy(run.farm, "s19", None, run.now)
            assert entry.policy(run.farm, "s19", first, run.wait(60).now) is first
    ceiling = Limit(policy="override", ceiling_w=0, code="automatic", sentence="", since=START)
    assert nothing("override", "automatic", "no override", ceiling, START).ceiling_w is None
