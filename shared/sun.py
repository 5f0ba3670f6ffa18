"""When the sun rises and sets on a day of a place. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

SunEvent = Literal["sunrise", "sunset"]

_HALF_A_DAY = timedelta(hours=12)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """Where on the earth, in degrees; north and east are positive."""

    latitude: float
    longitude: float


@lru_cache(maxsize=8192)
def sun_at(event: SunEvent, day: date, place: Place, zone: tzinfo) -> datetime:
    """The sunrise before, or the sunset after, the sun's noon on a day of this zone; in UTC.

    Where it does not rise, it counts as rising and setting at its noon, and where it does not set, at its midnight:
    what short and long days come to in the end.
    """
    # Here, because most farms have no use for the sun.
    from astral import Observer, SunDirection
    from astral.sun import SUN_APPARENT_RADIUS, elevation, time_of_transit

    observer = Observer(place.latitude, place.longitude)
    noon = _noon(day, place, zone)
    direction = SunDirection.RISING if event == "sunrise" else SunDirection.SETTING
    # Near midnight of UTC a day may have none, or two: those of its neighbours fill in, else carried over by a day.
    for carried in (timedelta(), _DAY, -_DAY):
        for offset in (0, -1, 1):
            try:
                at = time_of_transit(observer, noon.date() + offset * _DAY, 90 + SUN_APPARENT_RADIUS, direction)
            except ValueError:  # never so low, or so high
                continue
            away = noon - (at + carried) if event == "sunrise" else at + carried - noon
            if timedelta() <= away <= _HALF_A_DAY:
                return at + carried
    if elevation(observer, noon) < 0:
        return noon
    return noon - _HALF_A_DAY if event == "sunrise" else noon + _HALF_A_DAY


def _noon(day: date, place: Place, zone: tzinfo) -> datetime:
    """The sun's noon that is nearest to noon by the clock."""
    from astral import Observer
    from astral.sun import noon

    observer = Observer(place.latitude, place.longitude)
    by_clock = datetime.combine(day, time(12), zone).astimezone(UTC)
    noons = [noon(observer, by_clock.date() + offset * _DAY, tzinfo=UTC) for offset in (-1, 0, 1)]
    return min(noons, key=lambda at: abs(at - by_clock))
