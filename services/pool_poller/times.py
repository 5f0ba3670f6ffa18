"""The times in the head of an answer: what its sender's clock shows, and how long it wants to be left alone. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

WAIT_SECONDS_MAX = 3600.0
"""Longer than that a pool is not left alone, whatever it asks: the farm would lose sight of its miners for days."""
_AGE_SECONDS_MAX = 31_536_000
_DIGITS_MAX = 12


def sent_at(headers: Mapping[str, str]) -> datetime | None:
    """The sender's clock when the answer reached us: `Date`, and, of an answer out of a cache, `Age` after it."""
    dated = _date(headers.get("Date"))
    if dated is None:
        return None
    age = _whole(headers.get("Age")) or 0
    try:
        return dated + timedelta(seconds=min(age, _AGE_SECONDS_MAX))
    except OverflowError:
        return None


def wait_seconds(headers: Mapping[str, str], now: datetime) -> float:
    """What `Retry-After` asks for: seconds, or a date by the clock of whoever sent it. 0 where it asks nothing."""
    text = headers.get("Retry-After")
    seconds: float | None = _whole(text)
    if seconds is None:
        until = _date(text)
        seconds = 0.0 if until is None else (until - (sent_at(headers) or now)).total_seconds()
    return min(max(0.0, seconds), WAIT_SECONDS_MAX)


def _whole(text: str | None) -> int | None:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX else None


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
