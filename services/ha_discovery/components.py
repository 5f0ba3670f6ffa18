"""One entity of Home Assistant, by frozen models of its platforms. Pure.

Source: home-assistant.io/integrations/mqtt and its platforms; read and run with version 2025.4.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from services.ha_discovery.names import Name
from shared.topics import MIRROR, SERVICE_PRESENCE

Fields = dict[str, Any]


class Needs(Enum):
    """What must be there for an entity to be available."""

    NOTHING = "nothing"
    SERVICE = "service"
    """This service, which shows what people want and what is decided: true also while the device is away."""
    DEVICE = "device"
    """The device itself, too."""


@dataclass(frozen=True)
class Paths:
    """Where on the broker a device is shown."""

    prefix: str
    instance: str
    """The replica that shows it: while its presence is offline, everything is unavailable."""
    name: Name

    @property
    def mirror(self) -> str:
        return MIRROR.path(self.prefix, self.name.mirror)

    def availability(self, needs: Needs) -> Fields:
        """The options of an entity that needs this."""
        topics = [
            {"topic": SERVICE_PRESENCE.path(self.prefix, self.instance), "value_template": "{{ value_json.status }}"}
        ]
        if needs is Needs.NOTHING:
            return {}
        if needs is Needs.DEVICE:
            template = "{{ 'online' if value_json.available else 'offline' }}"
            topics.append({"topic": self.mirror, "value_template": template})
        return {"availability": topics, "availability_mode": "all"}


@dataclass(frozen=True, kw_only=True)
class Component:
    """One entity. `key` names its value on the Mirror; of `attributes` each names another value there."""

    platform: ClassVar[str]
    key: str
    name: str
    icon: str | None = None
    device_class: str | None = None
    category: str | None = None
    needs: Needs | None = None
    """None: what its device says."""
    attributes: tuple[str, ...] = ()
    attributes_template: str | None = None

    def fields(self, paths: Paths) -> Fields:
        """Its part of the announcement, without what it has in common with its device."""
        found = {
            "platform": self.platform,
            "unique_id": paths.name.unique_id(self.key),
            "default_entity_id": paths.name.entity_id(self.platform, self.key),
            "name": self.name,
            "icon": self.icon,
            "device_class": self.device_class,
            "entity_category": self.category,
            **self._attributes(paths),
            **self.own(),
        }
        if self.needs is not None:
            found |= paths.availability(self.needs)
        return {key: value for key, value in found.items() if value is not None}

    def own(self) -> Fields:
        """What only its platform has."""
        return self._state()

    def _state(self) -> Fields:
        return {"value_template": f"{{{{ value_json['values'].get('{self.key}') }}}}"}

    def _attributes(self, paths: Paths) -> Fields:
        template = self.attributes_template
        if self.attributes:
            values = ", ".join(f"'{name}': value_json['values'].get('{name}')" for name in self.attributes)
            template = f"{{{{ {{{values}}} | tojson }}}}"
        if template is None:
            return {}
        return {"json_attributes_topic": paths.mirror, "json_attributes_template": template}


@dataclass(frozen=True, kw_only=True)
class Sensor(Component):
    """A value.

    How many decimals are shown is left to Home Assistant, and each Mirror is rounded: to suggest them makes it write
    to its registry once more for each entity, a sixth of the time that a hundred miners take it.
    """

    platform = "sensor"
    unit: str | None = None
    state_class: str | None = None
    options: tuple[str, ...] = ()

    def own(self) -> Fields:
        return {
            "unit_of_measurement": self.unit,
            "state_class": self.state_class,
            "options": list(self.options) or None,
            **self._state(),
        }


@dataclass(frozen=True, kw_only=True)
class BinarySensor(Component):
    """Something that is so, or is not, or is unknown."""

    platform = "binary_sensor"

    def own(self) -> Fields:
        return {"payload_on": "True", "payload_off": "False", **self._state()}


@dataclass(frozen=True, kw_only=True)
class Control(Component):
    """Something that people set. It shows what holds, never what was merely asked for."""

    command_topic: str
    command_template: str
    retain: bool = False

    def order(self) -> Fields:
        """Where an order goes, and what it says."""
        return {
            "command_topic": self.command_topic,
            "command_template": self.command_template,
            "retain": self.retain,
            "qos": 1,
        }


@dataclass(frozen=True, kw_only=True)
class Switch(Control):
    """On or off."""

    platform = "switch"

    def own(self) -> Fields:
        return {"state_on": "True", "state_off": "False", "optimistic": False, **self.order(), **self._state()}


@dataclass(frozen=True, kw_only=True)
class Number(Control):
    """A number within a range."""

    platform = "number"
    unit: str
    top: float
    step: float
    mode: str = "auto"

    def own(self) -> Fields:
        return {
            "unit_of_measurement": self.unit,
            "min": 0,
            "max": self.top,
            "step": self.step,
            "mode": self.mode,
            "optimistic": False,
            **self.order(),
            **self._state(),
        }


@dataclass(frozen=True, kw_only=True)
class Select(Control):
    """One of several."""

    platform = "select"
    options: tuple[str, ...]

    def own(self) -> Fields:
        return {"options": list(self.options), "optimistic": False, **self.order(), **self._state()}


@dataclass(frozen=True, kw_only=True)
class Button(Control):
    """Something to be done once."""

    platform = "button"

    def own(self) -> Fields:
        return self.order()


@dataclass(frozen=True, kw_only=True)
class Happening(Component):
    """What has happened, straight from the topic of a device's events."""

    platform = "event"
    topic: str
    event_types: tuple[str, ...]
    template: str

    def own(self) -> Fields:
        return {"state_topic": self.topic, "event_types": list(self.event_types), "value_template": self.template}


def place_of(component: Component) -> str:
    """Where an entity stands in its device's announcement; a button may have the key of a select."""
    return f"{component.platform}_{component.key}"
