"""Which operating points a miner can hold, and which of them is the owner's normal one. Pure.

Three kinds of firmware: one that can be throttled while it runs, one with tuned presets, and one that is on or off.
Where it can be throttled, presets below the normal one are left out: throttling reaches the same watts without the
restart that a preset may ask for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.vnish_agent.facts import Preset, watts_of
from shared.ladder import normal_point
from shared.messages import PAUSE, Ladder, OperatingPoint

THROTTLE_STEPS = tuple(range(20, 101, 5))
FULL_PERCENT = 100
ASSUMED_NOMINAL_W = 3600.0
"""Above what the common models draw: an assumption must not let a cap be exceeded."""


@dataclass(frozen=True)
class Normal:
    """How the owner runs the miner when nothing binds."""

    preset: str | None = None
    throttle_percent: int | None = None
    measured_w: float | None = None
    """The most that was measured at full power; counts where neither configuration nor preset tells watts."""


@dataclass(frozen=True)
class Means:
    """What the miner can be told to do."""

    presets: tuple[Preset, ...] = ()
    throttled: bool = False
    watts_min: float = 0.0
    """The lowest preset that the firmware itself would use."""


def ladder_of(means: Means, normal: Normal, configured_w: float | None, *, insist: bool = False) -> Ladder:
    """All points by rising power. `insist`: the owner configured the preset, so throttled points ask for it, too."""
    usable = [preset for preset in means.presets if preset.usable and (preset.power_w or 0) >= means.watts_min]
    if means.throttled:
        insisted = insist and normal.preset in {preset.name for preset in usable}
        return _throttle_ladder(normal, configured_w, normal.preset if insisted else None)
    rungs = {preset.name: _preset_point(preset) for preset in usable if preset.power_w}
    if normal.preset in rungs:
        return _sorted(rungs.values(), rungs[normal.preset].name)
    watts, assumed = nominal_w(normal, configured_w)
    if normal.preset == "disabled" and rungs:
        own = OperatingPoint(name="normal", power_w=watts, preset="disabled")
        return _sorted([*rungs.values(), own], own.name, assumed=assumed)
    # The way back to an untuned preset would be a tuning run: leave it, and only pause.
    return _sorted([OperatingPoint(name="normal", power_w=watts)], "normal", assumed=assumed)


def nominal_w(normal: Normal, configured_w: float | None) -> tuple[float, bool]:
    """Watts at full power, and whether they are only assumed."""
    if configured_w is not None:
        return configured_w, False
    watts = watts_of(normal.preset) if normal.preset else None
    if watts is not None:
        return watts, False
    return (ASSUMED_NOMINAL_W, True) if normal.measured_w is None else (normal.measured_w, False)


def recalled(ladder: Ladder) -> Normal:
    """The normal that an earlier process had found, from what it last published."""
    point = normal_point(ladder)
    full_w = point.power_w * FULL_PERCENT / (point.throttle_percent or FULL_PERCENT)
    known = not ladder.assumed and not point.is_pause
    return Normal(point.preset, point.throttle_percent, full_w if known else None)


def _throttle_ladder(normal: Normal, configured_w: float | None, preset: str | None) -> Ladder:
    watts, assumed = nominal_w(normal, configured_w)
    own = normal.throttle_percent or FULL_PERCENT
    points = [
        OperatingPoint(
            name=f"{percent} %",
            power_w=round(watts * percent / FULL_PERCENT),
            preset=preset,
            throttle_percent=percent,
        )
        for percent in sorted({*THROTTLE_STEPS, own})
    ]
    return _sorted(points, f"{own} %", assumed=assumed)


def _preset_point(preset: Preset) -> OperatingPoint:
    return OperatingPoint(name=f"{preset.name} W", power_w=preset.power_w or 0, preset=preset.name)


def _sorted(points: Iterable[OperatingPoint], normal: str, *, assumed: bool = False) -> Ladder:
    rising = sorted(points, key=lambda point: point.power_w)
    return Ladder(points=(PAUSE, *rising), normal=normal, assumed=assumed)
