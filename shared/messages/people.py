"""What people want: overrides, requests, what they have chosen instead of the farm file, and the emergency stop."""

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from shared.messages.part import Code, Message, Number, Percent, Watts


class OverrideKind(StrEnum):
    """What a person wants of a miner or group; AUTOMATIC clears."""

    AUTOMATIC = "automatic"
    PAUSE = "pause"
    FORCE_ON = "force_on"
    MAINTENANCE = "maintenance"
    LIMIT = "limit"
    """At most `max_w`."""


class Override(Message):
    """One slot per miner or group; the last writer wins."""

    kind: OverrideKind
    by: str = "unknown"
    until: AwareDatetime | None = None
    reason: str = ""
    max_w: Watts | None = None
    """Of a limit: how many watts at most, of a group for all its members together."""

    @model_validator(mode="after")
    def _a_limit_says_how_much(self) -> Self:
        if (self.kind is OverrideKind.LIMIT) != (self.max_w is not None):
            message = "max_w belongs to a limit, and a limit needs it"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _force_on_ends(self) -> Self:
        if self.kind is OverrideKind.FORCE_ON and self.until is None:
            message = "force_on needs `until`: it silences the battery rule and must end"
            raise ValueError(message)
        return self


class RequestKind(StrEnum):
    """What a person may ask for once."""

    RESTART = "restart"
    """The miner's own software."""
    CYCLE = "cycle"
    """Its outlet off and on again."""
    CLEAR_UNSTABLE = "clear_unstable"
    """Forget the vain tries: one that was given up on is tried anew."""
    IDENTIFY = "identify"
    """Blink, or show on its display which machine it is. Its agent does it, whoever is in charge."""
    CHOOSE = "choose"
    """Other settings than those of the farm file."""


class Request(Message):
    """Asked once, of a miner or a group; never retained.

    The engine answers with an event of the same id, code `request_accepted` or `request_refused`, whose number
    `request` is this message's `at` in ISO form. A restart, a cycle and a clearing are of a miner only.
    """

    kind: RequestKind
    by: str = "unknown"
    choose: dict[Code, Number | None] = Field(default_factory=dict)
    """By the names of a `Choice`. What is not named stays as it is; None takes it back to the farm file."""


class Choice(Message):
    """What a person has chosen instead of the farm file, as the engine has found it sound. None: as in the file."""

    stop_soc: Percent | None = None
    resume_soc: Percent | None = None
    max_w: Watts | None = None
    """Of a group: of all its members together."""
    point: str | None = None
    """The name of an operating point of its ladder: at most that one, also where a schedule asks for another."""
    by: str = "unknown"


class EmergencyStop(Message):
    """The latch that every agent obeys by itself. Cleared only by an explicit `active: false`."""

    active: bool
    by: str = "unknown"
    reason: str = ""
    lifts: AwareDatetime | None = None
    """Of a resume: the `at` of the stop that its sender saw. One that was under way for long lifts no newer stop."""

    def ends(self, stop: "EmergencyStop | None") -> bool:
        """Whether this resume lifts that stop. Without `lifts` (an older sender) the senders' clocks must tell."""
        if self.active or stop is None:
            return not self.active
        return (self.lifts or self.at) >= stop.at
