"""What the source has said of the site so far, and what may be told of it now. Pure: time is handed in.

What confirms a value: the source itself naming it, live (`Said` with `confirms`), or a sign of life that proves that
nothing newer is missing (`StandsBy`). What a broker merely remembered confirms nothing.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.soc_bridge.values import Unknown
from shared.messages import SiteTelemetry, UnknownReason


class Quantity(StrEnum):
    """What a source can tell; the names of the settings' keys."""

    STATE_OF_CHARGE = "state_of_charge"
    BATTERY_POWER = "battery_power"
    PV_POWER = "pv_power"
    LOAD_POWER = "load_power"
    GRID_POWER = "grid_power"
    GRID_AVAILABLE = "grid_available"


Value = float | bool


@dataclass(frozen=True)
class Said:
    """The source named a value, or said that it has none."""

    quantity: Quantity
    value: Value | Unknown
    confirms: bool = True
    asked_at: datetime | None = None
    """When the question was put to which this is the answer: it must not undo what was pushed since."""


@dataclass(frozen=True)
class StandsBy:
    """The source lives, and what it said last still holds."""


@dataclass(frozen=True)
class Silent:
    """The source does not answer, or not to us. What it said last stands until it is too old."""

    cause: Unknown


Word = Said | StandsBy | Silent


@dataclass(frozen=True)
class Reading:
    """One quantity. `value` is the last valid one and stands also while the source says otherwise (`unknown`)."""

    value: Value | None = None
    unknown: Unknown | None = None
    said_at: datetime | None = None
    confirmed_at: datetime | None = None
    changed_at: datetime | None = None

    def said(self, word: Said, at: datetime) -> "Reading":
        if word.asked_at is not None and self.said_at is not None and self.said_at > word.asked_at:
            return self
        if isinstance(word.value, Unknown):
            return replace(self, unknown=word.value, said_at=at)
        return Reading(
            value=word.value,
            said_at=at,
            confirmed_at=at if word.confirms else self.confirmed_at,
            changed_at=self.changed_at if word.value == self.value else at,
        )

    def confirmed(self, at: datetime) -> "Reading":
        if self.value is None or self.unknown is not None:
            return self
        return replace(self, confirmed_at=at)

    def stands(self, now: datetime, unconfirmed_after: timedelta) -> bool:
        """Whether the value may still be told. One without confirmation counts from when it was said."""
        since = self.confirmed_at or self.said_at
        return self.unknown is None and since is not None and now - since <= unconfirmed_after


_STARTING = Unknown(UnknownReason.STARTING, "Nothing has been heard from the source yet.")


@dataclass(frozen=True)
class SiteState:
    """All that is known. `trouble`: why the source does not answer at present."""

    source: str
    readings: dict[Quantity, Reading] = field(default_factory=dict)
    trouble: Unknown | None = None

    def of(self, quantity: Quantity) -> Reading:
        return self.readings.get(quantity, Reading())


def fold(state: SiteState, word: Word, at: datetime) -> SiteState:
    """The state after one more word of the source."""
    if isinstance(word, Silent):
        return replace(state, trouble=word.cause)
    if isinstance(word, StandsBy):
        readings = {quantity: reading.confirmed(at) for quantity, reading in state.readings.items()}
        return replace(state, readings=readings, trouble=None)
    readings = {**state.readings, word.quantity: state.of(word.quantity).said(word, at)}
    return replace(state, readings=readings, trouble=None if word.confirms else state.trouble)


def recall(state: SiteState, told: SiteTelemetry, now: datetime) -> SiteState:
    """Takes up what this service told last before a restart: its value keeps its age, and how long it stood still."""
    soc = state.of(Quantity.STATE_OF_CHARGE)
    value, confirmed_at = told.state_of_charge_percent, told.confirmed_at
    if confirmed_at is not None and confirmed_at > now:
        return state
    if soc.confirmed_at is None:
        changed_at = told.changed_at if soc.value in {None, value} else soc.changed_at
        remembered = replace(
            soc,
            value=value if soc.value is None and confirmed_at is not None else soc.value,
            confirmed_at=confirmed_at,
            changed_at=changed_at,
        )
    elif soc.value == value and told.changed_at is not None:
        remembered = replace(soc, changed_at=min(told.changed_at, soc.changed_at or now))
    else:
        return state
    return replace(state, readings={**state.readings, Quantity.STATE_OF_CHARGE: remembered})


def tell(state: SiteState, now: datetime, unconfirmed_after: timedelta) -> SiteTelemetry:
    """What may be told now."""
    soc = state.of(Quantity.STATE_OF_CHARGE)
    unknown = _why_unknown(state, now, unconfirmed_after)

    def value(quantity: Quantity) -> Value | None:
        reading = state.of(quantity)
        return reading.value if reading.stands(now, unconfirmed_after) else None

    available = value(Quantity.GRID_AVAILABLE)
    return SiteTelemetry(
        at=now,
        source=state.source,
        state_of_charge_percent=soc.value if unknown is None else None,
        unknown=None if unknown is None else unknown.reason,
        detail="" if unknown is None else unknown.detail,
        confirmed_at=soc.confirmed_at,
        changed_at=soc.changed_at,
        battery_w=value(Quantity.BATTERY_POWER),
        pv_w=value(Quantity.PV_POWER),
        load_w=value(Quantity.LOAD_POWER),
        grid_w=value(Quantity.GRID_POWER),
        grid_available=None if available is None else bool(available),
    )


def _why_unknown(state: SiteState, now: datetime, unconfirmed_after: timedelta) -> Unknown | None:
    soc = state.of(Quantity.STATE_OF_CHARGE)
    if soc.unknown is not None:
        return soc.unknown
    if soc.value is None:
        return state.trouble or _STARTING
    if soc.stands(now, unconfirmed_after):
        return None
    limit = f"not confirmed for more than {unconfirmed_after.total_seconds():g} s"
    if state.trouble is None:
        return Unknown(UnknownReason.UNCONFIRMED, f"The last value, {soc.value:g} %, is {limit}.")
    return replace(state.trouble, detail=f"{state.trouble.detail} The last value is {limit}.")
