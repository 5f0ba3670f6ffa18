"""Our token, and whether Home Assistant takes it: one answer for both doors, so that a wrong one is tried rarely."""

from shared.backoff import BackOff
from shared.clock import Clock

# Each refused try makes a "login attempt failed" notice in Home Assistant, and may get this machine banned.
_FIRST_SECONDS = 10.0
_LONGEST_SECONDS = 900.0


class TokenGate:
    """Closed for a while after each refusal. Shared by two threads: a race costs one more try, nothing else."""

    def __init__(self, token: str, clock: Clock, first_seconds: float = _FIRST_SECONDS) -> None:
        self.token = token
        self._clock = clock
        self._back_off = BackOff(first_seconds, _LONGEST_SECONDS)
        self._closed_until_seconds = 0.0

    def wait_seconds(self) -> float:
        """The real seconds until the token may be tried again; 0 when it may be now."""
        return max(0.0, self._closed_until_seconds - self._clock.seconds())

    def refused(self) -> None:
        self._closed_until_seconds = self._clock.seconds() + self._back_off.failed()

    def accepted(self) -> None:
        self._closed_until_seconds = 0.0
        self._back_off.succeeded()
