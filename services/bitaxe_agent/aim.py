"""Where to go for a commanded point: within the limits whatever the command says, and lower while heat asks. Pure."""

from dataclasses import dataclass
from typing import Self

from services.bitaxe_agent.ladder import setting_of
from services.bitaxe_agent.protection import Phase, Protection
from services.bitaxe_agent.setting import Setting
from shared.device import RefusedError
from shared.ladder import lowest_point
from shared.messages import Ladder, OperatingPoint


@dataclass(frozen=True)
class Reach:
    """The settings that a device can hold. `limits` None: nobody knows what it bears, so only these very settings."""

    named: dict[str, Setting]
    limits: Setting | None
    floor: Setting | None
    """The lowest at which it hashes."""

    @classmethod
    def of(cls, ladder: Ladder | None, limits: Setting | None) -> Self:
        """Of a ladder; nothing before the first reading."""
        if ladder is None:
            return cls({}, limits, None)
        named = {point.name: setting for point in ladder.points if (setting := setting_of(point)) is not None}
        return cls(named, limits, setting_of(lowest_point(ladder)))


@dataclass(frozen=True)
class Aim:
    """A setting to go to. `is_held`: heat keeps it below what was asked for."""

    setting: Setting
    is_held: bool = False


def aim_at(point: OperatingPoint, reach: Reach, here: Setting | None, protection: Protection) -> Aim:
    """The setting for a point. A pause means the floor. Raises RefusedError for what the ladder does not span."""
    if reach.floor is None:
        message = "was not read yet: what it can hold is not known"
        raise RefusedError(message)
    asked = reach.floor if point.is_pause else clamped(point, reach)
    wanted = asked.no_higher_than(reach.floor) if protection.is_hot else asked
    trip = protection.trip
    if trip is not None and here is not None and trip.phase is Phase.COOLING:
        wanted = wanted.no_higher_than(here)
    elif trip is not None and wanted.frequency_mhz > trip.most_mhz:
        wanted = _lower(wanted, trip.most_mhz, reach, reach.floor)
    return Aim(wanted, is_held=wanted != asked)


def clamped(point: OperatingPoint, reach: Reach) -> Setting:
    """The setting that a command means, cut to the limits. Raises RefusedError."""
    setting = setting_of(point) or reach.named.get(point.name)
    if setting is None:
        message = f"{point.name} names no voltage and frequency"
        raise RefusedError(message)
    if reach.limits is None:
        if not any(setting.same_as(other) for other in reach.named.values()):
            message = f"what this board bears is not known: it is not set to {setting}"
            raise RefusedError(message)
        return setting
    setting = setting.no_higher_than(reach.limits)
    lowest_mv = min(other.voltage_mv for other in reach.named.values())
    lowest_mhz = min(other.frequency_mhz for other in reach.named.values())
    if setting.voltage_mv < lowest_mv or setting.frequency_mhz < lowest_mhz:
        message = f"{setting} is below what it can hold ({lowest_mhz:g} MHz, {lowest_mv} mV)"
        raise RefusedError(message)
    return setting


def _lower(wanted: Setting, most_mhz: float, reach: Reach, floor: Setting) -> Setting:
    """The highest of the ladder up to a frequency that is not above what is wanted either; else the floor."""
    within = [
        setting for setting in reach.named.values() if setting.frequency_mhz <= most_mhz and not setting.exceeds(wanted)
    ]
    return max(within, key=lambda setting: setting.frequency_mhz, default=wanted.no_higher_than(floor))
