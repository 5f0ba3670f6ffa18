"""The announcement of a device, as Home Assistant wants it. Pure.

Source: home-assistant.io/integrations/mqtt, device discovery payload; read and run with version 2025.4.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.ha_discovery.components import Component, Fields, Needs, Paths, place_of
from services.ha_discovery.names import Name, farm
from shared.version import VERSION

ORIGIN = "Sunherd"


@dataclass(frozen=True)
class Device:
    """What Home Assistant calls a device."""

    name: Name
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None

    def fields(self) -> Fields:
        """As it stands in the announcement."""
        whole = farm(self.name.site)
        found = {
            "identifiers": [self.name.device],
            "name": self.name.title,
            "connections": None if self.mac is None else [["mac", self.mac.lower()]],
            "manufacturer": self.manufacturer,
            "model": self.model,
            "sw_version": self.firmware,
            "via_device": None if self.name == whole else whole.device,
        }
        return {key: value for key, value in found.items() if value is not None}


@dataclass(frozen=True)
class Announcement:
    """Everything that Home Assistant is told of one device."""

    device: Device
    components: tuple[Component, ...]
    needs: Needs = Needs.DEVICE
    """What its entities need unless they say otherwise."""
    gone: Mapping[str, str] = field(default_factory=dict)
    """The platforms of entities that it once had, by their places: told on, for a Home Assistant that is away."""

    def fields(self, paths: Paths) -> Fields:
        """The whole payload."""
        components = {place_of(each): each.fields(paths) for each in self.components}
        gone = {place: {"platform": platform} for place, platform in self.gone.items() if place not in components}
        return {
            "device": self.device.fields(),
            "origin": {"name": ORIGIN, "sw_version": VERSION},
            "state_topic": paths.mirror,
            **paths.availability(self.needs),
            "components": {**components, **gone},
        }

    def as_bytes(self, paths: Paths) -> bytes:
        """As it travels."""
        return json.dumps(self.fields(paths), ensure_ascii=False, separators=(",", ":")).encode()
