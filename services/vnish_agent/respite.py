"""How long a device is left alone after it has asked for it."""

from collections.abc import Callable

from shared.backoff import BackOff
from shared.clock import Clock
from shared.device import DeviceError

FIRST_SECONDS = 60.0
LONGEST_SECONDS = 900.0
LONGEST_ASKED_SECONDS = 3600.0


class Respite:
    """Grows from one failure to the next, and forgets them all at the first success."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._growing = BackOff(FIRST_SECONDS, LONGEST_SECONDS)
        self._until = 0.0
        self._again: Callable[[float], DeviceError] | None = None

    def begin(self, again: Callable[[float], DeviceError], asked_seconds: float = 0.0) -> DeviceError:
        """Starts a pause, at least as long as the device asked for; returns the error to raise."""
        length = max(FIRST_SECONDS, self._growing.failed(), min(asked_seconds, LONGEST_ASKED_SECONDS))
        self._until = self._clock.seconds() + length
        self._again = again
        return again(length)

    def over(self) -> None:
        """The device has accepted us."""
        self._growing.succeeded()
        self._again = None

    def waiting(self) -> bool:
        return self._again is not None and self._clock.seconds() < self._until

    def check(self) -> None:
        """Raises the error of the last failure while the pause lasts, so that nothing is sent."""
        if self._again is not None and self.waiting():
            raise self._again(self._until - self._clock.seconds())
