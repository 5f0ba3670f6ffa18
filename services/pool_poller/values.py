"""From what a pool writes to a number, a time or a name; None where it is unknown. Pure; never raises."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

HASHRATE_MAX_HS = 1e24
"""A thousand times what all miners of the world do together: more is nonsense."""
NAME_LETTERS_MAX = 256

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
# An exponent needs digits, so that 1.5E is 1.5 exa and 1e+03T is a thousand tera: ckpool writes both.
_HASHRATE = re.compile(rf"(?P<number>{_NUMBER.pattern})\s*(?P<unit>[a-z]?(h/?s?)?)", re.ASCII | re.IGNORECASE)
_UNIT = re.compile(r"(?P<prefix>[kmgtpez]?)(h(ash)?(es)?(/?s)?)?", re.ASCII | re.IGNORECASE)
_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21}
_LETTERS_MAX = 64

_MILLISECONDS_FROM = 1e11
"""As seconds this is the year 5138, as milliseconds 1973."""
_FIRST_BLOCK = datetime(2009, 1, 3, tzinfo=UTC)
"""Nobody mined before. Pools write 0, or a date long ago, for never."""


def number_of(said: Any) -> float | None:
    """A finite number, also where it is written as text; true and false are none."""
    if isinstance(said, str):
        text = said.strip()
        said = float(text) if len(text) <= _LETTERS_MAX and _NUMBER.fullmatch(text) else None
    if said is None or isinstance(said, bool) or not isinstance(said, int | float):
        return None
    try:
        number = float(said)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def unit_of(said: Any) -> float | None:
    """How many H/s a unit such as `Gh/s`, `TH/s` or `T` is. None where it is no unit of hashrate."""
    found = _UNIT.fullmatch(said.strip()) if isinstance(said, str) and len(said) <= _LETTERS_MAX else None
    return _FACTORS[found["prefix"].lower()] if found else None


def hashrate_of(said: Any, factor: float | None) -> float | None:
    """A hashrate in H/s. A unit within the text (`1.84T`, `90.75 TH/s`) stands above the factor."""
    if isinstance(said, str) and len(said) <= _LETTERS_MAX and (found := _HASHRATE.fullmatch(said.strip())):
        factor = unit_of(found["unit"]) if found["unit"] else factor
        said = found["number"]
    number = number_of(said)
    if number is None or factor is None or not 0 <= number * factor <= HASHRATE_MAX_HS:
        return None
    return number * factor


def sum_of(hashrates_hs: Sequence[float | None]) -> float | None:
    """The sum in H/s; unknown where there is nothing to add, or one of them is unknown."""
    known = [hashrate for hashrate in hashrates_hs if hashrate is not None]
    return sum(known) if known and len(known) == len(hashrates_hs) else None


def time_of(said: Any) -> datetime | None:
    """A time from seconds or milliseconds of the epoch, as number or text, or from ISO 8601 with a zone.

    Without a zone nobody knows when it was. Times in the future are passed on: whoever knows the pool's clock judges.
    """
    seconds = number_of(said)
    try:
        if seconds is not None:
            when = datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds, UTC)
        elif isinstance(said, str) and len(said) <= _LETTERS_MAX:
            when = datetime.fromisoformat(said.strip())
        else:
            return None
        when = when.astimezone(UTC) if when.tzinfo is not None else _FIRST_BLOCK
    except (ValueError, OverflowError, OSError):
        return None
    return when if when > _FIRST_BLOCK else None


def name_of(said: Any) -> str | None:
    """A worker's name; an empty one is a name, too. None where it cannot be one."""
    if isinstance(said, int) and not isinstance(said, bool) and abs(said) < 10**_LETTERS_MAX:
        said = str(said)
    return said.strip() if isinstance(said, str) and len(said) <= NAME_LETTERS_MAX else None


def word_of(said: Any) -> str:
    """What stands for a state or an error: lower case, bounded; empty for nothing, false and empty things."""
    if said is None or said is False or said in ("", [], {}):
        return ""
    return str(said).strip().casefold()[:NAME_LETTERS_MAX] if isinstance(said, str | int | float) else "something"
