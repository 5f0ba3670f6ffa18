"""Heat: down at once, paused below the lowest, up again step by step; and what nobody has measured is not cool."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.policy_engine.rules import MinerRules
from shared.messages import MinerCommand, MinerState, OverrideKind
from tests.bitaxe_ladder import (
    DAY,
    LADDER,
    LOWEST,
    NORMAL,
    RUNG,
    RUNG_2,
    WITHOUT_PAUSE,
    paused,
    reads,
    rules,
)
from tests.engine_core import CoreRun, limit_of, reading


def warm(celsius: float = 60, **rest: Any) -> CoreRun:
    """A farm whose Bitaxe hashes at its normal point, this warm."""
    return reads(CoreRun(rules(**rest)), celsius)


def told(run: CoreRun) -> MinerCommand:
    return run.decide()["axe"]


def reads_again(run: CoreRun, celsius: float | None, seconds: float = 10, **rest: Any) -> MinerCommand:
    """So many seconds of readings, each at the point that it was told."""
    passed = 0.0
    while passed < seconds:
        step = min(10, seconds - passed)
        passed += step
        command = told(reads(run.wait(step), celsius, **rest))
    return command


def rests(run: CoreRun, seconds: float) -> MinerCommand:
    """It is read as paused for so long."""
    for _ in range(round(seconds)):
        command = told(paused(run.wait(1)))
    return command


def steps_down_to(run: CoreRun, *, ceiling_w: float) -> MinerCommand:
    command = told(run)
    for _ in range(20):
        if command.ceiling_w == ceiling_w:
            return command
        command = reads_again(run, 75, seconds=30)
    raise AssertionError(command)


def test_a_cool_miner_is_left_as_it_is() -> None:
    command = told(warm())
    assert (command.point, command.ceiling_w) == (NORMAL, None)
    assert limit_of(warm(), "overheat", "axe").code == "heat_ok"
    assert told(warm(70)).point == NORMAL, "the limit itself is allowed"


def test_the_first_reading_above_the_limit_is_answered_by_one_step_down() -> None:
    run = warm()
    told(run)
    command = reads_again(run, 70.1)
    assert (command.point, command.code) == (RUNG_2, "too_hot")
    assert command.sentence == "chip 70.1 °C, limit 70 °C: at most 18 W"
    assert command.changes_when == "one more step down after 30 s if it stays so"


def test_the_regulator_has_a_limit_of_its_own() -> None:
    command = told(reads(CoreRun(rules()), 60, regulator_temperature_celsius=100.5))
    assert command.point == RUNG_2
    assert command.sentence.startswith("regulator 100.5 °C, limit 100 °C")


def test_another_step_only_after_the_dwell_and_on_a_new_reading() -> None:
    run = warm(75)
    assert told(run).point == RUNG_2
    assert reads_again(run, 75, seconds=29.9).point == RUNG_2
    assert reads_again(run, 75, seconds=0.1).point == DAY
    assert reads_again(run, 75, seconds=1).point == DAY


def test_an_old_reading_is_no_reason_for_another_step() -> None:
    run = warm(75)
    told(run)
    run.now += timedelta(seconds=60)
    assert told(run).point == RUNG_2


def test_below_the_lowest_point_it_is_paused_and_one_that_cannot_stays_at_its_floor() -> None:
    run = warm(75)
    command = steps_down_to(run, ceiling_w=0)
    assert (command.point.is_pause, command.code) == (True, "too_hot_pause")
    unpausable = reads(CoreRun(rules()), 75, LOWEST, ladder=WITHOUT_PAUSE)
    assert (told(unpausable).point, told(unpausable).code) == (LOWEST, "cannot_pause")


def test_it_is_restored_step_by_step_after_the_dwell_well_below_the_limit() -> None:
    run = warm(75)
    told(run)
    assert reads_again(run, 75, seconds=30).point == DAY
    assert reads_again(run, 66).code == "cooling"
    assert reads_again(run, 66, seconds=1000).point == DAY, "five degrees are not four"
    assert reads_again(run, 65).code == "cool"
    assert reads_again(run, 65, seconds=299).point == DAY
    assert reads_again(run, 65, seconds=1).point == RUNG_2
    assert reads_again(run, 65, seconds=299).point == RUNG_2
    command = reads_again(run, 65, seconds=1)
    assert (command.point, command.ceiling_w) == (NORMAL, None)


def test_a_warm_moment_begins_the_cooling_anew_and_a_hot_one_is_answered_at_once() -> None:
    run = warm(75)
    told(run)
    reads_again(run, 60)
    reads_again(run, 68, seconds=200)
    assert reads_again(run, 60, seconds=10).point == RUNG_2
    assert reads_again(run, 60, seconds=299).point == RUNG_2
    assert reads_again(run, 60, seconds=1).point == NORMAL
    assert reads_again(run, 71).point == RUNG_2


def test_after_a_step_up_a_hot_reading_is_answered_although_a_step_was_just_made() -> None:
    run = CoreRun(replace(rules(), heat_step=timedelta(minutes=30)))
    reads(run, 75)
    told(run)
    assert reads_again(run, 75, seconds=3600).point == RUNG
    reads_again(run, 60)
    assert reads_again(run, 60, seconds=300).point == DAY
    assert reads_again(run, 71).point == RUNG


def test_a_step_starts_from_what_it_draws_even_where_another_rule_holds_it_lower() -> None:
    run = warm(75, max_w=13)
    assert told(run).point == RUNG, "the cap binds"
    assert limit_of(run, "overheat", "axe").ceiling_w == RUNG_2.power_w
    assert reads_again(run, 75, seconds=30).point == LOWEST, "and from there heat takes it lower"


def test_between_two_points_it_counts_as_the_upper_one() -> None:
    run = reads(CoreRun(rules()), 75, point=None, voltage_mv=1180, frequency_mhz=480)
    assert told(run).point == DAY


@pytest.mark.parametrize("state", [MinerState.HASHING, MinerState.FAULT, MinerState.UNKNOWN])
def test_no_temperature_limits_to_the_lowest_point(state: MinerState) -> None:
    command = told(reads(CoreRun(rules()), None, state=state))
    assert command.code == "temperature_unknown"
    assert command.ceiling_w == LOWEST.power_w


def test_a_regulator_that_was_measured_and_is_not_any_more_is_unknown() -> None:
    run = reads(CoreRun(rules()), 60, regulator_temperature_celsius=80)
    told(run)
    assert reads_again(run, 60).code == "temperature_unknown"
    assert reads_again(run, 71).code == "too_hot_pause", "one that is known to be too hot is enough"


def test_a_temperature_that_comes_back_must_stay() -> None:
    run = reads(CoreRun(rules()), None)
    told(run)
    assert reads_again(run, 60).code == "temperature_back"
    assert reads_again(run, None).code == "temperature_unknown"
    reads_again(run, 60)
    assert reads_again(run, 60, seconds=29).point == LOWEST
    assert reads_again(run, 60, seconds=1).point == NORMAL


def test_heat_is_not_forgotten_while_nobody_can_measure_it() -> None:
    run = warm(75)
    told(run)
    assert reads_again(run, None).point == LOWEST
    assert reads_again(run, 60).code == "cool"
    assert reads_again(run, 60, seconds=60).point == LOWEST, "restored as after heat, not as after a bad sensor"


def test_a_paused_miner_starts_at_its_lowest_point_and_goes_on_when_it_has_been_measured() -> None:
    run = paused(CoreRun(rules()))
    assert told(run).point == LOWEST
    assert reads_again(run, None, state=MinerState.RAMPING).point == LOWEST
    assert limit_of(run, "overheat", "axe").code == "not_measured"
    reads_again(run, 50)
    assert reads_again(run, 50, seconds=30).point == NORMAL


def test_one_that_was_paused_for_heat_rests_and_starts_at_its_lowest_point() -> None:
    run = warm(75)
    steps_down_to(run, ceiling_w=0)
    assert rests(run, 5).code == "cooling_paused"
    assert rests(run, 295).point.is_pause
    assert rests(run, 1).point == LOWEST
    assert reads_again(run, 60).point == LOWEST
    assert reads_again(run, 60, seconds=300).point == RUNG


def test_what_cannot_be_read_keeps_its_limit_and_cools_no_further() -> None:
    run = warm(75)
    told(run)
    reads_again(run, 60)
    for _ in range(20):
        run.wait(30).miner("axe", None)
        assert told(run).ceiling_w == RUNG_2.power_w
    assert limit_of(run, "overheat", "axe").code == "heat_unread"
    assert reads_again(run, 60).point == RUNG_2
    assert reads_again(run, 60, seconds=300).point == NORMAL


def test_firmware_that_has_protected_itself_goes_on_one_step_lower() -> None:
    run = warm(68)
    told(run)
    since = run.now
    command = reads_again(run, 76, protected_since=since, state=MinerState.FAULT)
    assert (command.point, command.code) == (RUNG_2, "protected")
    assert reads_again(run, None, protected_since=since, state=MinerState.RAMPING).point == RUNG_2
    assert reads_again(run, 50, seconds=900, protected_since=since).point == RUNG_2, "as long as it is held"
    assert reads_again(run, 71, protected_since=since).point == DAY, "and heat is answered meanwhile"
    reads_again(run, 50, protected_since=since)
    assert reads_again(run, 50, seconds=300, protected_since=since).point == RUNG_2
    assert reads_again(run, 50, seconds=900, protected_since=since).point == RUNG_2
    reads_again(run, 50)
    assert reads_again(run, 50, seconds=300).point == NORMAL


def test_protection_at_the_lowest_point_leaves_it_there() -> None:
    run = reads(CoreRun(rules(max_w=11)), 68)
    assert told(run).point == LOWEST
    assert reads_again(run, 68, protected_since=run.now).ceiling_w == LOWEST.power_w


def test_nobody_can_silence_it() -> None:
    run = warm(75).override("axe", OverrideKind.FORCE_ON, until=CoreRun(rules()).now + timedelta(hours=1))
    assert told(run).point == RUNG_2


def test_a_restarted_engine_goes_on_where_the_other_was() -> None:
    run = warm(75)
    told(run)
    reads_again(run, 60)
    run.wait(60)
    run.restart()
    assert told(run).point == RUNG_2
    assert reads_again(run, 60, seconds=239).point == RUNG_2
    assert reads_again(run, 60, seconds=1).point == NORMAL


def test_a_hot_miner_without_a_ladder_can_only_be_paused() -> None:
    run = CoreRun(rules())
    run.miner("axe", MinerState.HASHING, None, chip_temperature_celsius=80)
    assert told(run).point.is_pause


def test_without_limits_it_does_not_concern_a_miner() -> None:
    plain = replace(rules(), miners={"axe": MinerRules()})
    run = reads(CoreRun(plain), 99)
    assert told(run).point == NORMAL
    assert "overheat" not in {limit.policy for limit in told(run).limits}
    assert reading(run.now, MinerState.HASHING, LADDER).chip_temperature_celsius is None
