"""The battery and the powers of a site."""

from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, model_validator

from shared.messages.part import Message, Percent


class UnknownReason(StrEnum):
    """Why the state of charge is not known."""

    UNAVAILABLE = "unavailable"
    """The source names the sensor and says `unavailable`."""
    UNKNOWN = "unknown"
    """The source says `unknown`, null, or an empty text."""
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    """A number below 0 or above 100: never clipped."""
    NO_SUCH_SENSOR = "no_such_sensor"
    UNAUTHORIZED = "unauthorized"
    UNREACHABLE = "unreachable"
    """The source does not answer."""
    UNCONFIRMED = "unconfirmed"
    """A value is known, but nobody has confirmed it for too long."""
    STARTING = "starting"
    """Nothing has been heard yet."""


class SiteTelemetry(Message):
    """The battery and the powers of the site, in one sign convention whatever the source uses."""

    source: str
    state_of_charge_percent: Percent | None = None
    unknown: UnknownReason | None = None
    detail: str = ""
    confirmed_at: AwareDatetime | None = None
    """When the source last answered with a valid state of charge, by the sender's clock; kept while unknown."""
    changed_at: AwareDatetime | None = None
    """When the state of charge last took a new value."""
    battery_w: float | None = None
    """Positive while the battery charges."""
    pv_w: float | None = None
    load_w: float | None = None
    grid_w: float | None = None
    """Positive while the site imports."""
    grid_available: bool | None = None

    @model_validator(mode="after")
    def _known_or_said_why(self) -> Self:
        if (self.state_of_charge_percent is None) == (self.unknown is None):
            message = "give either state_of_charge_percent or the reason why it is unknown"
            raise ValueError(message)
        return self
