"""Dwell, budget and stagger, and what counts as a start."""

from dataclasses import replace
from datetime import timedelta

from services.policy_engine.ledger import open_ledger
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.messages import MinerState, OverrideKind
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


def test_a_start_dated_by_a_clock_that_was_ahead_counts_as_one_of_now() -> None:
    run = all_read(CoreRun(rules_for(2, stagger_w=5000)).soc(80), MinerState.PAUSED).wait(300).soc(80)
    assert on(run) == ["m0"]
    for hours, started_w in ((0, 3200), (-2, 3200), (2, 0)):
        assert open_ledger(run.rules, run.farm, ["m1"], run.now + timedelta(hours=hours)).started_w == started_w


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
    command = run.decide()["s19"]
    assert [limit.code for limit in command.limits][-2:] == ["miner_cap", "minimum_off"]
    assert (command.code, command.ceiling_w) == ("minimum_off", 0)


# --- who speaks


def gates_of(run: CoreRun, name: str = "s19") -> list[str]:
    gates = {"minimum_off", "starts_per_day", "stagger", "group_cap"}
    return [limit.policy for limit in run.decide()[name].limits if limit.policy in gates]


def test_gates_are_silent_while_a_rule_forbids_to_run() -> None:
    rules = replace(RULES, groups={"shed": GroupRules(("s19",), 1000)}, starts_per_day=1)
    run = all_read(CoreRun(rules).soc(80), MinerState.HASHING)
    assert gates_of(run.wait(10).soc(70)) == []
    assert gates_of(run.wait(10).soc(70)) == []


def test_of_the_gates_that_hold_a_start_only_the_first_speaks() -> None:
    rules = replace(RULES, groups={"shed": GroupRules(("s19",), 1000)})
    run = all_read(CoreRun(rules).soc(80), MinerState.PAUSED)
    assert gates_of(run) == ["minimum_off"]
    assert gates_of(run.wait(300).soc(80)) == ["group_cap"]


# --- what counts for the stagger


def test_a_second_look_at_the_same_moment_starts_no_more() -> None:
    run = all_read(CoreRun(rules_for(3)).soc(80), MinerState.PAUSED).wait(300).soc(80)
    assert on(run) == ["m0", "m1"]
    assert on(run) == ["m0", "m1"]


def test_as_many_watts_as_are_allowed_start_together() -> None:
    assert on(all_read(CoreRun(rules_for(3, 6400)).soc(80), MinerState.PAUSED).wait(300).soc(80)) == ["m0", "m1"]
    assert on(all_read(CoreRun(rules_for(3, 6399)).soc(80), MinerState.PAUSED).wait(300).soc(80)) == ["m0"]


def test_one_that_runs_on_hides_no_start_behind_it() -> None:
    run = CoreRun(rules_for(3, 3200)).soc(80).miner("m0", MinerState.HASHING)
    run.miner("m1", MinerState.PAUSED).miner("m2", MinerState.PAUSED).decide()
    assert on(run.wait(300).soc(80)) == ["m0", "m1"]
    assert on(run.wait(10).soc(80)) == ["m0", "m1"]


def test_a_start_that_cannot_be_read_any_more_counts_as_configured() -> None:
    rules = Rules(miners={"m0": MinerRules(nominal_w=3000), "m1": MinerRules()}, stagger_w=6200)
    run = all_read(CoreRun(rules), MinerState.PAUSED).wait(300)
    run.override("m1", OverrideKind.PAUSE, until=run.now + timedelta(seconds=10))
    assert on(run) == ["m0"]
    assert on(run.wait(10).miner("m0", None)) == ["m0", "m1"]


def test_one_that_was_never_read_leaves_the_stagger_alone() -> None:
    rules = replace(rules_for(2, 1000), miners={"m0": MinerRules(), "m1": MinerRules()})
    run = CoreRun(rules).miner("m1", MinerState.PAUSED)
    run.decide()
    assert on(run.wait(300)) == ["m1"]


def test_a_gap_in_the_readings_keeps_what_runs_at_its_very_cap() -> None:
    run = CoreRun(Rules(miners={"s19": MinerRules(max_w=3200)})).miner("s19", MinerState.HASHING)
    run.decide()
    assert on(run.miner("s19", None)) == ["s19"]
