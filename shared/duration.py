"""Durations as people write them: `90 s`, `10 min`, `12 h`, `1 d`, or a plain number of seconds."""

import re
from datetime import timedelta
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_UNITS = {"ms": 0.001, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*")


def parse_duration(value: object) -> timedelta:
    """A duration of at least 0. Raises ValueError with an example of the right form."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(_complaint(value))
    found = _FORM.fullmatch(str(value).lower())
    if found is None or (found[2] or "s") not in _UNITS:
        raise ValueError(_complaint(value))
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2] or "s"])
    except OverflowError as error:  # longer than any calendar
        raise ValueError(_complaint(value)) from error


def _complaint(value: object) -> str:
    return f"{value!r} is not a duration: write it like 90 s, 10 min, 12 h or 1 d"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]


def at_least(seconds: float) -> AfterValidator:
    """A validator for a duration that must not be shorter."""
    return AfterValidator(partial(not_below, seconds=seconds))


def not_below(value: timedelta, seconds: float) -> timedelta:
    """The value. Raises ValueError for one that is shorter."""
    if value < timedelta(seconds=seconds):
        message = f"{value.total_seconds():g} s is too short: give at least {seconds:g} s"
        raise ValueError(message)
    return value
