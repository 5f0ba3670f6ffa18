"""What every kind of device has in common: it reports, and it follows commands that are leases."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.messages.part import Code, Identifier, Message


class Following(StrEnum):
    """What a miner's agent acts on at present."""

    COMMAND = "command"
    GRACE = "grace"
    """The lease has run out; the last command still stands until grace ends."""
    FAILSAFE = "failsafe"
    EMERGENCY_STOP = "emergency_stop"
    NOTHING = "nothing"
    """First start: only reading."""


class Reported(Message):
    """What every agent tells of a device: what it reads, what it follows, and whether the two agree."""

    reachable: bool
    problem: Code | None = None
    detail: str = ""
    following: Following = Following.NOTHING
    desired: str | None = None
    """What the agent tries to reach, by name."""
    settled: bool | None = None
    """Whether the reading agrees with `desired`; None while nothing is desired or nothing can be read."""
    epoch: int | None = None
    """The epoch of the command that is followed."""
    by: Identifier | None = None
    """The replica that tends it."""


class Action(StrEnum):
    """What an agent does with a command."""

    APPLY = "apply"
    OBSERVE = "observe"
    MAINTENANCE = "maintenance"


class Command(Message):
    """Desired state and a lease, for any kind of device."""

    engine: Identifier
    epoch: Annotated[int, Field(ge=0)]
    expires_at: AwareDatetime
    """The lease: only `expires_at - at` counts, from receipt on the agent's clock."""
    action: Action = Action.APPLY
    suspended_until: AwareDatetime | None = None
    """During maintenance: how long the agent leaves the device alone even when the engine is gone."""
