"""Unknown never becomes a number, a lease that is renewed never a message, and counted energy never less."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ha_discovery.energy import Meter, after_reading, recalled
from services.ha_discovery.known import MinerKnown, Moment
from services.ha_discovery.miner_shown import miner_shown, plug_shown
from services.ha_discovery.shown import SLOW_SECONDS, Shown, first, next_told
from shared.membership import Roster
from shared.messages import MinerState, MinerTelemetry, PlugTelemetry
from shared.settings import FarmSettings
from tests.shown_farm import FARM, LADDER, decision, renewed

START = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)
SETTINGS = FarmSettings.model_validate(FARM).miners["axe-1"]
POLL = 10.0
FIGURES = {
    "hashrate": "hashrate_ths",
    "power": "power_w",
    "chip_temperature": "chip_temperature_celsius",
    "regulator_temperature": "regulator_temperature_celsius",
    "shares": "shares_accepted",
    "uptime": "uptime_seconds",
}

some = st.none() | st.floats(0, 5000)
readings = st.fixed_dictionaries(
    {
        "reachable": st.booleans(),
        "state": st.sampled_from(MinerState),
        "power_w": some,
        "hashrate_ths": some,
        "chip_temperature_celsius": some,
        "regulator_temperature_celsius": some,
        "shares_accepted": st.none() | st.integers(0, 10**9),
        "uptime_seconds": some,
        "by": st.sampled_from([None, "an-agent-that-nobody-hears"]),
    }
)


def told(reading: dict[str, Any], at: datetime = START) -> MinerTelemetry:
    return MinerTelemetry.model_validate({"at": at, "driver": "bitaxe", "ladder": LADDER, **reading})


def moment(seconds: float) -> Moment:
    return Moment(START + timedelta(seconds=seconds), seconds, POLL, Roster())


@given(readings, st.none() | st.floats(0, 100), st.floats(100, 10_000))
def test_what_is_not_known_is_shown_as_unknown(
    reading: dict[str, Any], heard_seconds: float | None, seconds: float
) -> None:
    known = MinerKnown(telemetry=told(reading), heard_seconds=heard_seconds)
    shown = miner_shown(SETTINGS, known, moment(seconds))
    young = heard_seconds is not None and seconds - heard_seconds <= 3 * POLL
    assert shown.available == (reading["reachable"] and young and reading["by"] is None)
    for key, field in FIGURES.items():
        assert (shown.values[key] is not None) == (shown.available and reading[field] is not None)
    if shown.values["efficiency"] is not None:
        assert reading["state"] is MinerState.HASHING
        assert reading["power_w"] is not None
        assert reading["hashrate_ths"] >= 0.01


@given(st.booleans(), st.none() | st.booleans(), some, st.floats(0, 1000))
def test_an_outlet_that_does_not_tell_is_neither_on_nor_off(
    reachable: bool, on: bool | None, power_w: float | None, seconds: float
) -> None:
    plug = PlugTelemetry(at=START, reachable=reachable, on=on, power_w=power_w)
    shown = plug_shown(MinerKnown(plug=plug, plug_heard_seconds=0.0), moment(seconds), POLL)
    there = reachable and seconds <= 3 * POLL
    assert shown.values["plug_on"] is (on if there else None)
    assert (shown.values["plug_power"] is None) == (not there or power_w is None)


@given(readings, st.lists(st.floats(0.1, 3600), min_size=1, max_size=10))
def test_a_renewed_lease_is_never_worth_a_message(reading: dict[str, Any], gaps: list[float]) -> None:
    command = decision(START)
    known = MinerKnown(telemetry=told(reading), heard_seconds=0.0, command=command)
    said = first(miner_shown(SETTINGS, known, moment(0)), 0.0)
    seconds = 0.0
    for gap in gaps:
        seconds += gap
        command = renewed(command, START + timedelta(seconds=seconds))
        known = replace(known, command=command)
        # All else stands still: it is looked at as at the beginning.
        assert next_told(said, miner_shown(SETTINGS, known, moment(0)), seconds) is None


steps = st.tuples(st.floats(0, 100), st.none() | st.floats(0, 1_000_000), st.sampled_from(["read", "restart", "older"]))


@given(st.lists(steps, max_size=40))
def test_energy_never_falls(lived: list[tuple[float, float | None, str]]) -> None:
    meter, at, seconds = Meter(), START, 0.0
    shown: list[float] = []
    for gap, power_w, what in lived:
        seconds += gap
        at += timedelta(seconds=gap)
        if what == "restart":
            meter = recalled(Meter(), shown[-1] if shown else None)
        moved = at - timedelta(hours=1) if what == "older" else at
        meter = after_reading(meter, power_w, moved, seconds, POLL)
        known = MinerKnown(meter=meter)
        energy = miner_shown(SETTINGS, known, moment(seconds)).values["energy"]
        assert isinstance(energy, float)
        assert not shown or energy >= shown[-1]
        shown.append(energy)


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0.1, 30))
def test_energy_is_the_area_under_the_power(first_w: float, second_w: float, seconds: float) -> None:
    meter = after_reading(Meter(), first_w, START, 0.0, POLL)
    meter = after_reading(meter, second_w, START + timedelta(seconds=seconds), seconds, POLL)
    taken = timedelta(seconds=seconds).total_seconds()
    assert abs(meter.kwh * 3_600_000 - (first_w + second_w) / 2 * taken) < 1e-3


values = st.fixed_dictionaries(
    {
        "power": st.none() | st.integers(0, 3),
        "uptime": st.none() | st.integers(0, 3),
        "energy": st.none() | st.integers(0, 3),
        "state": st.none() | st.sampled_from(["hashing", "paused"]),
    }
)
shown_things = st.builds(Shown, available=st.booleans(), values=values)


@given(shown_things, st.lists(st.tuples(st.floats(0.1, 40), shown_things), max_size=20))
def test_unknown_and_meaning_are_told_at_once_and_figures_in_time(
    begin: Shown, lived: list[tuple[float, Shown]]
) -> None:
    said, seconds = first(begin, 0.0), 0.0
    for gap, fresh in lived:
        seconds += gap
        due = next_told(said, fresh, seconds)
        waited = seconds - said.at_seconds
        said = due or said
        now = said.shown
        assert now.available == fresh.available
        for key, value in fresh.values.items():
            assert (now.values[key] is None) == (value is None), (
                "unknown is never shown as a value, nor a value as unknown"
            )
        assert now.values["state"] == fresh.values["state"]
        assert now.values["power"] == fresh.values["power"] or waited < 5.0
        for key in ("uptime", "energy"):
            young = seconds - said.changed_seconds[key] < SLOW_SECONDS[key]
            assert now.values[key] == fresh.values[key] or young or waited < 5.0
