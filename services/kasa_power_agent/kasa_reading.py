"""What a device shows, out of python-kasa's objects: only what it has really told. Pure."""

import math
from collections.abc import Callable
from typing import Any

from kasa import Device, DeviceType, KasaException, Module

from services.kasa_power_agent.link import DeviceReading, Meter, OutletReading
from shared.device import NonsenseError

_ALIAS_MAX = 100
_TYPES = {DeviceType.Plug, DeviceType.Strip, DeviceType.StripSocket, DeviceType.WallSwitch}


def reading_of(device: Device, *, meters: bool) -> DeviceReading:
    """What a device shows after an update. `meters`: whether they were asked, too. Raises NonsenseError."""
    if device.device_type not in _TYPES:
        message = f"it is no plug but a {device.device_type.value}"
        raise NonsenseError(message)
    states = _states(device)
    outlets = tuple(
        OutletReading(
            outlet_id=outlet.device_id,
            on=states.get(outlet.device_id),
            alias=_text(outlet.alias),
            number=index + 1 if device.children else None,
            meter=_meter(outlet) if meters else None,
        )
        for index, outlet in enumerate(device.children or [device])
    )
    return DeviceReading(
        outlets=outlets,
        model=_text(device.model),
        firmware=_text(device.hw_info.get("sw_ver")),
        mac=(_text(device.mac) or "").upper().replace("-", ":") or None,
        alias=_text(device.alias),
        has_meter=device.has_emeter,
    )


def _states(device: Device) -> dict[str, bool | None]:
    """By identity. The library itself takes a state that is missing for off, or for on if it is odd."""
    if not device.children:
        info = device.sys_info
        return {device.device_id: _flag(info.get("relay_state", info.get("device_on")))}
    told = device.sys_info.get("children")
    if isinstance(told, list):  # an older strip tells the states of its outlets itself
        ends = {str(child.get("id")): _flag(child.get("state")) for child in told if isinstance(child, dict)}
        return {child.device_id: ends.get(child.device_id.partition("_")[2]) for child in device.children}
    return {child.device_id: _flag(child.sys_info.get("device_on")) for child in device.children}


def _flag(value: object) -> bool | None:
    return bool(value) if isinstance(value, int) and value in {0, 1} else None


def _meter(outlet: Device) -> Meter | None:
    energy = outlet.modules.get(Module.Energy)
    if energy is None:
        return None
    today_kwh = _amount(lambda: energy.consumption_today)
    return Meter(
        power_w=_amount(lambda: energy.current_consumption),
        voltage_v=_amount(lambda: energy.voltage),
        current_a=_amount(lambda: energy.current),
        energy_today_wh=None if today_kwh is None else today_kwh * 1000,
    )


def _amount(ask: Callable[[], Any]) -> float | None:
    """A measured value, or None: each property of the library may raise where the device has not told it."""
    try:
        value = ask()
    except (KasaException, LookupError, TypeError, ValueError, AttributeError):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def _text(value: object) -> str | None:
    return value[:_ALIAS_MAX] if isinstance(value, str) and value else None
