"""Heat: what the firmware does about it by itself, and what we do when the owner's limits are exceeded by far.

Firmware that has protected itself is left alone to cool, then set lower than before for a while, never at once to what
it was: re-applying a setting would undo the protection. Pure but for what it remembers.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.bitaxe_agent.parse import Readout
from services.bitaxe_agent.setting import REST, SAME_MHZ, Setting

LEAVE_ALONE = timedelta(minutes=10)
STAY_LOWER = timedelta(hours=6)
LOCAL_MARGIN_CELSIUS = 5.0
"""So far above the owner's limit the driver acts by itself; up to there the policy engine does."""
COOL_MARGIN_CELSIUS = 5.0
LOCAL_DWELL = timedelta(minutes=5)
_LOWER_MV, _LOWER_MHZ = 100, 100.0
"""What firmware from 2.11 takes away by itself."""
_FULL_FAN_PERCENT = 99.0


@dataclass(frozen=True)
class HeatLimits:
    """The owner's limits."""

    chip_celsius: float = 70.0
    regulator_celsius: float = 100.0

    def excess_celsius(self, readout: Readout) -> float | None:
        """How far the hottest part is above its limit, below 0 while it is cooler; None: the chip's is unknown."""
        regulator = None if readout.regulator_celsius is None else readout.regulator_celsius - self.regulator_celsius
        if readout.chip_celsius is None:
            # A regulator that is known to be too hot is known to be too hot.
            return regulator if regulator is not None and regulator >= 0 else None
        return max(readout.chip_celsius - self.chip_celsius, -1000.0 if regulator is None else regulator)

    def is_cool(self, readout: Readout) -> bool:
        """Whether it is known to be well below the limits."""
        excess = self.excess_celsius(readout)
        return excess is not None and excess <= -COOL_MARGIN_CELSIUS


class Phase(StrEnum):
    """What the firmware's own protection asks of us."""

    NONE = "none"
    COOLING = "cooling"
    """It is left alone; lowering it is allowed."""
    LOWER = "lower"
    """It may be set again, but lower than it was."""


class Sign(StrEnum):
    """By what the firmware's protection shows."""

    MODE = "mode"
    SETTING = "setting"
    FAN = "fan"


@dataclass(frozen=True)
class Trip:
    """One time that the firmware has protected its device."""

    since: datetime
    most_mhz: float
    """It is not set higher than this meanwhile."""
    phase: Phase = Phase.COOLING
    fan_was_automatic: bool = False


class Protection:
    """What is remembered of one device's heat."""

    def __init__(self, limits: HeatLimits) -> None:
        self._limits = limits
        self._overheat_mode = False
        self._fan_automatic: bool | None = None
        self._recalled_since: datetime | None = None
        self._hot_since: datetime | None = None
        self.trip: Trip | None = None

    @property
    def phase(self) -> Phase:
        return Phase.NONE if self.trip is None else self.trip.phase

    @property
    def is_resting(self) -> bool:
        """Whether its firmware has acted and it is left alone."""
        return self.phase is Phase.COOLING

    @property
    def is_hot(self) -> bool:
        """Whether the owner's limits were exceeded by far, and it has not cooled since."""
        return self._hot_since is not None

    def recall(self, since: datetime | None) -> None:
        """What an earlier process had noticed."""
        self._recalled_since = since

    def look(self, readout: Readout, expected: frozenset[Setting], usual: Setting, now: datetime) -> None:
        """One reading. `expected`: what it may be set to by our own doing; `usual`: the owner's normal setting."""
        if self._recalled_since is not None:
            setting = readout.setting or REST
            most = usual.frequency_mhz - _LOWER_MHZ if setting.is_rest else setting.frequency_mhz
            self.trip = Trip(self._recalled_since, most)
            self._recalled_since, self._overheat_mode = None, readout.overheat_mode
        sign = self._sign(readout, expected)
        if sign is not None:
            self._begin(sign, expected, usual, now)
        self._overheat_mode = readout.overheat_mode
        self._fan_automatic = readout.automatic_fan
        self._pass_on(readout, now)
        self._watch_locally(readout, now)

    def _sign(self, readout: Readout, expected: frozenset[Setting]) -> Sign | None:
        """By what it shows that the firmware has acted since the reading before."""
        if readout.setting is not None and _was_set_lower(readout.setting, expected):
            return Sign.SETTING
        if readout.overheat_mode and not self._overheat_mode:
            return Sign.MODE
        taken = self._fan_automatic is True and readout.automatic_fan is False
        return Sign.FAN if taken and (readout.fan_percent or 0.0) >= _FULL_FAN_PERCENT else None

    def _begin(self, sign: Sign, expected: frozenset[Setting], usual: Setting, now: datetime) -> None:
        before = (setting.frequency_mhz for setting in expected if not setting.is_rest)
        most = max(before, default=usual.frequency_mhz) - _LOWER_MHZ
        automatic = self._fan_automatic is True
        known = self.trip
        if known is None:
            self.trip = Trip(now, most, fan_was_automatic=automatic)
            return
        # Mode, setting and fan may show one after the other: it is still the same event.
        since = known.since if known.phase is Phase.COOLING else now
        most = known.most_mhz if sign is Sign.FAN else min(most, known.most_mhz)
        self.trip = Trip(since, most, fan_was_automatic=automatic or known.fan_was_automatic)

    def _pass_on(self, readout: Readout, now: datetime) -> None:
        if self.trip is None:
            return
        age = now - self.trip.since
        if self.trip.phase is Phase.COOLING and age >= LEAVE_ALONE and self._limits.is_cool(readout):
            self.trip = replace(self.trip, phase=Phase.LOWER)
        elif self.trip.phase is Phase.LOWER and age >= STAY_LOWER and not readout.overheat_mode:
            self.trip = None

    def _watch_locally(self, readout: Readout, now: datetime) -> None:
        excess = self._limits.excess_celsius(readout)
        if excess is not None and excess >= LOCAL_MARGIN_CELSIUS:
            self._hot_since = self._hot_since or now
        elif self._hot_since is not None and now - self._hot_since >= LOCAL_DWELL and self._limits.is_cool(readout):
            self._hot_since = None


def _was_set_lower(setting: Setting, expected: frozenset[Setting]) -> bool:
    """Whether it is set as only the firmware's protection sets it, and not as we have known it."""
    if any(setting.same_as(other) for other in expected):
        return False
    return setting.is_rest or any(_is_lowered(setting, other) for other in expected)


def _is_lowered(setting: Setting, before: Setting) -> bool:
    """Whether it is as firmware from 2.11 leaves it: so much less frequency, and at most so much less voltage."""
    lost_mv, lost_mhz = before.voltage_mv - setting.voltage_mv, before.frequency_mhz - setting.frequency_mhz
    return abs(lost_mhz - _LOWER_MHZ) < SAME_MHZ and 0 < lost_mv <= _LOWER_MV


def must_be_cleared(readout: Readout) -> bool:
    """Whether the firmware waits for somebody to end its overheat mode: up to 2.10 it stays in it for ever."""
    return readout.overheat_mode and (readout.setting is None or readout.setting == REST)
