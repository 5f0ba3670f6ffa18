"""What services say of themselves, and what happened."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.messages.part import Code, Identifier, Message, Number


class EngineEpoch(Message):
    """The epoch of the engine in charge; agents refuse commands below it."""

    engine: Identifier
    epoch: Annotated[int, Field(ge=0)]


class Severity(StrEnum):
    """How loudly an event should be told."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Event(Message):
    """Something that happened once and that a person may want to hear of."""

    code: Code
    severity: Severity = Severity.INFO
    sentence: str
    numbers: dict[str, Number] = Field(default_factory=dict)


class Presence(Message):
    """A replica's heartbeat and last will. Live only while heard: a retained `online` proves nothing."""

    service: Identifier
    instance: Identifier
    status: Literal["online", "offline"]
    farewell: bool = False
    """Of `offline`: it has ended in good order, and does nothing any more. A last will cannot say so."""
    version: str = ""
    started_at: AwareDatetime | None = None
    beat_seconds: Annotated[float, Field(gt=0)] = 5.0
    tends: int | None = None
    """How many physical units (devices, accounts, a site) are in its care."""
    holds: dict[str, int] = Field(default_factory=dict)
    """What it keeps as long as it lives, whoever joins, such as being the engine of a site. Of two that keep the same
    the one with the higher number has it: whoever took it over has seen the number before."""
    leaving: tuple[str, ...] = ()
    """Units that it has given up, while its last step with them still lasts: nobody else begins with them yet."""
    lost: tuple[str, ...] = ()
    """Replicas that it has lost without a farewell: they may live, cut off, and act on what was theirs."""
    knows: tuple[str, ...] | None = None
    """The replicas among which it takes the units to be shared; None where it does not share."""
    counts: dict[str, int] = Field(default_factory=dict)


class Barrier(Message):
    """A service's message to itself: when it comes back, retained memory has arrived."""

    nonce: str
