"""The section `schedules`: what is wanted at which hours, in the site's time zone or by the sun."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta, tzinfo
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from shared.duration import Duration, parse_duration
from shared.schedule import (
    DAY_NAMES,
    EVERY_DAY,
    MINUTES_A_DAY,
    ByClock,
    BySun,
    Edge,
    Schedule,
    Timetable,
    Window,
)
from shared.settings.bitaxe import Megahertz, Millivolts
from shared.settings.section import Section
from shared.sun import Place, SunEvent

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_SUN = re.compile(r"(sunrise|sunset)\s*(?:([+-])\s*(.+))?")
_OFFSET_MAX = timedelta(hours=12)
_FULL_DAYS = {
    "monday": "mon",
    "tuesday": "tue",
    "wednesday": "wed",
    "thursday": "thu",
    "friday": "fri",
    "saturday": "sat",
    "sunday": "sun",
}
_EVENTS: dict[str, SunEvent] = {"sunrise": "sunrise", "sunset": "sunset"}


def parse_edge(value: object) -> Edge:
    """`"07:30"`, `24:00`, `sunset` or `sunrise - 30 min`. Raises ValueError with an example of the right form."""
    if isinstance(value, ByClock | BySun):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    by_clock, by_sun = _CLOCK.fullmatch(text), _SUN.fullmatch(text)
    if by_clock is not None:
        minute = int(by_clock[1]) * 60 + int(by_clock[2])
        if int(by_clock[2]) < 60 and minute <= MINUTES_A_DAY:  # noqa: PLR2004 - minutes of an hour
            return ByClock(minute)
    if by_sun is not None:
        offset = parse_duration(by_sun[3]) if by_sun[3] else timedelta()
        if offset <= _OFFSET_MAX:
            return BySun(_EVENTS[by_sun[1]], -offset if by_sun[2] == "-" else offset)
    message = f'{value!r} is not a time of day: write it like "07:30", sunrise or sunset - 30 min'
    raise ValueError(message)


def parse_days(value: object) -> frozenset[int]:
    """`mon-fri`, `sat,sun`, or a list of such. Raises ValueError with an example of the right form."""
    if isinstance(value, frozenset):
        return value
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    days: set[int] = set()
    for part in parts:
        ends = [_FULL_DAYS.get(end.strip().lower(), end.strip().lower()) for end in str(part).split("-")]
        if len(ends) > 2 or any(end not in DAY_NAMES for end in ends):  # noqa: PLR2004 - from and to
            days.clear()
            break
        first, last = DAY_NAMES.index(ends[0]), DAY_NAMES.index(ends[-1])
        days |= {day % len(DAY_NAMES) for day in range(first, last + 1 if last >= first else last + 8)}
    if not days:
        message = f"{value!r} are not days: write them like mon-fri, or [sat, sun]"
        raise ValueError(message)
    return frozenset(days)


class WindowSettings(Section):
    """From when to when, on which days, and one of: a voltage and frequency, a profile, a pause."""

    begins: Annotated[ByClock | BySun, BeforeValidator(parse_edge), Field(alias="from")]
    """When it begins: "07:30", sunset, or sunrise - 30 min."""
    ends: Annotated[ByClock | BySun, BeforeValidator(parse_edge), Field(alias="to")]
    """When it ends; earlier than `from` is on the next day."""
    days: Annotated[frozenset[int], BeforeValidator(parse_days)] = EVERY_DAY
    """On which days it begins."""
    voltage_mv: Millivolts | None = None
    """With `frequency_mhz`: an exact setting of a Bitaxe."""
    frequency_mhz: Megahertz | None = None
    """With `voltage_mv`."""
    profile: str | None = None
    """A profile of the miner."""
    pause: bool = False
    """It stands still."""

    @model_validator(mode="after")
    def _holds_for_a_while(self) -> Self:
        if self.begins == self.ends:
            message = f'from and to are both {self.begins}: for a whole day write from "00:00" to "24:00"'
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if (self.voltage_mv is None) != (self.frequency_mhz is None):
            missing = "frequency_mhz" if self.frequency_mhz is None else "voltage_mv"
            message = f"{missing} is missing: voltage_mv and frequency_mhz come in a pair"
            raise ValueError(message)
        if [self.voltage_mv is not None, self.profile is not None, self.pause].count(True) != 1:
            message = "a window asks for one thing: give voltage_mv and frequency_mhz, or profile, or pause: true"
            raise ValueError(message)
        return self

    def window(self) -> Window:
        """The same for the core."""
        return Window(self.begins, self.ends, self.days, self.voltage_mv, self.frequency_mhz, self.profile, self.pause)


class ScheduleSettings(Section):
    """A list of windows. In full: `windows`, and `stagger`, by which each miner switches later than the one before."""

    windows: Annotated[list[WindowSettings], Field(min_length=1)]
    """They must not overlap; between them a miner runs at its normal point."""
    stagger: Duration = timedelta()
    """By how much each miner of the schedule switches later than the one before."""

    def schedule(self, name: str) -> Schedule:
        """The same for the core."""
        return Schedule(name, tuple(window.window() for window in self.windows), self.stagger)


def only_windows(value: object) -> object:
    """A plain list is the windows of a schedule without anything else."""
    return {"windows": value} if isinstance(value, list) else value


AnySchedule = Annotated[ScheduleSettings, BeforeValidator(only_windows)]


def as_written(path: tuple[str | int, ...], places: Collection[tuple[str | int, ...]]) -> tuple[str | int, ...]:
    """The path of an error as the file has it: without `windows`, where a schedule is a plain list."""
    if path[:1] == ("schedules",) and path[2:3] == ("windows",) and path[:3] not in places:
        return (*path[:2], *path[3:])
    return path


def timetables(
    schedules: Mapping[str, ScheduleSettings], chosen: Mapping[str, str], zone: tzinfo, place: Place | None
) -> dict[str, Timetable]:
    """Each miner's timetable. `chosen`: the name of its schedule, for the miners that have one, in order."""
    known = {name: settings.schedule(name) for name, settings in schedules.items()}
    turns: dict[str, int] = {}
    found = {}
    for miner, name in chosen.items():
        turn = turns[name] = turns.get(name, -1) + 1
        found[miner] = Timetable(known[name], zone, place, turn * known[name].stagger)
    return found
