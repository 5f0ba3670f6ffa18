"""What holds of the checker and of the plan for any seed and any trouble."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos import power, tending
from tests.chaos.checker import check
from tests.chaos.drills import DRILLS, Drill
from tests.chaos.field import cast_of
from tests.chaos.history import Control, Look
from tests.chaos.plan import (
    ACTIVE,
    AGENT,
    BROKER,
    ENGINE,
    SOURCE,
    TOGETHER_MAX,
    Blow,
    Trouble,
    battery,
    drill,
    plan,
)
from tests.unit.chaos.made_history import CALM_SECONDS, FALLS, RISES, SECONDS, STOPPED, TENDERS, made, trouble

WHOM = ["vnish_agent-1", "vnish_agent-2", "vnish_agent-3", "policy_engine-1", "soc_bridge-1", BROKER, SOURCE, "m0"]
BLOWS = [blow for blow in Blow if blow is not Blow.SKEW]
CAST = cast_of(3, 50)
UNHURRIED = settings(deadline=None)
"""How long a busy machine takes says nothing about the checker."""


@st.composite
def troubles(draw: st.DrawFn) -> Trouble:
    begins = draw(st.floats(0, SECONDS - 1))
    whom = draw(st.sampled_from(WHOM))
    return trouble(draw(st.sampled_from(BLOWS)), whom, begins, draw(st.floats(begins, SECONDS)))


@UNHURRIED
@given(st.lists(troubles(), max_size=8))
def test_troubles_that_nobody_felt_break_nothing(done: list[Trouble]) -> None:
    history = made()
    history.done = done
    assert check(history).broken == ()


@UNHURRIED
@given(st.lists(troubles(), max_size=4), st.integers(0, 1))
def test_no_trouble_of_another_miner_excuses_a_miner(done: list[Trouble], number: int) -> None:
    """One that never stops is found, whatever hangs beside it."""
    device = f"m{number}"
    history = made()
    history.done = [replace(one, whom=f"m{1 - number}", blow=Blow.HANG) for one in done]
    history.looks = [Look(one.at, one.busy | {device}) for one in history.looks]
    assert {(one.rule, one.whom) for one in check(history).broken} == {(power.STOPS, device)}


@UNHURRIED
@given(st.floats(STOPPED + 1, RISES - 0.1), st.sampled_from(sorted(TENDERS)))
def test_no_moment_is_good_for_a_start_on_an_empty_battery(at: float, device: str) -> None:
    history = made()
    if at > FALLS + history.times.reaction:
        history.controls.append(Control(at, device, TENDERS[device], starts=True, took=True))
        assert [one.rule for one in check(history).broken] == [power.STARTS]


@UNHURRIED
@given(st.floats(1, SECONDS + CALM_SECONDS - 45), st.floats(17, 29))
def test_no_silence_of_a_device_goes_unnoticed(at: float, lasting: float) -> None:
    history = made()
    history.told = [one for one in history.told if one.device != "m1" or not at <= one.at < at + lasting]
    assert {one.rule for one in check(history).broken} == {tending.ALWAYS_TENDED}


@UNHURRIED
@given(st.integers(0, 10_000), st.sampled_from([60.0, 120.0, 600.0]))
def test_a_plan_is_bounded_and_comes_from_its_seed(seed: int, seconds: float) -> None:
    planned = plan(seed, seconds, CAST)
    assert planned == plan(seed, seconds, CAST)
    assert planned
    assert all(0 < one.begins < one.ends <= seconds for one in planned)
    for one in planned:
        beside = [other for other in planned if other.begins <= one.begins < other.ends]
        assert len({(other.blow, other.ends) for other in beside}) <= TOGETHER_MAX
        assert [other.whom for other in beside].count(one.whom) == 1, "never two on the same one"


def test_two_minutes_strike_everybody() -> None:
    struck = {CAST.service_of(one.whom) or one.whom for seed in range(3) for one in plan(seed, 120.0, CAST)}
    assert {ENGINE, AGENT, "soc_bridge", BROKER, SOURCE} <= struck


def test_half_an_hour_has_every_kind_of_trouble_and_moments_without_any() -> None:
    planned = plan(1, 1800.0, CAST)
    assert {one.blow for one in planned} == set(Blow)
    ends = itertools.accumulate((one.ends for one in planned), max)
    pauses = [after.begins - end for end, after in zip(ends, planned[1:], strict=False)]
    assert sum(pause > 20 for pause in pauses) >= 10


@UNHURRIED
@given(st.integers(0, 1000), st.sampled_from([120.0, 1800.0]))
def test_the_battery_ends_full_and_never_stands_on_a_bound(seed: int, seconds: float) -> None:
    steps = battery(seed, seconds)
    assert steps[0].percent == steps[-1].percent == 99.5
    assert steps[-1].begins == seconds
    assert all(step.percent % 1 == 0.5 for step in steps)
    assert any(step.percent < 45 for step in steps)


def test_long_lows_last_longer_than_any_bound() -> None:
    times = made().times
    steps = battery(1, 1800.0)
    lows = [after.begins - step.begins for step, after in itertools.pairwise(steps) if step.percent < 45]
    assert max(lows) > times.stale_pause + times.alone + times.untended + times.reaction


def test_a_drill_strikes_in_turn() -> None:
    planned = drill(Blow.KILL, (ACTIVE,), 20, 4.0, 16.0)
    assert len(planned) == 20
    assert {one.whom for one in planned} == {ACTIVE}
    turns = [one.whom for one in drill(Blow.KILL, ("a", "b"), 4, 1.0, 5.0)]
    assert turns == ["a", "b", "a", "b"]


@pytest.mark.parametrize("one", DRILLS, ids=lambda one: one.option)
def test_every_drill_strikes_somebody_who_is_there(one: Drill) -> None:
    planned, seconds = one.troubles(CAST, 4)
    assert len(planned) == 4
    assert planned[-1].ends < seconds
    assert all(CAST.service_of(trouble.whom) is not None or trouble.whom == ACTIVE for trouble in planned)
