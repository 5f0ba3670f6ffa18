"""A last reading, which may be acted upon while it is young."""

from typing import Generic, TypeVar

R = TypeVar("R")


class Young(Generic[R]):
    """The last reading, for as long as it may be acted upon without a new one."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._kept: R | None = None
        self._kept_until = 0.0

    def keep(self, reading: R, seconds: float) -> None:
        """A reading that has just been made, at this real time."""
        self._kept, self._kept_until = reading, seconds + self._seconds

    def forget(self) -> None:
        """It has been acted upon, or a new one is being made."""
        self._kept = None

    def at(self, seconds: float) -> R | None:
        """The reading, if at this real time there is one and it is young."""
        return self._kept if seconds <= self._kept_until else None
