"""Which window of a schedule holds at a moment. Pure.

The clock on the owner's wall decides: a window holds whenever that clock shows a time within it. So in the hour that
is shown twice it holds twice, and one within the hour that is left out does not hold on that day. Edges by the sun are
moments. A window belongs to the day on which it begins.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from shared.sun import Place, SunEvent, sun_at

MINUTES_A_DAY = 1440
EVERY_DAY = frozenset(range(7))
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_NOMINAL_MINUTE: dict[SunEvent, int] = {"sunrise": 6 * 60, "sunset": 18 * 60}
_SUN_WANDERS_MINUTES = 6 * 60
_LOOKED_AT_DAYS = 8
"""Every week is like the next, but for the sun and the clock changes."""


@dataclass(frozen=True)
class ByClock:
    """An edge at a time of day; 24:00 is the end of one."""

    minute: int

    def __str__(self) -> str:
        return f"{self.minute // 60:02}:{self.minute % 60:02}"


@dataclass(frozen=True)
class BySun:
    """An edge at sunrise or sunset, or so much after (before: negative)."""

    event: SunEvent
    offset: timedelta = timedelta()

    def __str__(self) -> str:
        minutes = round(self.offset.total_seconds() / 60)
        return self.event if not minutes else f"{self.event} {'-' if minutes < 0 else '+'} {abs(minutes)} min"


Edge = ByClock | BySun


@dataclass(frozen=True)
class Window:
    """When something is wanted, and what: a pause, a profile, or a voltage and frequency."""

    begins: Edge
    ends: Edge
    days: frozenset[int] = EVERY_DAY
    """On which days it begins; 0 is Monday."""
    voltage_mv: int | None = None
    frequency_mhz: float | None = None
    profile: str | None = None
    pause: bool = False

    @property
    def label(self) -> str:
        """Its name for people and for statistics, such as `mon-fri 07:30-20:00`."""
        days = "" if self.days == EVERY_DAY else f"{days_text(self.days)} "
        return f"{days}{self.begins}-{self.ends}"

    @property
    def wish(self) -> str:
        """What it asks for, in words."""
        if self.pause:
            return "pause"
        return f"profile {self.profile}" if self.profile else f"{self.frequency_mhz:g} MHz at {self.voltage_mv} mV"

    @property
    def end_day_offset(self) -> int:
        """How many midnights it passes. Between clock and sun, or both of the sun, morning stays before evening."""
        begins, ends = _nominal_minute(self.begins), _nominal_minute(self.ends)
        begins -= 0 if _are_alike(self.begins, self.ends) else _SUN_WANDERS_MINUTES
        return max(0, (begins - ends) // MINUTES_A_DAY + 1)


@dataclass(frozen=True)
class Schedule:
    """Windows that do not overlap. What lies between them is the owner's normal point."""

    name: str
    windows: tuple[Window, ...]
    stagger: timedelta = timedelta()
    """How much later each miner switches than the one before it."""

    def __hash__(self) -> int:
        return hash(self.name)  # the windows would be hashed at every look


@dataclass(frozen=True)
class Spell:
    """One stretch of a window, or of none. An edge that is None is further away than a week."""

    window: Window | None
    begins: datetime | None
    ends: datetime | None


@dataclass(frozen=True)
class Timetable:
    """A schedule as it holds for one miner."""

    schedule: Schedule
    zone: tzinfo = UTC
    place: Place | None = None
    delay: timedelta = timedelta()
    """The miner's turn in the stagger."""

    def spell_at(self, now: datetime) -> Spell:
        """The spell of this miner at a moment."""
        spell = spell_at(self.schedule, now - self.delay, self.zone, self.place)
        begins = None if spell.begins is None else spell.begins + self.delay
        return Spell(spell.window, begins, None if spell.ends is None else spell.ends + self.delay)


def window_at(schedule: Schedule, now: datetime, zone: tzinfo, place: Place | None) -> Window | None:
    """The window that holds at a moment; None in a gap."""
    return next(windows_at(schedule, now, zone, place), None)


def windows_at(schedule: Schedule, now: datetime, zone: tzinfo, place: Place | None) -> Iterator[Window]:
    """All windows that hold at a moment: more than one only where they overlap."""
    local = now.astimezone(zone)
    clock = local.replace(tzinfo=None)
    # From the day before yesterday, where one passes two midnights, to tomorrow: an hour before sunrise may be today.
    days = [local.date() + offset * _DAY for offset in (-2, -1, 0, 1)]
    for window in schedule.windows:
        if any(day.weekday() in window.days and _holds(window, day, now, clock, zone, place) for day in days):
            yield window


