"""Which command an agent follows: leases, epochs, grace, failsafe. Pure but for what it remembers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.messages import Action, Command, Following

C = TypeVar("C", bound=Command)

AHEAD_TOLERATED = timedelta(seconds=30)
LEASE_MAX = timedelta(days=1)


@dataclass(frozen=True)
class Held(Generic[C]):
    """A command and when its lease ends on our own clock."""

    command: C
    expires_at: datetime


class Lease(Generic[C]):
    """The newest acceptable command of one device. Written by the service's thread, read by the device's."""

    def __init__(self, born_at: datetime, grace: timedelta) -> None:
        self._born_at = born_at
        self._grace = grace
        self._held: Held[C] | None = None
        self._fence = -1
        self._fenced_until = born_at

    def raise_fence(self, epoch: int, now: datetime, lease: timedelta) -> None:
        """No command below this epoch is obeyed until lease plus grace have passed without word of it."""
        if epoch >= self._fence or now >= self._fenced_until:
            self._fence = epoch
            self._fenced_until = now + lease + self._grace

    def offer(self, command: C, now: datetime, *, retained: bool) -> str | None:
        """Takes a command, or says by a code why it is refused."""
        length = command.expires_at - command.at
        age = now - command.at
        refusal = self._refusal(command, length, age, now, retained=retained)
        if refusal is not None:
            return refusal
        # A live command counts from receipt; one from the broker's memory has been running since it was written.
        self._held = Held(command, now + length - (max(age, timedelta()) if retained else timedelta()))
        self.raise_fence(command.epoch, now, length)
        return None

    def _refusal(self, command: C, length: timedelta, age: timedelta, now: datetime, *, retained: bool) -> str | None:
        if age < -AHEAD_TOLERATED:
            return "from_the_future"
        if not timedelta() < length <= LEASE_MAX:
            return "lease_out_of_bounds"
        if not retained and age > length + AHEAD_TOLERATED:
            return "too_old"
        if command.epoch < self._fence and now < self._fenced_until:
            return "lower_epoch"
        held = self._held
        if held is not None and command.epoch == held.command.epoch and command.at < held.command.at:
            return "overtaken"
        return None

    def follow(self, now: datetime, *, emergency: bool) -> tuple[Following, C | None]:
        """What to act on now. A command comes with COMMAND and GRACE only."""
        if emergency:
            return Following.EMERGENCY_STOP, None
        held = self._held
        if held is None:
            waiting = now < self._born_at + self._grace
            return (Following.NOTHING if waiting else Following.FAILSAFE), None
        if now < held.expires_at:
            return Following.COMMAND, held.command
        if now < held.expires_at + self._grace:
            return Following.GRACE, held.command
        return Following.FAILSAFE, None

    def age(self, command: C, now: datetime) -> timedelta | None:
        """How old a command is on our own clock: since its receipt; from the broker's memory, since it was written.

        None: another one is held by now.
        """
        held = self._held
        if held is None or held.command is not command:
            return None
        return now - (held.expires_at - (command.expires_at - command.at))

    def suspended(self, now: datetime) -> bool:
        """Whether the last word of the engine was to leave the device alone, and that time has not passed."""
        held = self._held
        if held is None or held.command.action is not Action.MAINTENANCE:
            return False
        return held.command.suspended_until is None or now < held.command.suspended_until
