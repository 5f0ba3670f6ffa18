"""What the firmware does against heat, and what we do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.bitaxe_agent.parse import Readout
from services.bitaxe_agent.protection import (
    LEAVE_ALONE,
    LOCAL_DWELL,
    STAY_LOWER,
    HeatLimits,
    Phase,
    Protection,
    must_be_cleared,
)
from services.bitaxe_agent.setting import REST, Setting

NIGHT = Setting(1250, 550)
LOWERED = Setting(1150, 450)
START = datetime(2026, 6, 21, 20, 0, tzinfo=UTC)


class Watch:
    """A protection that is shown readings of a device."""

    def __init__(self) -> None:
        self.protection = Protection(HeatLimits(70, 100))
        self.now = START
        self.known: frozenset[Setting] = frozenset()

    def see(self, minutes: float = 0.2, **told: Any) -> Phase:
        """One more reading."""
        self.now += timedelta(minutes=minutes)
        readout = Readout(**{"setting": NIGHT, "chip_celsius": 60.0, "automatic_fan": True, **told})
        self.protection.look(readout, self.known, NIGHT, self.now)
        self.known = frozenset() if readout.setting is None else frozenset({readout.setting})
        return self.protection.phase

    def is_hot(self, minutes: float = 0.2, **told: Any) -> bool:
        """One more reading, for our own limit."""
        self.see(minutes, **told)
        return self.protection.is_hot


@pytest.fixture
def watch() -> Watch:
    watch = Watch()
    assert watch.see() is Phase.NONE
    return watch


@pytest.mark.parametrize(
    "told",
    [
        {"setting": REST, "overheat_mode": True, "automatic_fan": False, "fan_percent": 100},
        {"setting": REST},
        {"setting": LOWERED},
        {"setting": LOWERED, "automatic_fan": False, "fan_percent": 100},
        {"setting": Setting(1180, 450)},
        {"overheat_mode": True},
        {"automatic_fan": False, "fan_percent": 100},
    ],
)
def test_each_of_its_signs_is_seen(told: dict[str, Any], watch: Watch) -> None:
    assert watch.see(**told) is Phase.COOLING
    assert watch.protection.trip is not None
    assert (watch.protection.trip.since, watch.protection.trip.most_mhz) == (watch.now, 450)


@pytest.mark.parametrize(
    "told",
    [
        {"setting": Setting(1150, 500)},
        {"setting": Setting(1250, 450)},
        {"setting": Setting(1100, 450)},
        {"setting": None},
        {"automatic_fan": False, "fan_percent": 40},
        {"automatic_fan": None},
        {"chip_celsius": None},
    ],
)
def test_what_others_may_have_done_is_no_sign(told: dict[str, Any], watch: Watch) -> None:
    assert watch.see(**told) is Phase.NONE


def test_at_first_sight_a_device_at_rest_has_been_protected() -> None:
    watch = Watch()
    assert watch.see(setting=REST) is Phase.COOLING
    assert watch.protection.trip is not None
    assert watch.protection.trip.most_mhz == 450, "below what is usual"


def test_several_signs_one_after_the_other_are_one_event(watch: Watch) -> None:
    watch.see(overheat_mode=True)
    since = watch.now
    watch.see(setting=LOWERED)
    watch.see(setting=LOWERED, automatic_fan=False, fan_percent=100)
    trip = watch.protection.trip
    assert trip is not None
    assert (trip.since, trip.most_mhz, trip.fan_was_automatic) == (since, 450, True)


def test_it_is_left_alone_until_it_is_known_to_be_cool(watch: Watch) -> None:
    watch.see(setting=LOWERED)
    wait = LEAVE_ALONE / timedelta(minutes=1)
    assert watch.see(wait - 1, setting=LOWERED) is Phase.COOLING
    assert watch.see(2, setting=LOWERED, chip_celsius=66.0) is Phase.COOLING
    assert watch.see(60, setting=LOWERED, chip_celsius=None) is Phase.COOLING, "unknown is not cool"
    assert watch.see(1, setting=LOWERED, regulator_celsius=99.0) is Phase.COOLING
    assert watch.see(1, setting=LOWERED, chip_celsius=65.0) is Phase.LOWER


def test_after_hours_it_is_over(watch: Watch) -> None:
    watch.see(setting=LOWERED)
    watch.see(15, setting=LOWERED)
    hours = STAY_LOWER / timedelta(minutes=1)
    assert watch.see(hours - 20, setting=LOWERED) is Phase.LOWER
    assert watch.see(10, setting=LOWERED) is Phase.NONE
    assert watch.protection.trip is None


def test_the_second_time_it_goes_lower_still(watch: Watch) -> None:
    watch.see(setting=LOWERED)
    watch.see(15, setting=LOWERED)
    assert watch.see(setting=Setting(1050, 350)) is Phase.COOLING
    assert watch.protection.trip is not None
    assert (watch.protection.trip.most_mhz, watch.protection.trip.since) == (350, watch.now)


@pytest.mark.parametrize(("setting", "most_mhz"), [(REST, 450), (LOWERED, 450), (Setting(1100, 400), 400)])
def test_an_earlier_process_had_noticed(setting: Setting, most_mhz: float) -> None:
    watch = Watch()
    watch.protection.recall(START - timedelta(minutes=2))
    assert watch.see(setting=setting, overheat_mode=setting == REST) is Phase.COOLING
    assert watch.protection.trip is not None
    assert (watch.protection.trip.since, watch.protection.trip.most_mhz) == (START - timedelta(minutes=2), most_mhz)


# --- our own limit


@pytest.mark.parametrize("told", [{"chip_celsius": 75.0}, {"regulator_celsius": 105.0}])
def test_far_above_the_owners_limit_is_hot_until_it_is_cool_for_a_while(told: dict[str, float], watch: Watch) -> None:
    almost = {key: value - 0.1 for key, value in told.items()}
    minutes = LOCAL_DWELL / timedelta(minutes=1)
    assert watch.is_hot(**almost) is False
    assert watch.is_hot(**told) is True
    assert watch.is_hot() is True, "cool for a moment only"
    assert watch.is_hot(minutes, chip_celsius=None) is True, "unknown is not cool"
    assert watch.is_hot(chip_celsius=66.0) is True
    assert watch.is_hot(chip_celsius=65.0) is False


def test_a_hot_regulator_is_hot_without_a_chip_temperature() -> None:
    limits = HeatLimits(70, 100)
    assert limits.excess_celsius(Readout(regulator_celsius=108)) == 8
    assert limits.excess_celsius(Readout(regulator_celsius=60)) is None
    assert limits.excess_celsius(Readout(chip_celsius=60)) == -10
    assert limits.excess_celsius(Readout(chip_celsius=60, regulator_celsius=99)) == -1


@pytest.mark.parametrize(
    ("setting", "mode", "must"), [(REST, True, True), (REST, False, False), (NIGHT, True, False), (None, True, True)]
)
def test_only_a_device_that_stays_in_its_mode_is_led_out(setting: Setting | None, *, mode: bool, must: bool) -> None:
    assert must_be_cleared(Readout(setting=setting, overheat_mode=mode)) is must
