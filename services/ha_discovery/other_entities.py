"""Which entities an outlet, a group, a replica and the farm have. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from services.ha_discovery import orders
from services.ha_discovery.components import BinarySensor, Button, Component, Needs, Sensor
from services.ha_discovery.entities import DIAGNOSTIC, automatic, hashrate, power, problem, watts
from services.ha_discovery.facts import Facts
from services.ha_discovery.names import Name
from services.ha_discovery.payload import Announcement, Device
from shared.topics import EMERGENCY_STOP, GROUP_OVERRIDE, GROUP_REQUEST

MODES = ("automatic", "observing", "emergency_stop", "no_engine")
_STOP_ACTIVE = "emergency_stop_active"


def plug_announcement(name: Name, facts: Facts, *, of_strip: bool) -> Announcement:
    """The outlet of a miner; one without a meter tells only whether it is on."""
    # All outlets of a strip have its address: Home Assistant would make one device of them.
    mac = None if of_strip else facts.mac
    metered = tuple(_metered()) if facts.metered else ()
    on = BinarySensor(key="plug_on", name="On", device_class="power")
    return Announcement(Device(name, "TP-Link", facts.model, facts.firmware, mac), (on, *metered))


def _metered() -> Iterator[Component]:
    for key, name, device_class, unit in (
        ("plug_power", "Power", "power", "W"),
        ("plug_voltage", "Voltage", "voltage", "V"),
        ("plug_current", "Current", "current", "A"),
    ):
        yield Sensor(key=key, name=name, device_class=device_class, unit=unit, state_class="measurement")
    yield Sensor(
        key="plug_energy_today",
        name="Energy today",
        device_class="energy",
        unit="kWh",
        state_class="total_increasing",
    )


def group_announcement(name: Name, prefix: str, top_w: float) -> Announcement:
    """A group of miners."""
    components = (
        automatic(GROUP_OVERRIDE.path(prefix, name.id)),
        watts(GROUP_REQUEST.path(prefix, name.id), top_w),
        power("power_covers", "miners"),
        hashrate("hashrate_covers", "miners"),
        _hashing(),
    )
    return Announcement(Device(name, "Sunherd", "Group of miners"), components, Needs.SERVICE)


def service_announcement(name: Name, service: str) -> Announcement:
    """One replica of a service."""
    components = (
        BinarySensor(key="running", name="Running", device_class="running", category=DIAGNOSTIC),
        Sensor(key="version", name="Version", icon="mdi:tag", category=DIAGNOSTIC),
        Sensor(key="tends", name="Tends", icon="mdi:counter", category=DIAGNOSTIC),
    )
    return Announcement(Device(name, "Sunherd", service), components, Needs.SERVICE)


def farm_announcement(name: Name, prefix: str, *, battery: bool) -> Announcement:
    """The farm. Its two buttons work whatever else is away: they go to the latch that every agent obeys."""
    topic = EMERGENCY_STOP.path(prefix, name.site)
    active = name.entity_id(BinarySensor.platform, _STOP_ACTIVE)
    stop = _latch("emergency_stop", "Emergency stop", "mdi:alert-octagon", topic, orders.emergency_stop())
    resume = _latch("resume", "Resume", "mdi:play-circle", topic, orders.resume(active))
    shown = (replace(each, needs=Needs.SERVICE) for each in _farm(battery=battery))
    return Announcement(Device(name, "Sunherd"), (*shown, stop, resume), Needs.NOTHING)


def _farm(*, battery: bool) -> Iterator[Component]:
    yield hashrate("hashrate_covers", "miners")
    yield power("power_covers", "miners")
    yield _hashing()
    yield Sensor(
        key="miners_covered",
        name="Miners covered",
        icon="mdi:counter",
        state_class="measurement",
        category=DIAGNOSTIC,
        attributes=("miners",),
    )
    if battery:
        yield Sensor(
            key="state_of_charge",
            name="State of charge",
            device_class="battery",
            unit="%",
            state_class="measurement",
        )
    yield Sensor(key="mode", name="Mode", icon="mdi:robot", device_class="enum", options=MODES)
    yield BinarySensor(
        key=_STOP_ACTIVE,
        name="Emergency stop active",
        device_class="safety",
        attributes=("emergency_stop_at", "emergency_stop_by"),
    )
    yield problem()


def _hashing() -> Sensor:
    return Sensor(
        key="miners_hashing",
        name="Miners hashing",
        icon="mdi:pickaxe",
        state_class="measurement",
        attributes=("miners_covered", "miners"),
    )


def _latch(key: str, name: str, icon: str, topic: str, template: str) -> Button:
    return Button(
        key=key,
        name=name,
        icon=icon,
        command_topic=topic,
        command_template=template,
        retain=True,
    )
