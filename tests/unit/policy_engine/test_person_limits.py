"""A person's limit in watts: of a miner and of a group, for a time, and what it meets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.policy_engine.introspection import bounds_of, scene_of
from services.policy_engine.policies.override import ends_at
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.messages import Action, MinerState, Override, OverrideKind
from tests.engine_core import DIMMABLE, CoreRun, limit_of

RULES = Rules(
    miners={"s19": MinerRules(73, 75), "s21": MinerRules(73, 75), "s23": MinerRules()},
    groups={"shed": GroupRules(("s19", "s21"), 6400), "free": GroupRules(("s21", "s23"))},
)
LIMIT = OverrideKind.LIMIT


def running(soc: float = 80, rules: Rules = RULES) -> CoreRun:
    run = CoreRun(rules).soc(soc)
    for name in rules.miners:
        run.miner(name, MinerState.HASHING, DIMMABLE)
    run.decide()
    return run


def test_a_limit_dims_a_miner_until_it_ends() -> None:
    run = running()
    until = run.now + timedelta(hours=1)
    command = run.override("s19", LIMIT, max_w=2600, until=until, reason="guests").decide()["s19"]
    assert (command.point.name, command.code) == ("2500", "limited_by_person")
    assert command.sentence == "at most 2600 W by owner until 13:00: guests"
    assert command.changes_when == "automatic again at 13:00"
    assert limit_of(run, "person_limit").numbers == {"by": "owner", "max_w": 2600, "until": until.isoformat()}
    run.wait(3600).soc(80)
    assert run.decide()["s19"].point.name == "normal"
    run.override("s19", None)
    assert "person_limit" not in {limit.policy for limit in run.decide()["s19"].limits}


def test_a_limit_without_an_end_says_so_and_one_of_nothing_is_a_pause() -> None:
    run = running().override("s23", LIMIT, max_w=0)
    command = run.decide()["s23"]
    assert (command.point.is_pause, command.code) == (True, "limited_by_person")
    assert command.changes_when == "automatic when a person says so"


def test_force_on_by_a_group_does_not_silence_a_miners_limit() -> None:
    run = running(60).wait(400).soc(60)
    run.override("shed", OverrideKind.FORCE_ON, until=run.now + timedelta(hours=1))
    run.override("s19", LIMIT, max_w=2000)
    commands = run.decide()
    assert (commands["s19"].point.name, commands["s19"].code) == ("1800", "limited_by_person")
    assert limit_of(run, "soc_hysteresis").ceiling_w is None
    assert commands["s21"].code == "force_on"


def test_force_on_of_a_miner_does_not_silence_its_groups_limit() -> None:
    run = running().override("s19", OverrideKind.FORCE_ON, until=running().now + timedelta(hours=1))
    run.override("shed", LIMIT, max_w=2000)
    assert (run.decide()["s19"].point.name, run.commands["s19"].code) == ("1800", "limited_by_person")


def test_a_pause_of_a_group_is_stricter_than_a_limit_and_maintenance_goes_beside_it() -> None:
    run = running().override("s19", LIMIT, max_w=2000).override("shed", OverrideKind.MAINTENANCE)
    command = run.decide()["s19"]
    assert (command.action, command.ceiling_w) == (Action.MAINTENANCE, 2000)
    run.override("shed", OverrideKind.PAUSE)
    assert run.decide()["s19"].code == "paused_by_person"


@pytest.mark.parametrize(("max_w", "code", "cap"), [(3200, "limited_by_person", 3200), (9000, "group_cap", 5000)])
def test_a_group_may_draw_the_lower_of_its_cap_and_the_limit(max_w: float, code: str, cap: float) -> None:
    capped = replace(RULES, groups={"shed": GroupRules(("s19", "s21"), 5000)})
    run = running(rules=capped).override("shed", LIMIT, max_w=max_w)
    commands = run.decide()
    assert commands["s19"].point.name == "normal", "the one of higher priority keeps its power"
    limit = next(limit for limit in commands["s21"].limits if limit.policy == "group_cap")
    assert (limit.code, limit.numbers["max_w"]) == (code, cap)


def test_a_limit_of_a_group_without_a_cap_counts_also_in_a_pass_over_one_miner() -> None:
    run = running().override("free", LIMIT, max_w=5000, until=running().now + timedelta(hours=1))
    run.decide()
    command = run.commands["s23"]
    assert (command.point.name, command.code) == ("1800", "limited_by_person")
    assert command.sentence.startswith("group free may draw 5000 W, by owner until 13:00, and others")
    assert command.changes_when == "rises when others of free draw less, or at 13:00"
    assert run.decide_some("s23") == {name: command.point for name, command in run.commands.items()}
    run.wait(3600).soc(80)
    assert run.decide()["s23"].point.name == "normal"


def test_the_engine_sees_the_limits_that_are_in_force() -> None:
    run = running().override("s19", LIMIT, max_w=2000).override("free", LIMIT, max_w=4000)
    run.override("shed", LIMIT, max_w=1, until=run.now)
    scene = scene_of(run.farm, run.farm, bounds_of(RULES), run.now, run.now, 1)
    assert (scene.sights["s19"].limit_w, scene.sights["s21"].limit_w) == (2000, None)
    assert scene.group_limits_w == {"free": 4000}


def test_maintenance_in_the_last_hours_of_the_calendar_stops_no_decision() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    word = Override(at=last - timedelta(hours=1), kind=OverrideKind.MAINTENANCE)
    assert ends_at(word) == last
