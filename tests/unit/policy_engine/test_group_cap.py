"""What miners on one circuit leave one another: granted, reserved, and perhaps still drawn."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.policy_engine.decide import decide_all
from services.policy_engine.explain import Term
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.messages import PAUSE, Ladder, MinerState, OperatingPoint, OverrideKind
from tests.engine_core import DIMMABLE, NORMAL, ON_OFF, CoreRun, limit_of

FREE = MinerRules()
RULES = Rules(
    miners={"high": MinerRules(73, 75), "low": FREE},
    groups={"garage": GroupRules(("high", "low"), 4000)},
)


def run_with(high: MinerState | None, low: MinerState | None, soc: float = 80, ladder: Ladder = ON_OFF) -> CoreRun:
    run = CoreRun(RULES).soc(soc).miner("high", high, ladder).miner("low", low, ladder)
    run.decide()
    return run


def points(run: CoreRun) -> dict[str, str]:
    return {name: command.point.name for name, command in run.decide().items()}


def later(run: CoreRun, soc: float = 80) -> CoreRun:
    return run.wait(400).soc(soc).same_readings()


def test_the_higher_priority_goes_first() -> None:
    run = later(run_with(MinerState.PAUSED, MinerState.PAUSED))
    assert points(run) == {"high": "normal", "low": "pause"}
    assert run.commands["low"].code == "group_cap"
    assert run.commands["low"].sentence == ("group garage may draw 4000 W and others of higher priority have 3200 W")


def test_the_lower_makes_room_and_counts_until_it_is_read_as_paused() -> None:
    run = run_with(MinerState.PAUSED, MinerState.HASHING, soc=70)
    assert points(later(run, 70)) == {"high": "pause", "low": "normal"}
    assert points(later(run)) == {"high": "pause", "low": "pause"}
    assert run.commands["high"].sentence == "group garage may draw 4000 W and others draw or may still draw 3200 W"
    assert points(run.wait(10).soc(80))["high"] == "pause"
    run.miner("low", MinerState.STOPPING)
    assert points(run.wait(10).soc(80))["high"] == "pause"
    run.miner("low", MinerState.PAUSED, desired="pause")
    assert points(run.wait(10).soc(80)) == {"high": "normal", "low": "pause"}


def test_one_that_cannot_be_reached_counts_as_drawing() -> None:
    run = run_with(MinerState.PAUSED, MinerState.HASHING, soc=70)
    later(run).decide()
    run.miner("low", None)
    assert points(later(run))["high"] == "pause"


def test_one_that_was_never_read_counts_with_what_is_configured_or_assumed() -> None:
    for nominal_w, point in ((None, "pause"), (700, "normal")):
        rules = replace(RULES, miners={**RULES.miners, "low": MinerRules(nominal_w=nominal_w)})
        run = CoreRun(rules).soc(80).miner("high", MinerState.PAUSED)
        run.decide()
        assert points(later(run))["high"] == point


def test_a_paused_reading_behind_which_a_start_may_be_under_way_counts() -> None:
    run = later(run_with(MinerState.PAUSED, MinerState.PAUSED, soc=70), 70)
    assert points(run) == {"high": "pause", "low": "normal"}
    run.miner("low", MinerState.PAUSED, desired="normal")
    assert points(later(run)) == {"high": "pause", "low": "pause"}
    assert points(run.wait(5).soc(80))["high"] == "pause"


def test_two_that_run_above_the_cap_do_not_both_stop() -> None:
    assert run_with(MinerState.HASHING, MinerState.HASHING).commands["high"].point.name == "normal"
    assert points(run_with(MinerState.HASHING, MinerState.HASHING)) == {"high": "normal", "low": "pause"}


def test_with_a_ladder_the_lower_is_dimmed_instead_of_paused() -> None:
    rules = replace(RULES, groups={"garage": GroupRules(("high", "low"), 5000)})
    run = CoreRun(rules).soc(80).miner("high", MinerState.HASHING, DIMMABLE).miner("low", MinerState.HASHING, DIMMABLE)
    assert points(run) == {"high": "normal", "low": "1800"}


def test_a_dimmed_point_counts_with_the_old_one_until_it_is_read() -> None:
    rules = replace(RULES, groups={"garage": GroupRules(("high", "low"), 5000)})
    run = CoreRun(rules).soc(70).miner("high", MinerState.PAUSED, DIMMABLE)
    run.miner("low", MinerState.HASHING, DIMMABLE, point="normal").decide()
    assert points(later(run)) == {"high": "1800", "low": "1800"}
    run.miner("low", MinerState.HASHING, DIMMABLE, point="1800")
    assert points(run.wait(5).soc(80)) == {"high": "normal", "low": "1800"}


def test_a_miner_in_two_groups_obeys_the_tighter() -> None:
    groups = {
        "garage": GroupRules(("high", "low"), 9000),
        "cable": GroupRules(("low",), 2000),
        "none": GroupRules(("low",)),
    }
    run = CoreRun(replace(RULES, groups=groups)).soc(80)
    run.miner("high", MinerState.HASHING).miner("low", MinerState.HASHING, DIMMABLE)
    assert points(run) == {"high": "normal", "low": "1800"}


def test_deciding_for_one_decides_for_all_that_share_its_cap() -> None:
    rules = replace(RULES, miners={**RULES.miners, "far": FREE})
    run = CoreRun(rules).soc(80)
    decided = decide_all(run.book, run.farm, ["low"], run.now, Term("test", 1, rules.lease))
    assert list(decided) == ["high", "low"]
    assert list(decide_all(run.book, run.farm, ["far"], run.now, Term("test", 1, rules.lease))) == ["far"]


def test_the_last_reading_of_a_dead_agent_is_not_believed() -> None:
    run = later(run_with(MinerState.PAUSED, MinerState.PAUSED, soc=70), 70)
    run.miner("low", MinerState.PAUSED, desired="pause").override("low", OverrideKind.PAUSE)
    assert points(run) == {"high": "pause", "low": "pause"}
    run.wait(400, silent=True).soc(80).miner("high", MinerState.PAUSED)
    assert points(run) == {"high": "pause", "low": "pause"}, "nobody knows what low draws: somebody may have started it"
    run.miner("low", MinerState.PAUSED, desired="pause")
    assert points(run) == {"high": "normal", "low": "pause"}


# --- three on one circuit


def three(cap_w: float, *ladders: Ladder, states: tuple[MinerState, MinerState, MinerState]) -> CoreRun:
    """`a`, `b` and `c` by falling priority; they decide once, then the dwell times are over."""
    rules = Rules(miners=dict.fromkeys("abc", FREE), groups={"shed": GroupRules(tuple("abc"), cap_w)}, stagger_w=20000)
    run = CoreRun(rules)
    for name, ladder, state in zip("abc", ladders, states, strict=True):
        run.miner(name, state, ladder)
        if state is MinerState.PAUSED:
            run.override(name, OverrideKind.PAUSE)
    run.decide()
    for name in "abc":
        run.override(name, None)
    return run.wait(400).same_readings()


ON, OFF = MinerState.HASHING, MinerState.PAUSED


def test_what_starts_now_and_what_still_draws_count_together() -> None:
    small = DIMMABLE.model_copy(update={"normal": "1800"})
    run = three(6000, ON_OFF, DIMMABLE, small, states=(OFF, OFF, ON)).miner("c", ON, small, point="1800")
    # a has 3200 and c still 1800: the 1000 between them are no point of b's, though b comes before c.
    assert points(run) == {"a": "normal", "b": "pause", "c": "pause"}
    told = next(limit for limit in run.commands["c"].limits if limit.policy == "group_cap")
    assert told.numbers["others_w"] == 5700, "what those above shall have, not what they have"
    run.miner("c", OFF, small, desired="pause").miner("a", ON)
    assert points(run.wait(5))["b"] == "2500"


def test_those_above_count_together() -> None:
    assert points(three(7000, ON_OFF, ON_OFF, ON_OFF, states=(ON, ON, ON))) == {
        "a": "normal",
        "b": "normal",
        "c": "pause",
    }


def test_nobody_makes_room_for_what_another_above_takes_anyway() -> None:
    run = three(5500, ON_OFF, ON_OFF, DIMMABLE, states=(ON, OFF, ON))
    run.miner("c", ON, DIMMABLE, point="1800")
    assert points(run) == {"a": "normal", "b": "pause", "c": "1800"}


def test_a_cap_that_is_more_than_used_up_leaves_nothing() -> None:
    cannot_pause = Ladder(points=(NORMAL,), normal="normal")
    run = three(3000, cannot_pause, ON_OFF, ON_OFF, states=(ON, ON, ON))
    assert points(run) == {"a": "normal", "b": "pause", "c": "pause"}
    assert (run.commands["a"].code, run.commands["b"].ceiling_w) == ("cannot_pause", 0)


def test_fractions_of_a_watt_do_not_keep_anybody_out() -> None:
    # 0.3 - 0.1 is a little less than 0.2 in binary fractions.
    tenth, fifth = (
        Ladder(points=(PAUSE, OperatingPoint(name="normal", power_w=power_w)), normal="normal")
        for power_w in (0.1, 0.2)
    )
    rules = replace(RULES, groups={"garage": GroupRules(("high", "low"), 0.3)})
    for state in (ON, OFF):
        run = CoreRun(rules).soc(80).miner("high", ON, tenth).miner("low", state, fifth)
        run.decide()
        assert points(later(run)) == {"high": "normal", "low": "normal"}


# --- beside the other gates


@pytest.mark.parametrize("gate", ["minimum_off", "stagger"])
def test_nobody_makes_room_for_one_that_may_not_start_yet(gate: str) -> None:
    rules = replace(RULES, miners={**RULES.miners, "other": FREE}, stagger_w=5000, minimum_off=timedelta(minutes=5))
    rules = replace(rules, groups={"first": GroupRules(("other",)), **rules.groups})
    run = CoreRun(rules).soc(80).miner("low", ON).miner("high", OFF).miner("other", OFF)
    run.decide()
    if gate == "stagger":
        run.wait(300).soc(80)
    assert points(run)["low"] == "normal"
    assert run.commands["high"].code == gate
    if gate == "stagger":
        assert points(run.wait(30).soc(80))["low"] == "pause"


def test_a_group_that_allows_more_does_not_lift_a_miners_own_cap() -> None:
    rules = replace(RULES, miners={"high": FREE, "low": MinerRules(max_w=1800)}, groups={})
    rules = replace(rules, groups={"cable": GroupRules(("low",), 2500)})
    run = CoreRun(rules).miner("low", ON, DIMMABLE)
    command = run.decide()["low"]
    assert (command.point.name, command.ceiling_w, command.code) == ("1800", 1800, "miner_cap")


def test_a_cap_that_is_just_enough_is_no_limit() -> None:
    rules = replace(RULES, groups={"garage": GroupRules(("high", "low"), 6400)})
    run = CoreRun(rules).soc(80).miner("high", ON).miner("low", ON)
    assert [limit.policy for limit in run.decide()["low"].limits if limit.policy == "group_cap"] == []


def test_who_is_in_the_way_is_told_apart() -> None:
    run = three(6400, ON_OFF, ON_OFF, ON_OFF, states=(OFF, OFF, ON))
    assert points(run) == {"a": "normal", "b": "pause", "c": "pause"}
    told = limit_of(run, "group_cap", "b")
    assert told.sentence == "group shed may draw 6400 W and others draw or may still draw 6400 W"
    assert (told.numbers["others_w"], told.ceiling_w) == (6400, 0)


def test_one_that_cannot_be_read_any_more_still_makes_room() -> None:
    rules = Rules(miners={"a": FREE, "b": FREE}, groups={"shed": GroupRules(("a", "b"), 4000)})
    run = CoreRun(rules).miner("a", OFF, desired="pause").miner("b", ON)
    assert points(run) == {"a": "pause", "b": "normal"}
    run.wait(280).same_readings().decide()
    assert points(run.miner("b", None)) == {"a": "pause", "b": "normal"}
    assert points(run.wait(20)) == {"a": "pause", "b": "pause"}
    assert (run.commands["b"].action, run.commands["b"].code) == ("apply", "group_cap")
