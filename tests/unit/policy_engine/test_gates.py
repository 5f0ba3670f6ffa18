"""Dwell, budget and stagger, and what counts as a start."""

from dataclasses import replace
from datetime import timedelta

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import MinerState
from tests.engine_core import DIMMABLE, CoreRun

RULES = Rules(miners={"s19": MinerRules(73, 75)})


def rules_for(count: int, stagger_w: float = 7000) -> Rules:
    return Rules(miners={f"m{index}": MinerRules(73, 75) for index in range(count)}, stagger_w=stagger_w)


def all_read(run: CoreRun, state: MinerState) -> CoreRun:
    for name in run.rules.miners:
        run.miner(name, state)
    run.decide()
    return run


def on(run: CoreRun) -> list[str]:
    return [name for name, command in run.decide().items() if not command.point.is_pause]


def test_a_miner_found_hashing_is_running_and_needs_no_start() -> None:
    run = all_read(CoreRun(RULES).soc(80), MinerState.HASHING)
    assert (run.commands["s19"].point.name, run.commands["s19"].starts) == ("normal", ())


def test_a_miner_found_paused_waits_its_whole_time() -> None:
    run = all_read(CoreRun(RULES).soc(80), MinerState.PAUSED)
    assert run.commands["s19"].sentence == "paused for 0 s of at least 5 min"
    assert on(run.wait(299).soc(80)) == []
    assert on(run.wait(1).soc(80)) == ["s19"]
    assert run.commands["s19"].starts == (run.now,)


def test_what_nobody_knows_counts_as_paused() -> None:
    for state in (MinerState.UNKNOWN, MinerState.FAULT):
        assert all_read(CoreRun(RULES).soc(80), state).commands["s19"].code == "minimum_off"


def test_paused_since_counts_from_the_order_to_pause() -> None:
    run = all_read(CoreRun(RULES).soc(80), MinerState.HASHING)
    run.wait(60).soc(70).decide()
    assert run.commands["s19"].paused_since == run.now
    run.wait(200).soc(80).decide()
    assert run.commands["s19"].changes_when == "may start at 12:06"


def test_a_date_from_a_clock_that_was_ahead_does_not_hold_it_for_ever() -> None:
    run = all_read(CoreRun(RULES).soc(80), MinerState.PAUSED)
    run.now -= timedelta(hours=3)
    assert on(run.soc(80)) == []
    assert on(run.wait(300).soc(80)) == ["s19"]


def test_starts_within_any_24_hours_are_bounded() -> None:
    run = all_read(CoreRun(replace(RULES, starts_per_day=2)).soc(80), MinerState.HASHING)
    begun = []
    for _ in range(2):
        run.wait(10).soc(70).decide()
        run.wait(400).soc(80).decide()
        begun.append(run.now)
    run.wait(10).soc(70).decide()
    command = run.wait(3600).soc(80).decide()["s19"]
    assert (command.code, command.sentence) == ("starts_per_day", "2 starts within 24 h, 2 allowed")
    run.wait((begun[0] + timedelta(hours=24) - run.now).total_seconds() - 1).soc(80)
    assert on(run) == []
    assert on(run.wait(1).soc(80)) == ["s19"]
    assert run.commands["s19"].starts == (begun[1], run.now)


def test_a_farm_starts_in_steps() -> None:
    run = all_read(CoreRun(rules_for(5)).soc(80), MinerState.PAUSED).wait(300).soc(80)
    assert on(run) == ["m0", "m1"]
    assert on(run.wait(20).soc(80)) == ["m0", "m1"]
    assert run.commands["m2"].code == "stagger"
    assert on(run.wait(10).soc(80)) == ["m0", "m1", "m2", "m3"]
    assert on(run.wait(30).soc(80)) == ["m0", "m1", "m2", "m3", "m4"]


def test_a_single_larger_one_starts_alone() -> None:
    run = all_read(CoreRun(rules_for(2, stagger_w=1000)).soc(80), MinerState.PAUSED).wait(300).soc(80)
    assert on(run) == ["m0"]
    assert on(run.wait(30).soc(80)) == ["m0", "m1"]


def test_the_stagger_counts_nominal_watts_even_of_a_start_at_a_low_point() -> None:
    rules = Rules(miners={"m0": MinerRules(), "m1": MinerRules(max_w=1800)}, stagger_w=5200)
    run = CoreRun(rules).miner("m0", MinerState.PAUSED, DIMMABLE).miner("m1", MinerState.PAUSED, DIMMABLE)
    run.decide()
    assert on(run.wait(300)) == ["m0"]
    assert run.commands["m1"].sentence == ("3200 W were started within 30 s; with 3200 W more it would be above 5200 W")


def test_running_on_is_no_start() -> None:
    run = all_read(CoreRun(rules_for(9)).soc(80), MinerState.HASHING)
    assert len(on(run.wait(30).soc(80))) == 9


def test_those_that_are_only_watched_use_up_nobodys_stagger() -> None:
    rules = rules_for(3)
    watched = replace(rules, miners={**rules.miners, "m0": MinerRules(73, 75, observe=True)})
    run = all_read(CoreRun(watched).soc(80), MinerState.PAUSED).wait(300).soc(80)
    assert on(run) == ["m0", "m1", "m2"]


def test_a_cap_chooses_a_lower_point_and_a_low_one_pauses() -> None:
    for max_w, point in ((2600, "2500"), (1000, "pause"), (4000, "normal")):
        run = CoreRun(Rules(miners={"s19": MinerRules(max_w=max_w)})).miner("s19", MinerState.HASHING, DIMMABLE)
        command = run.decide()["s19"]
        assert (command.point.name, command.ceiling_w) == (point, max_w)
        assert command.code == ("no_limit" if point == "normal" else "miner_cap")


def test_gates_speak_where_a_low_ceiling_leaves_no_point() -> None:
    run = CoreRun(Rules(miners={"s19": MinerRules(max_w=1)})).miner("s19", MinerState.PAUSED)
    assert [limit.code for limit in run.decide()["s19"].limits][-2:] == ["miner_cap", "minimum_off"]
