"""The clocks. Everything that has to do with time gets one of these handed in.

`now()` is the farm's time: UTC, anchored once to the monotonic clock, so that an NTP step neither kills a lease nor
satisfies a dwell time. `seconds()` is real time for polling floors, retries, keepalives and waits. They differ only in
the demo, where the farm's time runs fast, and in simulation, where both are virtual.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

CLOCK_VARIABLE = "SUNHERD_CLOCK"


class Clock(Protocol):
    """Farm time and real time."""

    def now(self) -> datetime:
        """The farm's time, with zone UTC; never goes back."""

    def seconds(self) -> float:
        """Real seconds from an arbitrary start; never goes back."""

    def drift_seconds(self) -> float:
        """How far the machine's own clock has moved away from `now()` since the start."""


class SystemClock:
    """The machine's clock, read once, then carried by the monotonic clock. `rate`: farm seconds per real second."""

    def __init__(
        self, *, start: datetime | None = None, anchor_seconds: float | None = None, rate: float = 1.0
    ) -> None:
        self._anchor_seconds = time.monotonic() if anchor_seconds is None else anchor_seconds
        self._start = datetime.now(UTC) if start is None else start
        self.rate = rate

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(self.seconds() - self._anchor_seconds) * self.rate)

    def seconds(self) -> float:
        return time.monotonic()

    def drift_seconds(self) -> float:
        """A step of NTP shows here. 0 for a fast clock."""
        return 0.0 if self.rate != 1.0 else (datetime.now(UTC) - self.now()).total_seconds()

    @classmethod
    def from_variable(cls, text: str) -> "SystemClock":
        """The clock that `to_variable` describes."""
        anchor, start, rate = text.split(" ")
        return cls(start=datetime.fromisoformat(start), anchor_seconds=float(anchor), rate=float(rate))

    def to_variable(self) -> str:
        """The text by which another process on this machine makes the very same clock."""
        return f"{self._anchor_seconds!r} {self._start.isoformat()} {self.rate!r}"


class VirtualClock:
    """A clock that stands still until it is advanced: for tests and simulated farms."""

    def __init__(self, start: datetime = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._seconds = 1000.0

    def now(self) -> datetime:
        return self._now

    def seconds(self) -> float:
        return self._seconds

    def drift_seconds(self) -> float:
        return 0.0

    def advance(self, seconds: float) -> None:
        """Moves both times forward."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds


def clock_of_process() -> SystemClock:
    """The clock of this process: the fast one that `SUNHERD_CLOCK` describes, else the machine's."""
    text = os.environ.get(CLOCK_VARIABLE)
    return SystemClock.from_variable(text) if text else SystemClock()
