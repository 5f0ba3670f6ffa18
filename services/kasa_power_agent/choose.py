"""Which outlet of a device is whose, as it was read; and which of them are never switched. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.kasa_power_agent.link import DeviceReading, OutletReading
from shared.device import DeviceError


class NoSuchOutletError(DeviceError):
    """The device has no outlet of this name or number, or more than one."""

    code = "no_such_outlet"


class SharedOutletError(DeviceError):
    """Two miners hang on one outlet."""

    code = "shared_outlet"


class ForbiddenOutletError(DeviceError):
    """The outlet stands in `never_switch`."""

    code = "never_switched"


Wish = str | int | None
"""An outlet as the owner writes it: its alias, its number counted from 1, or None for the only one."""


@dataclass(frozen=True)
class Wishes:
    """What the farm file says of one device: the outlet of each miner, and those that are never switched."""

    outlets: Mapping[str, Wish]
    never: Sequence[Wish] = ()


def chosen(name: str, wishes: Wishes, reading: DeviceReading) -> OutletReading:
    """The outlet of one miner. Raises DeviceError where it is not there, not its own, or never to be switched."""
    outlet = outlet_of(wishes.outlets[name], reading)
    for wish in wishes.never:
        forbidden = _all_of(wish, reading)
        if not forbidden:
            # Somebody has renamed it: the outlet that feeds the network may now be any of them.
            message = f"never_switch names {wish!r}, which this device does not have: nothing is switched until it does"
            raise ForbiddenOutletError(message)
        if outlet in forbidden:
            message = f"{shown(outlet)} stands in never_switch: it is left alone"
            raise ForbiddenOutletError(message)
    for other, wish in wishes.outlets.items():
        if other != name and _all_of(wish, reading) == [outlet]:
            message = f"{shown(outlet)} is also the outlet of {other}: neither is switched"
            raise SharedOutletError(message)
    return outlet


def outlet_of(wish: Wish, reading: DeviceReading) -> OutletReading:
    """The one outlet that is meant. Raises NoSuchOutletError, which lists those that there are."""
    found = _all_of(wish, reading)
    if len(found) == 1:
        return found[0]
    offered = ", ".join(shown(outlet) for outlet in reading.outlets) or "none"
    if wish is None:
        cause = "it has several outlets, so one of them has to be named"
    else:
        cause = f"several outlets are called {wish!r}" if found else f"no outlet {wish!r}"
    message = f"{cause}; there are: {offered}"
    raise NoSuchOutletError(message)


def shown(outlet: OutletReading) -> str:
    """For people: `1 "Rig 7"`."""
    words = (None if outlet.number is None else str(outlet.number), f'"{outlet.alias}"' if outlet.alias else None)
    return " ".join(word for word in words if word) or "the outlet"


def _all_of(wish: Wish, reading: DeviceReading) -> list[OutletReading]:
    outlets = list(reading.outlets)
    if wish is None:
        return outlets
    if isinstance(wish, int):
        # A plain plug has no number printed on it; its only outlet is the first.
        return [outlet for outlet in outlets if (outlet.number or 1) == wish]
    exact = [outlet for outlet in outlets if outlet.alias == wish]
    return exact or [outlet for outlet in outlets if (outlet.alias or "").strip().lower() == wish.lower()]
