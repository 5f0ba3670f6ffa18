"""Restarts of a device's own software: which order is due, and that it is carried out once. The engine alone orders."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar, runtime_checkable

from shared.clock import Clock
from shared.device import BusyError, DeviceError, RefusedError, Restartable, UnauthorizedError
from shared.messages import RESTART_YOUNG_SECONDS, Command, Reported, Severity

log = logging.getLogger(__name__)

REFUSALS_MAX = 3
"""An order that was refused is tried again twice."""
RETRY_SECONDS = 10.0
YOUNG = timedelta(seconds=RESTART_YOUNG_SECONDS)
_SAID_NO = (RefusedError, UnauthorizedError, BusyError)
"""After these nothing was done. Whatever else goes wrong, the device may have heard: that counts as done."""

R = TypeVar("R", bound=Reported)
C = TypeVar("C", bound=Command)
R_contra = TypeVar("R_contra", bound=Reported, contravariant=True)
C_contra = TypeVar("C_contra", bound=Command, contravariant=True)

Tell = Callable[[str, Severity, str], None]


@runtime_checkable
class RestartRole(Protocol[R_contra, C_contra]):
    """What a role has, besides, whose commands can order a restart."""

    @property
    def last_restart_at(self) -> datetime | None:
        """The order of the last restart that was asked of the device, perhaps by another process."""

    def restart_at(self, command: C_contra, reading: R_contra) -> datetime | None:
        """The restart that a live command orders, where nothing in this reading forbids it."""

    def restarted(self, restart_at: datetime, now: datetime) -> None:
        """Is told of a restart that was asked of the device just now."""


class Orders:
    """Which orders of one device are still to be carried out. Pure but for what it remembers."""

    def __init__(self, born_at: datetime) -> None:
        """`born_at`: since when this process tends the device, on its own clock."""
        self._born_at = born_at
        self._refused: datetime | None = None
        self._refusals = 0
        self._next_at = 0.0

    def is_due(self, restart_at: datetime, last_at: datetime | None, age: timedelta, now: datetime) -> bool:
        """Whether an order may be carried out. `age`: by its command's own dates, and the time since that came."""
        if not timedelta() <= age < YOUNG or (last_at is not None and restart_at <= last_at):
            return False
        # Before our time another process may have carried it out and died before it could say so.
        return min(restart_at, now - age) > self._born_at

    def may_try(self, restart_at: datetime, seconds: float) -> bool:
        """Whether it was not refused too often, or just now. `seconds`: real time."""
        if self._refused is None or restart_at > self._refused:
            return True
        return restart_at == self._refused and self._refusals < REFUSALS_MAX and seconds >= self._next_at

    def refused(self, restart_at: datetime, seconds: float, retry_seconds: float | None) -> bool:
        """Takes note of a refusal at this real time. True: it is given up."""
        self._refusals = self._refusals + 1 if restart_at == self._refused else 1
        self._refused, self._next_at = restart_at, seconds + max(RETRY_SECONDS, retry_seconds or 0.0)
        return self._refusals >= REFUSALS_MAX


class Restarter(Generic[R, C]):
    """Asks one device for the restarts that are due. Called by the device's thread."""

    def __init__(self, device: Restartable[R], role: RestartRole[R, C], clock: Clock, tell: Tell) -> None:
        self._device = device
        self._role = role
        self._clock = clock
        self._tell = tell
        self._orders = Orders(clock.now())

    @classmethod
    def between(cls, device: object, role: object, clock: Clock, tell: Tell) -> "Restarter[R, C] | None":
        """None for a kind of device that has no restart."""
        if isinstance(device, Restartable) and isinstance(role, RestartRole):
            return cls(device, role, clock, tell)
        return None

    def attend(self, command: C, reading: R, command_age: timedelta | None) -> bool:
        """Carries out what a live command orders, if it is due. `command_age` None: a newer one has just come.

        True: the device was asked, and may have done it.
        """
        restart_at, now = self._role.restart_at(command, reading), self._clock.now()
        if restart_at is None or command_age is None:
            return False
        age = command.at - restart_at + command_age
        due = self._orders.is_due(restart_at, self._role.last_restart_at, age, now)
        if not due or not self._orders.may_try(restart_at, self._clock.seconds()):
            return False
        return self._ask(restart_at, reading, now)

    def _ask(self, restart_at: datetime, reading: R, now: datetime) -> bool:
        ordered, doubt = f"{restart_at:%H:%M:%S} UTC", ""
        try:
            self._device.restart(reading)
        except _SAID_NO as error:
            if self._orders.refused(restart_at, self._clock.seconds(), error.retry_seconds):
                sentence = f"refuses the restart ordered at {ordered}: {error.sentence}"
                self._tell("restart_refused", Severity.WARNING, sentence)
            return False
        except DeviceError as error:
            doubt = f"; whether it does is not known: {error.sentence}"
        except Exception as error:
            # Rather no restart than a second one.
            log.exception("a restart failed")
            doubt = f"; the driver failed: {type(error).__name__}"
        self._role.restarted(restart_at, now)
        self._tell("restart_asked", Severity.INFO, f"asked to restart, as ordered at {ordered}{doubt}")
        return True
