"""What is known of a device for good, and decides which entities it has. Unknown takes nothing back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.ha_discovery.orders import AUTOMATIC
from shared.messages import MinerTelemetry, PlugTelemetry

_LENGTH_MAX = 200


@dataclass(frozen=True)
class Facts:
    """Of a miner or an outlet. A miner that does not answer keeps its ladder, and an outlet its meter."""

    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    profiles: tuple[str, ...] = ()
    """The names of the points of its ladder that hash."""
    top_w: float | None = None
    """The nominal power of the highest of them."""
    metered: bool = False


def miner_facts_after(facts: Facts, told: MinerTelemetry) -> Facts:
    """After a reading."""
    points = () if told.ladder is None else tuple(point for point in told.ladder.points if not point.is_pause)
    return replace(
        _identified(facts, told),
        profiles=tuple(dict.fromkeys(point.name for point in points)) or facts.profiles,
        top_w=max((point.power_w for point in points), default=facts.top_w),
    )


def plug_facts_after(facts: Facts, told: PlugTelemetry) -> Facts:
    """After a reading of an outlet. One that has once told watts has a meter."""
    return replace(_identified(facts, told), metered=facts.metered or told.power_w is not None)


def filled(facts: Facts, remembered: Facts) -> Facts:
    """What is known, and where nothing is, what was known before."""
    return Facts(
        model=facts.model or remembered.model,
        firmware=facts.firmware or remembered.firmware,
        mac=facts.mac or remembered.mac,
        profiles=facts.profiles or remembered.profiles,
        top_w=facts.top_w or remembered.top_w,
        metered=facts.metered or remembered.metered,
    )


def facts_of(payload: Mapping[str, Any]) -> Facts:
    """What an announcement of ours, remembered by the broker, tells of them. Anything odd is unknown."""
    device, components = _mapping(payload.get("device")), _mapping(payload.get("components"))
    options = _mapping(components.get("select_profile")).get("options")
    top_w = _mapping(components.get("number_max_w")).get("max")
    return Facts(
        model=_text(device.get("model")),
        firmware=_text(device.get("sw_version")),
        mac=_mac(device.get("connections")),
        profiles=_profiles(options),
        top_w=float(top_w) if isinstance(top_w, int | float) and top_w > 0 else None,
        metered="unique_id" in _mapping(components.get("sensor_plug_power")),
    )


def _identified(facts: Facts, told: MinerTelemetry | PlugTelemetry) -> Facts:
    return replace(
        facts,
        model=_text(told.model) or facts.model,
        firmware=_text(told.firmware) or facts.firmware,
        mac=told.mac or facts.mac,
    )


def _profiles(options: Any) -> tuple[str, ...]:
    if not isinstance(options, list):
        return ()
    return tuple(each for each in options if isinstance(each, str) and each != AUTOMATIC)


def _mac(connections: Any) -> str | None:
    match connections:
        case [["mac", str(mac)], *_]:
            return mac.upper()
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value[:_LENGTH_MAX] if isinstance(value, str) and value.strip() else None
