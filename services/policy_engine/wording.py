"""Numbers and times as people read them. Pure."""

from datetime import datetime, timedelta, tzinfo

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LONGEST = 80


def percent(value: float, against: float) -> str:
    """One decimal, more where one would make the value look equal to what it is compared with."""
    return f"{_told_apart(value, f'{value:.1f}', against)} %"


def degrees(value: float, against: float) -> str:
    """The same without a decimal that is 0, and without the unit."""
    return _told_apart(value, f"{round(value, 1):g}", against)


def span(duration: timedelta) -> str:
    """A duration by its two largest units: `4 min 30 s`."""
    seconds = max(0, int(duration.total_seconds()))
    for size, name, below, below_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if seconds >= size:
            rest = seconds % size // below
            return f"{seconds // size} {name}" + (f" {rest} {below_name}" if rest else "")
    return f"{seconds} s"


def time_of_day(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """A time on the owner's clock, with the date where it is not within a day."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M}" if abs(moment - now) < timedelta(days=1) else f"{local:%Y-%m-%d %H:%M}"


def plain(text: str) -> str:
    """A text from outside as one short line: it ends up in logs and on screens."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _told_apart(value: float, text: str, against: float) -> str:
    return f"{value:g}" if float(text) == against != value else text
