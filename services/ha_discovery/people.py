"""What people want of a miner or group, as its controls show it. Pure."""

from datetime import datetime, timedelta

from services.ha_discovery.known import in_force
from services.ha_discovery.orders import AUTOMATIC, FORCED_FOR_MINUTES, OFF, STANDS
from services.ha_discovery.shown import Values
from shared.messages import Override, OverrideKind

_TOLERATED = timedelta(seconds=90)


def automatic(override: Override | None, now: datetime) -> Values:
    """The switch, and the override as it stands, which the controls say again where they must not end it."""
    stands = None if override is None or override.kind is OverrideKind.AUTOMATIC else override
    return {
        "automatic": in_force(override, OverrideKind.PAUSE, now) is None,
        STANDS: None if stands is None else stands.model_dump_json(exclude_none=True),
    }


def forced_for(override: Override | None, now: datetime) -> str | None:
    """The duration that was chosen; None for one that is not among the options."""
    forced = in_force(override, OverrideKind.FORCE_ON, now)
    if forced is None or forced.until is None:
        return OFF
    length = forced.until - forced.at
    near = (
        name for name, minutes in FORCED_FOR_MINUTES.items() if abs(length - timedelta(minutes=minutes)) <= _TOLERATED
    )
    return next(near, None)


def profile(chosen: str | None, profiles: tuple[str, ...]) -> str | None:
    """The chosen point; None for one that is not among the options."""
    if chosen is None:
        return AUTOMATIC
    return chosen if chosen in profiles else None


def setting(chosen: float | None, of_file: float | None) -> float | None:
    """What holds: the choice, else the farm file's."""
    return of_file if chosen is None else chosen
