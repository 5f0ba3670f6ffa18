"""What hangs on an outlet: machines that lose their power, and a rig without an API that hangs by itself."""

from datetime import datetime, timedelta
from typing import Protocol

from shared.clock import Clock

CURES_AFTER_SECONDS = 3.0
"""A power supply holds its machine for so long: a shorter cut cures nothing."""
HANGING_PART = 0.15
"""A rig that hangs draws this part of its power."""
UNSTABLE_MINUTES = 10.0
BOOT_SECONDS = 2.0


class Load(Protocol):
    """Something that draws power from an outlet."""

    @property
    def power_w(self) -> float:
        """What it draws now."""

    def cut_power(self) -> None:
        """The outlet is off from now on."""

    def restore_power(self) -> None:
        """The outlet is on again."""


class Frailty:
    """Whether a machine hangs, and what cures it. Cuts are counted in real seconds, its own relapses in farm time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hangs = False
        self._relapse_after: timedelta | None = None
        self._relapse_at: datetime | None = None
        self._cut_at: float | None = None
        self.relapses = 0
        """How often it has hung by itself."""

    @property
    def powered(self) -> bool:
        return self._cut_at is None

    @property
    def hangs(self) -> bool:
        """Whether only a power cycle helps now."""
        if self.powered and self._relapse_at is not None and self._clock.now() >= self._relapse_at:
            self._hangs, self._relapse_at = True, None
            self.relapses += 1
        return self._hangs

    def hang(self) -> None:
        """It hangs from now on."""
        self._hangs = True

    def become_unstable(self, minutes: float | None = None) -> None:
        """It hangs now, and again so many minutes of the farm's time after each power cycle."""
        self._relapse_after = timedelta(minutes=UNSTABLE_MINUTES if minutes is None else minutes)
        self._hangs = True

    def mend(self) -> None:
        """It hangs no more, and will not again."""
        self._hangs, self._relapse_after, self._relapse_at = False, None, None

    def cut(self) -> None:
        if self._cut_at is None:
            self._cut_at = self._clock.seconds()

    def restore(self) -> bool:
        """Whether the machine was without power for long enough to begin anew."""
        if self._cut_at is None:
            return False
        long_enough = self._clock.seconds() - self._cut_at >= CURES_AFTER_SECONDS
        self._cut_at = None
        if long_enough:
            self._hangs = False
        if self._relapse_after is not None and not self._hangs:
            self._relapse_at = self._clock.now() + self._relapse_after
        return long_enough


class PlainRig:
    """A rig without an API: it hashes whenever it has power, until it hangs. Its outlet is its only switch."""

    def __init__(self, nominal_w: float, *, clock: Clock, boot_seconds: float = BOOT_SECONDS) -> None:
        self.nominal_w = nominal_w
        self.frailty = Frailty(clock)
        self.boots = 0
        """How often it has booted since it was made."""
        self._clock = clock
        self._boot_seconds = boot_seconds
        self._up_at = clock.seconds()

    @property
    def hashing(self) -> bool:
        """Whether it really computes."""
        return self.frailty.powered and not self.frailty.hangs and self._clock.seconds() >= self._up_at

    @property
    def power_w(self) -> float:
        if not self.frailty.powered:
            return 0.0
        return self.nominal_w if self.hashing else self.nominal_w * HANGING_PART

    def hang(self) -> None:
        """It draws little and finds nothing. Only a power cycle helps."""
        self.frailty.hang()

    def cut_power(self) -> None:
        self.frailty.cut()

    def restore_power(self) -> None:
        if not self.frailty.powered:
            self.frailty.restore()
            self.boots += 1
            self._up_at = self._clock.seconds() + self._boot_seconds

    def mend(self) -> None:
        """It hangs no more."""
        self.frailty.mend()
