"""How many readings an agent begins per second, so that with a thousand devices commands still come through at once."""

import threading

READINGS_PER_SECOND = 100.0
READINGS_AT_ONCE = 20
ROUND_SECONDS = 4.0
"""However many devices there are, turns are enough for each to be read as often as this: a poll of 5 s can be kept."""
READINGS_PER_SECOND_MAX = 250.0
"""More would keep a core so busy that a stop had to wait for it. Beyond 1,000 devices polls become slower instead."""


class Pace:
    """Gives out turns: some at once, then evenly spaced. Shared by the threads of one agent."""

    def __init__(self, per_second: float | None = None, at_once: int = READINGS_AT_ONCE) -> None:
        """`per_second` None: as many as the devices that have joined need."""
        self._per_second = per_second
        self._at_once = at_once
        self._devices = 0
        self._used_until = 0.0
        self._lock = threading.Lock()
        self._measure()

    def join(self) -> None:
        """One device more takes turns."""
        with self._lock:
            self._devices += 1
            self._measure()

    def _measure(self) -> None:
        needed = min(max(READINGS_PER_SECOND, self._devices / ROUND_SECONDS), READINGS_PER_SECOND_MAX)
        self._gap_seconds = 1.0 / (self._per_second or needed)
        self._ahead_seconds = self._at_once * self._gap_seconds

    def turn(self, seconds: float) -> float:
        """Takes the next turn, at this real time; returns when it comes."""
        with self._lock:
            self._used_until = max(self._used_until, seconds) + self._gap_seconds
            return max(seconds, self._used_until - self._ahead_seconds)


class Place:
    """One device's place among the others. `apart_seconds`: its readings are never closer together."""

    def __init__(self, pace: Pace, apart_seconds: float = 0.0) -> None:
        self._pace = pace
        pace.join()
        self._apart_seconds = apart_seconds
        self._turn_at: float | None = None
        self._free_at = 0.0
        self._in_haste = False

    def hurry(self) -> None:
        """The next reading waits for nobody. Callable from any thread."""
        self._in_haste = True

    def called(self) -> bool:
        """Whether the step that begins was hurried; the one after it is not."""
        called, self._in_haste = self._in_haste, False
        return called

    def wait_seconds(self, seconds: float, *, in_haste: bool = False) -> float:
        """How long until this device's turn, at this real time; 0 begins it. In haste it waits for itself alone."""
        wait = self._free_at - seconds
        if wait > 0:
            self._in_haste = self._in_haste or in_haste
            return wait
        if not in_haste:
            self._turn_at = self._turn_at or self._pace.turn(seconds)
            wait = self._turn_at - seconds
            if wait > 0:
                return wait
        self._turn_at = None
        self._free_at = seconds + self._apart_seconds
        return 0.0
