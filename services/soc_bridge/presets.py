"""Where known sources put their values on a broker. Data; the signs are turned to ours here.

Sources: Victron's dbus-flashmq README and the paths of its system service; the topics of SolarAssistant; evcc's MQTT
reference (its battery power counts discharging as positive); Home Assistant's `mqtt_statestream`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.soc_bridge.json_path import parse_path
from services.soc_bridge.site_state import Quantity
from shared.settings import MqttSourceSettings
from shared.settings.battery import MqttValueSettings

PORTAL = "{portal}"


@dataclass(frozen=True)
class Place:
    """Where one quantity stands. A topic may hold `{portal}` until the portal is known."""

    topic: str
    steps: tuple[str | int, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True)
class Plan:
    """What to listen to. `alive`: a filter whose live messages prove that the last values still hold."""

    places: Mapping[Quantity, Place]
    alive: str | None = None
    base: str = ""

    @property
    def needs_portal(self) -> bool:
        topics = [place.topic for place in self.places.values()] + [self.alive or ""]
        return any(PORTAL in topic for topic in topics)


@dataclass(frozen=True)
class _Preset:
    base: str
    alive: str
    places: Mapping[Quantity, Place] = field(default_factory=dict)


_VALUE = ("value",)
_PRESETS = {
    # Load and mains are told per phase only: an owner of one phase names them himself.
    "victron": _Preset(
        "N/{portal}",
        "system/0/#",
        {
            Quantity.STATE_OF_CHARGE: Place("system/0/Dc/Battery/Soc", _VALUE),
            Quantity.BATTERY_POWER: Place("system/0/Dc/Battery/Power", _VALUE),
            Quantity.PV_POWER: Place("system/0/Dc/Pv/Power", _VALUE),
        },
    ),
    "solar_assistant": _Preset(
        "solar_assistant",
        "total/+/state",
        {
            Quantity.STATE_OF_CHARGE: Place("total/battery_state_of_charge/state"),
            Quantity.BATTERY_POWER: Place("total/battery_power/state"),
            Quantity.PV_POWER: Place("inverter_1/pv_power/state"),
            Quantity.LOAD_POWER: Place("inverter_1/load_power/state"),
            Quantity.GRID_POWER: Place("inverter_1/grid_power/state"),
        },
    ),
    "evcc": _Preset(
        "evcc",
        "updated",
        {
            Quantity.STATE_OF_CHARGE: Place("site/battery/soc"),
            Quantity.BATTERY_POWER: Place("site/battery/power", scale=-1.0),
            Quantity.PV_POWER: Place("site/pvPower"),
            Quantity.LOAD_POWER: Place("site/homePower"),
            Quantity.GRID_POWER: Place("site/grid/power"),
        },
    ),
    # Not base/#: other devices announce themselves below the same base.
    "statestream": _Preset("homeassistant", "+/+/state"),
}


def plan(settings: MqttSourceSettings) -> Plan:
    """The preset with the owner's own values above it. Raises ValueError for a path that is none."""
    preset = _PRESETS.get(settings.preset or "", _Preset("", ""))
    base = (settings.base or preset.base).rstrip("/")
    if settings.portal_id is not None:
        base = base.replace(PORTAL, settings.portal_id)
    places = {
        quantity: Place(f"{base}/{place.topic}", place.steps, place.scale) for quantity, place in preset.places.items()
    }
    for quantity in Quantity:
        own = getattr(settings, quantity)
        if own is not None:
            places[quantity] = _own_place(own, settings.preset, base)
    alive = settings.alive or (f"{base}/{preset.alive}" if preset.alive else None)
    return Plan(places, alive, base)


def _own_place(own: MqttValueSettings | str, preset: str | None, base: str) -> Place:
    value = MqttValueSettings(topic=own) if isinstance(own, str) else own
    topic = value.topic
    if preset == "statestream" and "/" not in topic and "." in topic:
        # An entity id instead of its topic.
        topic = f"{base}/{topic.replace('.', '/', 1)}/state"
    return Place(topic, parse_path(value.path), value.scale)