def spell_at(schedule: Schedule, now: datetime, zone: tzinfo, place: Place | None) -> Spell:
    """The window that holds at a moment, with its edges."""
    begins, spells = _spells_around(schedule, zone, place, now.astimezone(zone).date())
    return spells[bisect_right(begins, now) - 1]


def days_text(days: frozenset[int]) -> str:
    """Days as one writes them: `mon-fri`, `sat,sun`."""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(DAY_NAMES[run[0]] if len(run) == 1 else f"{DAY_NAMES[run[0]]}-{DAY_NAMES[run[-1]]}" for run in runs)


def edges_on(schedule: Schedule, day: date, zone: tzinfo, place: Place | None) -> set[datetime]:
    """Every moment that belongs to a day at which another window may begin to hold."""
    found: set[datetime] = set()
    for edge in {edge for window in schedule.windows for edge in (window.begins, window.ends)}:
        if isinstance(edge, BySun):
            found.add(_moment(edge, day, zone, place))
        else:
            clock = datetime.combine(day, time(), zone) + timedelta(minutes=edge.minute)
            # Both of a time that is shown twice; of one that is left out neither is right, and the change itself is.
            found |= {clock.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    change = _clock_change_on(day, zone)
    return found if change is None else {*found, change}


@lru_cache(maxsize=512)
def _spells_around(
    schedule: Schedule, zone: tzinfo, place: Place | None, day: date
) -> tuple[list[datetime], list[Spell]]:
    """The spells of more than two weeks around a day, and when each begins."""
    days = [day + offset * _DAY for offset in range(-_LOOKED_AT_DAYS, _LOOKED_AT_DAYS + 1)]
    first = datetime.combine(days[0], time(), UTC)
    edges = sorted(edge for each in days for edge in edges_on(schedule, each, zone, place) if edge > first)
    begins, windows = [first], [window_at(schedule, first, zone, place)]
    for edge in edges:
        window = window_at(schedule, edge, zone, place)
        if window != windows[-1]:
            begins.append(edge)
            windows.append(window)
    spells = [
        Spell(window, begins[index] if index else None, begins[index + 1] if index + 1 < len(begins) else None)
        for index, window in enumerate(windows)
    ]
    return begins, spells


def _holds(window: Window, day: date, now: datetime, clock: datetime, zone: tzinfo, place: Place | None) -> bool:
    end_day = day + window.end_day_offset * _DAY
    return _is_past(window.begins, day, now, clock, zone, place) and not _is_past(
        window.ends, end_day, now, clock, zone, place
    )


def _is_past(edge: Edge, day: date, now: datetime, clock: datetime, zone: tzinfo, place: Place | None) -> bool:
    if isinstance(edge, ByClock):
        return clock >= datetime.combine(day, time()) + timedelta(minutes=edge.minute)
    return now >= _moment(edge, day, zone, place)


def _moment(edge: BySun, day: date, zone: tzinfo, place: Place | None) -> datetime:
    # Without a place the farm file is refused; the equator's zero meridian is as good as any other answer.
    return sun_at(edge.event, day, place or Place(0, 0), zone) + edge.offset


def _clock_change_on(day: date, zone: tzinfo) -> datetime | None:
    """The second at which the clocks are changed between two midnights, or None."""
    low, high = (int(datetime.combine(each, time(), zone).timestamp()) for each in (day, day + _DAY))
    offset_after = _utc_offset(high, zone)
    if _utc_offset(low, zone) == offset_after:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _utc_offset(middle, zone) == offset_after else (middle, high)
    return datetime.fromtimestamp(high, UTC)


def _utc_offset(timestamp: int, zone: tzinfo) -> timedelta | None:
    return datetime.fromtimestamp(timestamp, zone).utcoffset()


def _nominal_minute(edge: Edge) -> int:
    if isinstance(edge, ByClock):
        return edge.minute
    return _NOMINAL_MINUTE[edge.event] + round(edge.offset.total_seconds() / 60)


def _are_alike(one: Edge, other: Edge) -> bool:
    """Whether what stands first always stays first: two clock times, or the same event of the sun."""
    if isinstance(one, BySun) and isinstance(other, BySun):
        return one.event == other.event
    return isinstance(one, ByClock) and isinstance(other, ByClock)
