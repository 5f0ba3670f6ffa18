"""Which settings a device can be given, as operating points by rising watts. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from services.bitaxe_agent.setting import Setting
from services.bitaxe_agent.watts import Watts, effort
from shared.messages import PAUSE, Ladder, OperatingPoint

RUNG_MHZ = 25.0
"""About so far apart are the points between two that somebody named."""
_WHOLE_MV = 5


@dataclass(frozen=True)
class Profile:
    """A setting that the owner has named."""

    setting: Setting
    power_w: float | None = None


@dataclass(frozen=True)
class Wishes:
    """What the owner has configured for one device."""

    profiles: Mapping[str, Profile] = field(default_factory=dict)
    profile: str | None = None
    """The normal one."""
    scheduled: tuple[Setting | str, ...] = ()
    """The settings, or the names of profiles, of its schedule's windows."""
    nominal_w: float | None = None
    """What it draws at its normal setting."""


@dataclass(frozen=True)
class Device:
    """What the ladder has to know of the device."""

    watts: Watts
    limits: Setting | None
    """None: nobody knows what it bears, so it only has the setting that it has."""
    pauses: bool


def ladder_of(wishes: Wishes, device: Device, found: Setting) -> Ladder:
    """All points. `found`: the owner's normal setting where no profile is configured."""
    device = _told_watts(wishes, device, found)
    profiles = _profiles(wishes, device)
    chosen = profiles.get(wishes.profile or "")
    normal = _point(wishes.profile or "", chosen, device) if chosen is not None else _unnamed(found, device)
    points = [_point(name, profile, device) for name, profile in profiles.items()]
    scheduled = [point for wish in wishes.scheduled if (point := _scheduled(wish, profiles, device)) is not None]
    points = _united([normal, *points, *scheduled])
    named = sorted(points, key=_watts)
    points = _united([*named, *_rungs(named, device)])
    lowest = min(scheduled or points, key=_watts)
    return Ladder(
        points=(*((PAUSE,) if device.pauses else ()), *sorted(points, key=_watts)),
        normal=next(point.name for point in points if _same(point, normal)),
        assumed=device.watts.factor is None,
        safe=next(point.name for point in points if _same(point, lowest)),
    )


def setting_of(point: OperatingPoint) -> Setting | None:
    """The setting of a point; None for a pause, or for a point of something else than a Bitaxe."""
    if point.voltage_mv is None or point.frequency_mhz is None:
        return None
    return Setting(point.voltage_mv, point.frequency_mhz)


def _told_watts(wishes: Wishes, device: Device, found: Setting) -> Device:
    """With the watts that the owner has told of the normal setting, in place of what was measured."""
    chosen = _profiles(wishes, device).get(wishes.profile or "") or Profile(_within(found, device))
    if wishes.nominal_w is None or chosen.power_w is not None:
        return device
    plain = Watts(device.watts.device)
    return replace(device, watts=replace(plain, factor=wishes.nominal_w / plain.of(chosen.setting)))


def _profiles(wishes: Wishes, device: Device) -> dict[str, Profile]:
    if device.limits is None:
        return {}
    built_in = {name: Profile(setting) for name, setting in device.watts.device.profiles.items()}
    return {
        name: Profile(_within(profile.setting, device), profile.power_w)
        for name, profile in (built_in | dict(wishes.profiles)).items()
    }


def _within(setting: Setting, device: Device) -> Setting:
    return setting if device.limits is None else setting.no_higher_than(device.limits)


def _scheduled(wish: Setting | str, profiles: Mapping[str, Profile], device: Device) -> OperatingPoint | None:
    if device.limits is None:
        return None
    if isinstance(wish, Setting):
        return _unnamed(wish, device)
    profile = profiles.get(wish)
    return None if profile is None else _point(wish, profile, device)


def _unnamed(setting: Setting, device: Device) -> OperatingPoint:
    within = _within(setting, device)
    return _point(str(within), Profile(within), device)


def _point(name: str, profile: Profile, device: Device) -> OperatingPoint:
    return OperatingPoint(
        name=name,
        power_w=profile.power_w or device.watts.of(profile.setting),
        voltage_mv=profile.setting.voltage_mv,
        frequency_mhz=profile.setting.frequency_mhz,
    )


def _united(points: list[OperatingPoint]) -> list[OperatingPoint]:
    """Each once: of those without a name of their own, none whose setting another has already."""
    kept: dict[str, OperatingPoint] = {}
    for point in sorted(points, key=lambda point: point.name == str(setting_of(point))):
        if point.name not in kept and (point.name != str(setting_of(point)) or not _any_same(point, kept)):
            kept[point.name] = point
    return list(kept.values())


def _any_same(point: OperatingPoint, kept: Mapping[str, OperatingPoint]) -> bool:
    return any(_same(point, other) for other in kept.values())


def _same(point: OperatingPoint, other: OperatingPoint) -> bool:
    mine, theirs = setting_of(point), setting_of(other)
    return mine is not None and theirs is not None and mine.same_as(theirs)


def _rungs(named: list[OperatingPoint], device: Device) -> Iterator[OperatingPoint]:
    """Points between neighbours, on the straight line from one to the other."""
    if device.limits is None:
        return
    for low, high in pairwise(named):
        begin, end = setting_of(low), setting_of(high)
        if begin is None or end is None or begin.exceeds(end):
            continue
        count = round((end.frequency_mhz - begin.frequency_mhz) / RUNG_MHZ)
        for number in range(1, count):
            yield _rung(low, high, begin, end, number / count)


def _rung(low: OperatingPoint, high: OperatingPoint, begin: Setting, end: Setting, part: float) -> OperatingPoint:
    megahertz = round(begin.frequency_mhz + part * (end.frequency_mhz - begin.frequency_mhz))
    millivolts = begin.voltage_mv + part * (end.voltage_mv - begin.voltage_mv)
    # Upwards: a chip with too little voltage miscalculates.
    setting = Setting(min(end.voltage_mv, int(-(-millivolts // _WHOLE_MV)) * _WHOLE_MV), float(megahertz))
    span = effort(end) - effort(begin)
    share = (effort(setting) - effort(begin)) / span if span > 0 else part
    watts = round(low.power_w + share * (high.power_w - low.power_w), 1)
    return OperatingPoint(
        name=str(setting), power_w=watts, voltage_mv=setting.voltage_mv, frequency_mhz=setting.frequency_mhz
    )


def _watts(point: OperatingPoint) -> float:
    return point.power_w
