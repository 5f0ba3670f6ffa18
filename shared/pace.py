"""How many readings an agent begins per second, so that with a thousand devices commands still come through at once."""

import threading

READINGS_PER_SECOND = 100.0
READINGS_AT_ONCE = 20


class Pace:
    """Gives out turns: some at once, then evenly spaced. Shared by the threads of one agent."""

    def __init__(self, per_second: float = READINGS_PER_SECOND, at_once: int = READINGS_AT_ONCE) -> None:
        self._gap_seconds = 1.0 / per_second
        self._ahead_seconds = at_once * self._gap_seconds
        self._used_until = 0.0
        self._lock = threading.Lock()

    def turn(self, seconds: float) -> float:
        """Takes the next turn, at this real time; returns when it comes."""
        with self._lock:
            self._used_until = max(self._used_until, seconds) + self._gap_seconds
            return max(seconds, self._used_until - self._ahead_seconds)


class Place:
    """One device's place among the others. `apart_seconds`: its readings are never closer together."""

    def __init__(self, pace: Pace, apart_seconds: float = 0.0) -> None:
        self._pace = pace
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
