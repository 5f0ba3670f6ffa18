"""What is wrong with schedules that no single key shows: overlaps, the sun without a place, what no miner can do."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from shared.schedule import BySun, Schedule, Window, edges_on, windows_at
from shared.settings.bitaxe import BUILT_IN_PROFILES, MAX_FREQUENCY_MHZ, MAX_VOLTAGE_MV
from shared.settings.problems import did_you_mean
from shared.settings.schedule import ScheduleSettings, only_windows
from shared.sun import Place

Finding = tuple[tuple[str | int, ...], str, str]

_A_MONDAY = date(2028, 1, 3)
_WEEK = tuple(_A_MONDAY + timedelta(days=day) for day in range(7))
_YEAR = tuple(_A_MONDAY + timedelta(days=8 * step) for step in range(46))
"""Every eighth day: all weekdays and all seasons, within a blink."""


def schedule_findings(data: dict[str, Any]) -> Iterator[Finding]:
    """Works on the raw data of the file, so that it is said together with all the rest."""
    raw, miners, groups = (_mapping(data.get(key)) for key in ("schedules", "miners", "groups"))
    yield from _unknown_schedules(raw, miners, groups)
    yield from _two_schedules(miners, groups)
    site = _mapping(data.get("site"))
    zone, place = _zone(site.get("time_zone")), _place(site)
    for name, value in raw.items():
        schedule = _parsed(name, value)
        if schedule is None:
            continue
        path = ("schedules", name) if isinstance(value, list) else ("schedules", name, "windows")
        yield from _unsound_times(schedule, path, zone, place)
        for miner, settings in _users(name, miners, groups).items():
            yield from _beyond(miner, settings, schedule, path)


def chosen_schedules(miners: dict[str, Any], groups: dict[str, Any]) -> dict[str, str]:
    """The schedule of each miner that has one: its own, else the one of the first group that has one."""
    found = {}
    for miner, settings in miners.items():
        own = settings.get("schedule")
        shared = [group.get("schedule") for group in groups.values() if miner in _members(group)]
        name = next((each for each in (own, *shared) if each is not None), None)
        if name is not None:
            found[miner] = str(name)
    return found


def _unknown_schedules(raw: dict[str, Any], miners: dict[str, Any], groups: dict[str, Any]) -> Iterator[Finding]:
    for section, users in (("miners", miners), ("groups", groups)):
        for user, settings in users.items():
            name = _mapping(settings).get("schedule")
            if name is not None and str(name) not in raw:
                fix = f"use one of: {', '.join(raw)}" if raw else "add it to the section schedules"
                cause = f"no schedule is called {name!r}{did_you_mean(str(name), raw)}"
                yield (section, user, "schedule"), cause, fix


def _two_schedules(miners: dict[str, Any], groups: dict[str, Any]) -> Iterator[Finding]:
    seen: dict[str, tuple[str, str]] = {}
    for name, group in groups.items():
        schedule = _mapping(group).get("schedule")
        for member in _members(group) if schedule is not None else ():
            first, other = seen.setdefault(member, (str(schedule), name))
            if first != str(schedule) and _mapping(miners.get(member)).get("schedule") is None:
                cause = f"{member} has the schedule {first} of the group {other} already"
                yield ("groups", name, "schedule"), cause, f"give {member} a schedule of its own"


def _unsound_times(
    schedule: Schedule, path: tuple[str | int, ...], zone: tzinfo, place: Place | None
) -> Iterator[Finding]:
    by_sun = False
    for index, window in enumerate(schedule.windows):
        for key, edge in (("from", window.begins), ("to", window.ends)):
            by_sun = by_sun or isinstance(edge, BySun)
            if isinstance(edge, BySun) and place is None:
                cause = f"{edge.event} is not known without a place"
                yield (*path, index, key), cause, "set site.latitude and site.longitude"
    if not by_sun or place is not None:
        yield from _clashes(schedule, path, zone if by_sun else UTC, place, _YEAR if by_sun else _WEEK)


def _clashes(
    schedule: Schedule, path: tuple[str | int, ...], zone: tzinfo, place: Place | None, days: tuple[date, ...]
) -> Iterator[Finding]:
    """Windows that overlap on some day, and those that hold on none."""
    holding: set[Window] = set()
    clashing: set[Window] = set()
    for day in days:
        for edge in sorted(edges_on(schedule, day, zone, place)):
            found = list(windows_at(schedule, edge, zone, place))
            holding.update(found)
            for window in found[1:]:
                if window not in clashing:
                    clashing.add(window)
                    when = f"{edge.astimezone(zone):%A %H:%M}" if days is _WEEK else f"{edge.astimezone(zone):%d %B}"
                    cause = f"{window.label} overlaps {found[0].label}, as on {when}"
                    index = _last_index(schedule, window)
                    yield (*path, index), cause, "let one end where the other begins, or give them different days"
    for index, window in enumerate(schedule.windows):
        if window not in holding:
            yield (*path, index), f"{window.label} holds at no time of the year", "correct from and to, or remove it"


def _last_index(schedule: Schedule, window: Window) -> int:
    """Of two that are the same in everything, the second is the one too many."""
    return max(index for index, each in enumerate(schedule.windows) if each == window)


def _beyond(miner: str, settings: dict[str, Any], schedule: Schedule, path: tuple[str | int, ...]) -> Iterator[Finding]:
    """What a window asks of a miner that the miner must not, or cannot, do."""
    own = settings.get("profiles")
    profiles = [*map(str, own if isinstance(own, dict) else ()), *BUILT_IN_PROFILES]
    for index, window in enumerate(schedule.windows):
        if settings.get("driver") != "bitaxe":
            if settings.get("driver") == "vnish" and not window.pause:
                cause = f"{miner} cannot be set to {window.wish}: it has driver: vnish"
                yield (*path, index), cause, "such a miner takes only windows with pause: true"
            continue
        if window.profile is not None and window.profile not in profiles:
            cause = f"{miner} has no profile {window.profile!r}{did_you_mean(window.profile, profiles)}"
            yield (*path, index, "profile"), cause, f"use one of: {', '.join(profiles)}"
        for key, unit, value, usual in (
            ("voltage_mv", "mV", window.voltage_mv, MAX_VOLTAGE_MV),
            ("frequency_mhz", "MHz", window.frequency_mhz, MAX_FREQUENCY_MHZ),
        ):
            most = settings.get(f"max_{key}", usual)
            if value is not None and isinstance(most, int | float) and value > most:
                cause = f"{value:g} {unit} is above the max_{key} of {miner}, {most:g} {unit}"
                fix = f"lower it, or raise max_{key} if the board is cooled for it"
                yield (*path, index, key), cause, fix


def _users(name: str, miners: dict[str, Any], groups: dict[str, Any]) -> dict[str, dict[str, Any]]:
    sound = {miner: _mapping(settings) for miner, settings in miners.items()}
    chosen = chosen_schedules(sound, {group: _mapping(settings) for group, settings in groups.items()})
    return {miner: sound[miner] for miner, schedule in chosen.items() if schedule == name}


def _members(group: object) -> list[str]:
    members = _mapping(group).get("members")
    return [str(member) for member in members] if isinstance(members, list) else []


def _parsed(name: str, value: object) -> Schedule | None:
    """None where a single key is wrong: that is complained about elsewhere."""
    try:
        return ScheduleSettings.model_validate(only_windows(value)).schedule(name)
    except ValidationError:
        return None


def _zone(name: object) -> tzinfo:
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(str(name or "UTC"))
    return UTC


def _place(site: dict[str, Any]) -> Place | None:
    latitude, longitude = site.get("latitude"), site.get("longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return Place(latitude, longitude)
    return None


def _mapping(value: object) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
