"""Which entities a miner has, its worker among them: only those that it can have. Pure."""

from collections.abc import Iterator

from services.ha_discovery.components import Component, Needs, Sensor
from services.ha_discovery.entities import DIAGNOSTIC, hashrate, power, problem
from services.ha_discovery.health import Health
from services.ha_discovery.miner_controls import buttons, controls
from services.ha_discovery.miner_sheet import MinerSheet
from services.ha_discovery.payload import Announcement, Device
from shared.messages import MinerState

_MANUFACTURERS = {"vnish": "Bitmain", "bitaxe": "Bitaxe"}
_STATES = tuple(state.value for state in MinerState if state is not MinerState.UNKNOWN)


def miner_announcement(sheet: MinerSheet) -> Announcement:
    """A miner as a device."""
    facts = sheet.facts
    device = Device(sheet.name, _MANUFACTURERS.get(sheet.settings.driver), facts.model, facts.firmware, facts.mac)
    parts = (_measured(sheet), _decided(), controls(sheet), buttons(sheet), _worker(sheet))
    return Announcement(device, tuple(component for part in parts for component in part))


def _measured(sheet: MinerSheet) -> Iterator[Component]:
    yield power()
    yield Sensor(
        key="energy",
        name="Energy",
        device_class="energy",
        unit="kWh",
        state_class="total_increasing",
        needs=Needs.SERVICE,
    )
    if not sheet.has_interface:
        return
    yield hashrate()
    yield Sensor(
        key="efficiency",
        name="Efficiency",
        icon="mdi:lightning-bolt-circle",
        unit="J/TH",
        state_class="measurement",
    )
    yield _temperature("chip_temperature", "Chip temperature")
    if sheet.settings.driver == "bitaxe":
        yield _temperature("regulator_temperature", "Regulator temperature")
    yield from _counters()


def _counters() -> Iterator[Component]:
    yield Sensor(
        key="shares",
        name="Shares",
        icon="mdi:check-decagram",
        state_class="total_increasing",
        category=DIAGNOSTIC,
    )
    yield Sensor(
        key="uptime",
        name="Uptime",
        device_class="duration",
        unit="s",
        state_class="measurement",
        category=DIAGNOSTIC,
    )


def _temperature(key: str, name: str) -> Sensor:
    return Sensor(key=key, name=name, device_class="temperature", unit="°C", state_class="measurement")


def _decided() -> Iterator[Component]:
    yield Sensor(key="state", name="State", icon="mdi:state-machine", device_class="enum", options=_STATES)
    yield Sensor(
        key="health",
        name="Health",
        icon="mdi:heart-pulse",
        device_class="enum",
        options=tuple(Health),
        needs=Needs.SERVICE,
    )
    yield Sensor(
        key="why",
        name="Why",
        icon="mdi:comment-question-outline",
        needs=Needs.SERVICE,
        attributes_template="{{ value_json.get('why', {}) | tojson }}",
    )
    yield Sensor(key="last_seen", name="Last seen", device_class="timestamp", category=DIAGNOSTIC, needs=Needs.SERVICE)
    yield problem()


def _worker(sheet: MinerSheet) -> Iterator[Component]:
    if sheet.settings.worker is None:
        return
    yield Sensor(
        key="worker",
        name="Worker",
        icon="mdi:server-network",
        device_class="enum",
        options=("online", "offline"),
        needs=Needs.SERVICE,
    )
    yield Sensor(
        key="worker_hashrate",
        name="Worker hashrate",
        icon="mdi:pickaxe",
        unit="TH/s",
        state_class="measurement",
        needs=Needs.SERVICE,
    )
    yield Sensor(
        key="worker_last_seen",
        name="Worker last seen",
        device_class="timestamp",
        category=DIAGNOSTIC,
        needs=Needs.SERVICE,
    )
