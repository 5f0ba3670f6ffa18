"""The bridge with values that are on a broker already."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.soc_bridge.bridge import SiteBridge
from services.soc_bridge.sources import mqtt
from shared.bus import BrokerAddress, Bus, Link, MemoryBroker
from shared.launch import Context
from shared.messages import UnknownReason
from tests import brokers
from tests.integration.bridge_farm import BridgeFarm, Ear, packet
from tests.waiting import eventually

SERIAL = "N/c0ffee/system/0/Serial"
SOC = "N/c0ffee/system/0/Dc/Battery/Soc"


def battery(**settings: object) -> dict[str, Any]:
    outer = {name: settings.pop(name) for name in ("unconfirmed_after",) if name in settings}
    return {"mqtt": settings, **outer}


def keepalives(bridge: BridgeFarm) -> list[bytes]:
    return [sent.payload for sent in bridge.ear.packets if sent.path == "R/c0ffee/keepalive"]


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


def test_a_live_value_is_told_and_confirmed(broker: MemoryBroker) -> None:
    bridge = BridgeFarm(battery(state_of_charge={"topic": "bms/state", "path": "packs[1].soc"}), broker)
    broker.publish(packet("bms/state", {"packs": [{"soc": 1}, {"soc": 64.5}]}))
    told = bridge.until(lambda told: told.state_of_charge_percent == 64.5)
    assert told.confirmed_at is not None
    bridge.stop()


def test_a_remembered_value_is_told_and_does_not_confirm(broker: MemoryBroker) -> None:
    broker.publish(packet("bms/soc", "64", retain=True))
    bridge = BridgeFarm(battery(state_of_charge="bms/soc", unconfirmed_after="0.5 s"), broker)
    told = bridge.until(lambda told: told.state_of_charge_percent == 64)
    assert told.confirmed_at is None
    told = bridge.until(lambda told: told.unknown is not None)
    assert told.unknown is UnknownReason.UNCONFIRMED
    bridge.stop()


def test_a_sign_of_life_confirms_the_last_value(broker: MemoryBroker) -> None:
    broker.publish(packet("evcc/site/battery/soc", "64", retain=True))
    bridge = BridgeFarm(battery(preset="evcc", unconfirmed_after="2 s"), broker)
    bridge.until(lambda told: told.state_of_charge_percent == 64)
    broker.publish(packet("evcc/updated", "1790000000"))
    bridge.until(lambda told: told.confirmed_at is not None)
    bridge.stop()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"unavailable", UnknownReason.UNAVAILABLE),
        (b"", UnknownReason.UNAVAILABLE),
        (b"{", UnknownReason.NOT_A_NUMBER),
        (b"\xff\xfe", UnknownReason.NOT_A_NUMBER),
        (b"9" * 70_000, UnknownReason.NOT_A_NUMBER),
        (b"101", UnknownReason.OUT_OF_RANGE),
    ],
)
def test_what_is_no_state_of_charge_is_unknown_and_disturbs_nothing(
    broker: MemoryBroker, payload: bytes, reason: UnknownReason
) -> None:
    bridge = BridgeFarm(battery(state_of_charge="bms/soc", pv_power="pv/power"), broker)
    broker.publish(packet("bms/soc", "50"))
    broker.publish(packet("pv/power", "1200"))
    before = bridge.until(lambda told: told.state_of_charge_percent == 50 and told.pv_w == 1200)
    broker.publish(packet("bms/soc", payload))
    told = bridge.until(lambda told: told.unknown is not None)
    assert told.unknown is reason
    assert told.pv_w == 1200
    assert told.confirmed_at == before.confirmed_at
    broker.publish(packet("bms/soc", "51"))
    bridge.until(lambda told: told.state_of_charge_percent == 51)
    bridge.stop()


def test_evcc_counts_discharging_as_positive_and_we_do_not(broker: MemoryBroker) -> None:
    bridge = BridgeFarm(battery(preset="evcc"), broker)
    for topic, value in (("battery/soc", "64"), ("battery/power", "1500"), ("grid/power", "-300"), ("pvPower", "0")):
        broker.publish(packet(f"evcc/site/{topic}", value))
    told = bridge.until(lambda told: told.battery_w is not None and told.pv_w is not None)
    assert (told.state_of_charge_percent, told.battery_w, told.grid_w, told.pv_w) == (64, -1500, -300, 0)
    bridge.stop()


def test_statestream_takes_an_entity_id_and_its_unavailable(broker: MemoryBroker) -> None:
    bridge = BridgeFarm(battery(preset="statestream", base="ha", state_of_charge="sensor.battery_soc"), broker)
    broker.publish(packet("ha/sensor/battery_soc/state", "77.5", retain=True))
    bridge.until(lambda told: told.state_of_charge_percent == 77.5)
    broker.publish(packet("ha/sensor/battery_soc/state", "unavailable", retain=True))
    told = bridge.until(lambda told: told.unknown is not None)
    assert told.unknown is UnknownReason.UNAVAILABLE
    bridge.stop()


def test_a_venus_device_is_found_and_kept_publishing(broker: MemoryBroker) -> None:
    bridge = BridgeFarm(battery(preset="victron"), broker)
    broker.publish(packet(SERIAL, {"value": "c0ffee"}))
    assert eventually(lambda: bridge.service.step() >= 0 and keepalives(bridge))
    assert keepalives(bridge) == [b""], "the first one asks for everything"
    broker.publish(packet(SOC, {"value": 81.2}))
    broker.publish(packet("N/c0ffee/system/0/Dc/Battery/Power", {"value": -640}))
    told = bridge.until(lambda told: told.state_of_charge_percent == 81.2 and told.battery_w is not None)
    assert told.battery_w == -640
    broker.publish(packet(SOC, {"value": None}))
    assert bridge.until(lambda told: told.unknown is not None).unknown is UnknownReason.UNKNOWN
    broker.publish(packet(SOC, b""))
    assert bridge.until(lambda told: told.unknown is not UnknownReason.UNKNOWN).unknown is UnknownReason.UNAVAILABLE
    bridge.stop()


def test_the_farms_broker_coming_back_makes_the_venus_device_repeat_itself(broker: MemoryBroker) -> None:
    bridge = BridgeFarm(battery(preset="victron", portal_id="c0ffee"), broker)
    broker.publish(packet(SOC, {"value": 81}))
    bridge.until(lambda told: told.state_of_charge_percent == 81)
    broker.kill(forget=True)
    broker.revive()
    bridge.ear = Ear(broker)
    bridge.service.bus.tend()
    bridge.until(lambda told: told.state_of_charge_percent == 81)
    assert keepalives(bridge) == [b""]
    bridge.stop()


def test_values_on_another_broker(broker: MemoryBroker) -> None:
    elsewhere = MemoryBroker()
    asked: list[BrokerAddress] = []

    def link_to(address: BrokerAddress, _name: str) -> Link:
        asked.append(address)
        return elsewhere.link()

    def wire(context: Context) -> bool:
        settings = context.farm.battery
        assert settings is not None
        assert settings.mqtt is not None
        site = SiteBridge(context.service, "home", settings, "test")
        mqtt.start(context.service, settings.mqtt, context.secrets, site.hear, link_to)
        return True

    section = battery(url="mqtt://10.0.0.9:1884", username="reader", state_of_charge="bms/soc")
    bridge = BridgeFarm(section, broker, wire, SOURCE_MQTT_PASSWORD="secret")
    assert eventually(lambda: bool(elsewhere._links))
    broker.publish(packet("bms/soc", "12"))
    elsewhere.publish(packet("bms/soc", "43"))
    bridge.until(lambda told: told.state_of_charge_percent == 43)
    assert (asked[0].host, asked[0].port, asked[0].username, asked[0].password) == (
        "10.0.0.9",
        1884,
        "reader",
        "secret",
    )
    elsewhere.kill()
    bridge.until(lambda _told: "source_silent" in bridge.codes())
    assert bridge.now.state_of_charge_percent == 43
    bridge.stop()


@pytest.fixture(params=["mosquitto", "amqtt"])
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[brokers.Real]:
    started = brokers.start(request.param, tmp_path)
    assert isinstance(started, brokers.Real)
    yield started
    started.stop()


def test_values_on_another_real_broker(broker: MemoryBroker, real: brokers.Real) -> None:
    address = real.address()
    url = f"mqtt://{address.host}:{address.port}"
    section = battery(url=url, username=address.username, state_of_charge="bms/soc")
    bridge = BridgeFarm(section, broker, SOURCE_MQTT_PASSWORD=address.password or "")
    bms = Bus(real.link("bms"), bridge.clock, instance="bms")
    bms.start()

    def measures() -> bool:
        bms.publish_raw(packet("bms/soc", "43"))
        bridge.service.step()
        return bool(bridge.ear.telemetry) and bridge.now.state_of_charge_percent == 43

    assert eventually(measures)
    assert bridge.now.confirmed_at is not None
    bms.stop()
    bridge.stop()
