"""What miners on one circuit leave one another: granted, reserved, and perhaps still drawn."""

from dataclasses import replace

from services.policy_engine.decide import decide_all
from services.policy_engine.explain import Term
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.messages import Ladder, MinerState, OverrideKind
from tests.engine_core import DIMMABLE, ON_OFF, CoreRun

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
    run.wait(400).soc(80).miner("high", MinerState.PAUSED)
    assert points(run) == {"high": "pause", "low": "pause"}, "nobody knows what low draws: somebody may have started it"
    run.miner("low", MinerState.PAUSED, desired="pause")
    assert points(run) == {"high": "normal", "low": "pause"}
