"""What a driver is: the one module that knows the oddities of a kind of device."""

from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)
C_contra = TypeVar("C_contra", contravariant=True)


class DeviceError(Exception):
    """A device did not do what was asked. `code` is stable, `sentence` is for people; neither holds a secret."""

    code = "device_error"

    def __init__(self, sentence: str, *, retry_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.retry_seconds = retry_seconds


class UnreachableError(DeviceError):
    """No answer: refused, timed out, reset, or no such name."""

    code = "unreachable"


class UnauthorizedError(DeviceError):
    """The device does not accept our password or token."""

    code = "unauthorized"


class BusyError(DeviceError):
    """The device asked to be left alone for a while; `retry_seconds` says for how long."""

    code = "busy"


class NonsenseError(DeviceError):
    """An answer that cannot be understood: not JSON, a missing state, another device's answer."""

    code = "nonsense"


class RefusedError(DeviceError):
    """The device understood and said no."""

    code = "refused"


class DriverFailedError(DeviceError):
    """The driver itself failed, by an error that nobody foresaw."""

    code = "driver_failed"


@dataclass(frozen=True)
class Step:
    """One bounded step was done, or nothing needed to be. It proves nothing: the next reading does."""

    look_again_seconds: float
    on_the_way: bool = False
    """True while the device is moving (a rung of a ramp, shutting down): such a step is not counted as a vain try."""
    patience_seconds: float = 300.0
    """How long since the first step towards the goal it may go on moving before each look counts as a vain try."""


class Device(Protocol[R, C_contra]):
    """One physical unit. Called by one thread only; each call is bounded in time and never sleeps.

    The law for every driver: within a bounded number of rounds of `read` and `apply`, `read` is settled.
    """

    def read(self) -> R:
        """Asks the device. Raises DeviceError; never answers from memory."""

    def settled(self, reading: R, command: C_contra) -> bool:
        """Whether the reading is what the command asks for."""

    def apply(self, command: C_contra, reading: R) -> Step:
        """Does one bounded step towards the command. Raises DeviceError."""

    def recall(self, previous: R) -> None:
        """Is told once, before the first `apply`, what this device last reported, perhaps in another process."""

    def close(self) -> None:
        """Lets go of connections."""


@runtime_checkable
class Identifiable(Protocol):
    """What a device has, besides, that can show which machine it is: by a blink, or on its display. Optional."""

    def identify(self) -> None:
        """Shows it for a while, and then no more by itself; bounded in time. Asked again meanwhile it goes on.

        Called after a good reading. Raises DeviceError.
        """


@runtime_checkable
class Restartable(Protocol[R_contra]):
    """What a device has, besides, whose own software can be asked to start anew. Optional.

    Asked only where the device is meant to work and its last reading shows that it was not stopped. After the restart
    it may be silent or starting for minutes; then `read` and `apply` bring it to its command as always.
    """

    def restart(self, reading: R_contra) -> None:
        """Asks for it once; bounded in time. `reading`: the last one.

        Raises RefusedError, UnauthorizedError or BusyError where it is sure that nothing was done: it may be asked
        again. Any other error leaves that open: it is not asked again.
        """
