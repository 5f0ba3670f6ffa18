"""What people want: overrides, and the emergency stop."""

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, model_validator

from shared.messages.part import Message


class OverrideKind(StrEnum):
    """What a person wants of a miner or group; AUTOMATIC clears."""

    AUTOMATIC = "automatic"
    PAUSE = "pause"
    FORCE_ON = "force_on"
    MAINTENANCE = "maintenance"


class Override(Message):
    """One slot per miner or group; the last writer wins."""

    kind: OverrideKind
    by: str = "unknown"
    until: AwareDatetime | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _force_on_ends(self) -> Self:
        if self.kind is OverrideKind.FORCE_ON and self.until is None:
            message = "force_on needs `until`: it silences the battery rule and must end"
            raise ValueError(message)
        return self


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
