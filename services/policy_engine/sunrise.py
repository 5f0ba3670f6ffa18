"""When the sun rises next. Pure."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from astral import Observer
from astral.sun import sunrise


@lru_cache(maxsize=4096)
def next_sunrise(after: datetime, latitude: float, longitude: float) -> datetime | None:
    """The first sunrise after a time; None where the sun does not rise within two days, as beyond the polar circles."""
    observer = Observer(latitude, longitude)
    for days in range(-1, 3):
        try:
            rise = sunrise(observer, (after + timedelta(days=days)).date(), tzinfo=UTC)
        except ValueError:
            continue
        if rise > after:
            return rise
    return None
