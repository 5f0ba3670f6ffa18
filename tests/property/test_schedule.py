"""At every minute of the days around both clock changes each window holds exactly while the clock on the wall says so.

What is compared with is a week painted minute by minute, as a person would draw it on paper; it knows no time zones.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.schedule import ByClock, BySun, Schedule, Window, edges_on, spell_at, window_at
from shared.sun import Place, sun_at

CHANGES = {
    "Europe/Lisbon": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "America/Santiago": ("2026-04-04", "2026-09-06"),
    "Asia/Beirut": ("2026-03-29", "2026-10-25"),
}
"""Half an hour, and at midnight, among them."""
DAYS = [(zone, date.fromisoformat(day)) for zone, days in CHANGES.items() for day in days]
MINUTES_A_WEEK = 7 * 1440


def painted(windows: tuple[Window, ...]) -> list[Window | None]:
    """Each minute of a week on paper, Monday first; the first window that covers it."""
    week: list[Window | None] = [None] * MINUTES_A_WEEK
    for window in reversed(windows):
        begins, ends = (edge.minute for edge in (window.begins, window.ends) if isinstance(edge, ByClock))
        length = ends - begins if ends > begins else ends - begins + 1440
        for day in window.days:
            for minute in range(day * 1440 + begins, day * 1440 + begins + length):
                week[minute % MINUTES_A_WEEK] = window
    return week


def expected(week: list[Window | None], now: datetime, zone: ZoneInfo) -> Window | None:
    """What the paper says for the time that the clock on the wall shows."""
    wall = now.astimezone(zone)
    return week[wall.weekday() * 1440 + wall.hour * 60 + wall.minute]


def minutes_around(day: date, zone: ZoneInfo) -> list[datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) - timedelta(hours=8)
    return [start + timedelta(minutes=minute) for minute in range(40 * 60)]


HOME = (
    Window(ByClock(450), ByClock(1200), voltage_mv=1150, frequency_mhz=450),
    Window(ByClock(1200), ByClock(450), profile="quiet"),
)
NIGHTLY = (
    Window(ByClock(0), ByClock(90), pause=True),
    Window(ByClock(90), ByClock(150), profile="a"),
    Window(ByClock(150), ByClock(151), profile="b"),
    Window(ByClock(180), ByClock(1440), profile="c", days=frozenset({5, 6})),
    Window(ByClock(1380), ByClock(0), profile="d", days=frozenset({0, 4})),
)


@pytest.mark.parametrize(("zone", "day"), DAYS)
@pytest.mark.parametrize("windows", [HOME, NIGHTLY])
def test_at_both_clock_changes_every_minute_has_the_window_on_the_wall(
    zone: str, day: date, windows: tuple[Window, ...]
) -> None:
    schedule, where, week = Schedule("home", windows), ZoneInfo(zone), painted(windows)
    for now in minutes_around(day, where):
        wanted = expected(week, now, where)
        assert window_at(schedule, now, where, None) == wanted, now.astimezone(where)
        assert spell_at(schedule, now, where, None).window == wanted, now.astimezone(where)


def test_these_days_do_hold_a_clock_change() -> None:
    for zone, day in DAYS:
        offsets = {now.astimezone(ZoneInfo(zone)).utcoffset() for now in minutes_around(day, ZoneInfo(zone))}
        assert len(offsets) == 2, (zone, day)


minutes = st.integers(0, 1439)
some_days = st.frozensets(st.integers(0, 6), min_size=1)


@st.composite
def any_windows(draw: st.DrawFn) -> tuple[Window, ...]:
    found = []
    for index in range(draw(st.integers(1, 4))):
        begins, ends = draw(minutes), draw(minutes)
        if begins != ends:
            found.append(Window(ByClock(begins), ByClock(ends), draw(some_days), profile=f"p{index}"))
    return tuple(found)


@settings(max_examples=150, deadline=None)
@given(any_windows(), st.sampled_from(DAYS), st.integers(0, 40 * 3600))
def test_any_windows_hold_as_they_stand_on_paper(
    windows: tuple[Window, ...], change: tuple[str, date], second: int
) -> None:
    zone = ZoneInfo(change[0])
    schedule, week = Schedule("home", windows), painted(windows)
    now = minutes_around(change[1], zone)[0] + timedelta(seconds=second)
    spell = spell_at(schedule, now, zone, None)
    assert spell.window == window_at(schedule, now, zone, None) == expected(week, now, zone)
    just = timedelta(microseconds=1)
    if spell.begins is not None:
        assert spell.begins <= now
        assert expected(week, spell.begins - just, zone) != spell.window == expected(week, spell.begins, zone)
    if spell.ends is not None:
        assert now < spell.ends
        assert expected(week, spell.ends, zone) != spell.window == expected(week, spell.ends - just, zone)


PLACES = [
    ("Europe/Lisbon", Place(38.7, -9.1)),
    ("Australia/Lord_Howe", Place(-31.5, 159.1)),
    ("Pacific/Kiritimati", Place(1.9, -157.4)),
    ("Europe/Helsinki", Place(66.9, 25.7)),
    ("Asia/Kolkata", Place(19.1, 72.9)),
]


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(PLACES),
    st.integers(0, 365),
    st.integers(0, 86_399),
    st.sampled_from([-90, 0, 45]),
    st.sampled_from([-60, 0, 30]),
)
def test_windows_by_the_sun_hold_between_its_moments(
    site: tuple[str, Place], day: int, second: int, rise_minutes: int, set_minutes: int
) -> None:
    zone, place = ZoneInfo(site[0]), site[1]
    rise, fall = timedelta(minutes=rise_minutes), timedelta(minutes=set_minutes)
    lit = Window(BySun("sunrise", rise), BySun("sunset", fall), profile="day")
    dark = Window(BySun("sunset", fall), BySun("sunrise", rise), profile="night")
    schedule = Schedule("sun", (lit, dark))
    now = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(days=day, seconds=second)
    today = now.astimezone(zone).date()
    dates = [today + timedelta(days=offset) for offset in range(-2, 3)]
    is_lit = any(
        sun_at("sunrise", each, place, zone) + rise <= now < sun_at("sunset", each, place, zone) + fall
        for each in dates
    )
    assert window_at(schedule, now, zone, place) == (lit if is_lit else dark)


@pytest.mark.parametrize(("zone", "place"), PLACES)
def test_the_sun_rises_and_sets_once_a_day_around_noon(zone: str, place: Place) -> None:
    where = ZoneInfo(zone)
    for number in range(0, 800, 2):
        day = date(2026, 1, 1) + timedelta(days=number)
        rise, fall = (sun_at(event, day, place, where) for event in ("sunrise", "sunset"))
        assert timedelta() <= fall - rise <= timedelta(days=1)
        middle = (rise + (fall - rise) / 2).astimezone(where)
        assert abs(middle.hour - 12) <= 2
        assert abs(middle.date() - day) == timedelta()


def test_every_change_is_among_the_edges_of_its_day() -> None:
    for zone, day in DAYS[::2]:
        where = ZoneInfo(zone)
        schedule = Schedule("home", NIGHTLY)
        edges: set[Any] = set()
        for offset in range(-2, 3):
            edges |= edges_on(schedule, day + timedelta(days=offset), where, None)
        now = minutes_around(day, where)
        changes = [
            second
            for first, second in pairwise(now)
            if window_at(schedule, first, where, None) != window_at(schedule, second, where, None)
        ]
        assert changes
        assert set(changes) <= edges
