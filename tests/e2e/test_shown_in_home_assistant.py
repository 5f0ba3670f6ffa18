"""What a real Home Assistant makes of us: entities, their values, what a person does there, and every kind of outage.

Needs SUNHERD_E2E_HA_URL and SUNHERD_E2E_HA_TOKEN. It is connected to a broker of the test's own, and left without
one: this file comes last of those that look at it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.broker import RunningBroker, find_mosquitto
from shared.bus import BrokerAddress, Bus, MqttLink, Packet, Received
from shared.clock import SystemClock
from shared.messages import Event, Override, OverrideKind, Request
from shared.topics import MINER_EVENT, MINER_OVERRIDE, MINER_REQUEST
from tests.embedded_farm import ROOT, EmbeddedFarm
from tests.home_assistant_client import TOKEN, URL, HomeAssistantClient
from tests.shown_farm import AGENT, ENGINE, FARM, POLLER, Pen
from tests.waiting import eventually

pytestmark = [
    pytest.mark.skipif(not (URL and TOKEN), reason="NO REAL HOME ASSISTANT: set SUNHERD_E2E_HA_URL and _TOKEN"),
    pytest.mark.skipif(find_mosquitto() is None, reason="MOSQUITTO IS NOT INSTALLED"),
]

SHOWN = {
    "sensor.axe_1_hashrate": ("1.23", None, "TH/s", "measurement"),
    "sensor.axe_1_power": ("20", "power", "W", "measurement"),
    "sensor.axe_1_energy": ("0.0", "energy", "kWh", "total_increasing"),
    "sensor.axe_1_efficiency": ("16.5", None, "J/TH", "measurement"),
    "sensor.axe_1_chip_temperature": ("58.5", "temperature", "°C", "measurement"),
    "sensor.axe_1_regulator_temperature": ("61.0", "temperature", "°C", "measurement"),
    "sensor.axe_1_shares": ("100", None, None, "total_increasing"),
    "sensor.axe_1_uptime": ("3600", "duration", "s", "measurement"),
    "sensor.axe_1_state": ("hashing", "enum", None, None),
    "sensor.axe_1_health": ("ok", "enum", None, None),
    "sensor.axe_1_why": ("SoC 80.1 % > 75 %", None, None, None),
    "binary_sensor.axe_1_problem": ("off", "problem", None, None),
    "switch.axe_1_automatic": ("on", None, None, None),
    "select.axe_1_force_on": ("off", None, None, None),
    "select.axe_1_profile": ("automatic", None, None, None),
    "number.axe_1_stop_soc": ("40.0", None, "%", None),
    "number.axe_1_resume_soc": ("50.0", None, "%", None),
    "number.axe_1_max_w": ("unknown", "power", "W", None),
    "number.s19_20_max_w": ("3000.0", "power", "W", None),
    "sensor.s19_20_worker": ("unknown", "enum", None, None),
    "sensor.s19_20_worker_hashrate": ("unknown", None, "TH/s", "measurement"),
    "sensor.s19_20_worker_last_seen": ("unknown", "timestamp", None, None),
    "binary_sensor.s19_20_plug_on": ("on", "power", None, None),
    "sensor.s19_20_plug_power": ("1100", "power", "W", "measurement"),
    "sensor.s19_20_plug_energy_today": ("5.0", "energy", "kWh", "total_increasing"),
    "sensor.s19_20_plug_voltage": ("230.1", "voltage", "V", "measurement"),
    "sensor.s19_20_plug_current": ("14.0", "current", "A", "measurement"),
    "binary_sensor.rig_7_plug_on": ("on", "power", None, None),
    "switch.garage_automatic": ("on", None, None, None),
    "number.garage_max_w": ("4000.0", "power", "W", None),
    "sensor.garage_power": ("3200", "power", "W", "measurement"),
    "sensor.garage_hashrate": ("95.5", None, "TH/s", "measurement"),
    "sensor.garage_miners_hashing": ("1", None, None, "measurement"),
    "sensor.sunherd_hashrate": ("96.73", None, "TH/s", "measurement"),
    "sensor.sunherd_power": ("3220", "power", "W", "measurement"),
    "sensor.sunherd_miners_covered": ("2", None, None, "measurement"),
    "sensor.sunherd_miners_hashing": ("2", None, None, "measurement"),
    "sensor.sunherd_state_of_charge": ("unknown", "battery", "%", "measurement"),
    "sensor.sunherd_mode": ("automatic", "enum", None, None),
    "binary_sensor.sunherd_emergency_stop_active": ("off", "safety", None, None),
    "binary_sensor.sunherd_problem": ("on", "problem", None, None),
    "button.sunherd_emergency_stop": ("unknown", None, None, None),
    "button.sunherd_resume": ("unknown", None, None, None),
    "button.axe_1_force_on_for_1_h": ("unknown", None, None, None),
    "button.axe_1_restart": ("unknown", None, None, None),
    "button.axe_1_identify": ("unknown", None, None, None),
    "button.axe_1_clear_unstable": ("unknown", None, None, None),
    "button.rig_7_power_cycle": ("unknown", None, None, None),
    "event.axe_1_happened": ("unknown", None, None, None),
    f"binary_sensor.{AGENT.replace('-', '_')}_running": ("on", "running", None, None),
}
"""Entity: state, device class, unit, state class."""

ENTITIES_OF_A_BITAXE = 24


class World:
    """Everybody else on the broker: miners, agents and engine, by their words alone."""

    def __init__(self, broker: RunningBroker) -> None:
        self.clock = SystemClock()
        address = BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password)
        self.bus = Bus(MqttLink(address, "world"), self.clock, instance="world")
        self.pen = Pen(self.clock, self.bus.publish)
        self.bus.start()
        assert eventually(self.bus.is_synced)

    def tell(self, path: str, told: object) -> None:
        """A retained message as it is; None clears it."""
        payload = b"" if told is None else json.dumps(told).encode()
        self.bus.publish_raw(Packet(path, payload, qos=1, retain=True))

    def speak(self) -> None:
        """As in one poll."""
        pen = self.pen
        pen.beat(AGENT, ENGINE, POLLER)
        pen.reading("axe-1", regulator_temperature_celsius=61.2, shares_accepted=100, uptime_seconds=3600.0)
        pen.reading("s19-20", driver="vnish", power_w=3200.0, hashrate_ths=95.5)
        pen.outlet("s19-20", voltage_v=230.1, current_a=14.0, energy_today_wh=5000.0)
        pen.outlet("rig-7")

    def decide(self) -> None:
        for miner in ("axe-1", "s19-20"):
            self.pen.decide(miner)


@contextmanager
def showing(directory: Path, broker: RunningBroker, farm: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """The real service, in a process of its own."""
    section = {"url": broker.url, "username": broker.username}
    (directory / "farm.yaml").write_text(json.dumps({**farm, "broker": section}), encoding="utf-8")
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("SUNHERD")},
        "PYTHONPATH": str(ROOT),
        "SUNHERD_FARM": str(directory / "farm.yaml"),
        "SUNHERD_SETTLE_SECONDS": "0",
        "MQTT_PASSWORD": broker.password,
        "HA_TOKEN": TOKEN,
    }
    process = subprocess.Popen([sys.executable, "-m", "services.ha_discovery"], env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.fixture
def world(broker: RunningBroker) -> Iterator[World]:
    found = World(broker)
    found.speak()
    found.decide()
    yield found
    found.bus.stop()


def as_shown(client: HomeAssistantClient, world: World | None = None) -> dict[str, tuple[Any, ...]]:
    if world is not None:
        world.speak()
    states = client.states()
    kinds = ("device_class", "unit_of_measurement", "state_class")
    return {
        entity: (_told(entity, states[entity]["state"]), *(states[entity]["attributes"].get(kind) for kind in kinds))
        for entity in SHOWN
        if entity in states
    }


def _told(entity: str, state: str) -> str:
    """A button's state is when it was last pressed, which Home Assistant keeps from other tests."""
    return "unknown" if entity.startswith("button.") and state != "unavailable" else state


def is_whole(client: HomeAssistantClient, world: World, seconds: float = 30) -> bool:
    return eventually(lambda: _calmly(as_shown(client, world)) == SHOWN, seconds)


def _calmly(shown: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """Energy is counted on while the test looks, and asking again comes soon enough."""
    time.sleep(0.2)
    energy = shown.get("sensor.axe_1_energy")
    if energy is not None and energy[0].replace(".", "").isdigit():
        shown["sensor.axe_1_energy"] = ("0.0", *energy[1:])
    return shown


def test_everything_is_shown_and_comes_back_whole_after_every_kind_of_outage(
    tmp_path: Path, broker: RunningBroker, world: World, home_assistant: HomeAssistantClient
) -> None:
    with showing(tmp_path, broker, FARM) as process:
        if not is_whole(home_assistant, world):
            assert as_shown(home_assistant, world) == SHOWN
        why = home_assistant.attributes("sensor.axe_1_why")
        assert (why["soc"], why["code"]) == (80.1, "soc_ok")
        assert "miner_cap" in why["other_ceilings"]

        world.pen.reading("axe-1", reachable=False, problem="unreachable")
        assert home_assistant.shows("sensor.axe_1_power", "unavailable")
        assert home_assistant.shows("sensor.axe_1_health", "unreachable"), "what is thought of it is shown all the same"
        assert home_assistant.shows("switch.axe_1_automatic", "on")
        assert is_whole(home_assistant, world), "a miner that answers again"

        broker.restart()
        assert eventually(world.bus.is_synced, 30)
        assert is_whole(home_assistant, world, 40), "the broker was restarted"

        home_assistant.reload()
        assert is_whole(home_assistant, world), "its MQTT was begun anew"

        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert home_assistant.shows("sensor.axe_1_power", "unavailable")
        assert home_assistant.shows("switch.axe_1_automatic", "unavailable")
        assert home_assistant.state("button.sunherd_emergency_stop") != "unavailable", "the emergency stop needs nobody"
        assert home_assistant.state("button.sunherd_resume") != "unavailable"

    left = {**FARM, "miners": {name: FARM["miners"][name] for name in ("s19-20", "rig-7")}}
    with showing(tmp_path, broker, left):
        assert eventually(lambda: home_assistant.state("sensor.axe_1_power") is None, 15), "it has left the farm"
        assert home_assistant.shows("sensor.s19_20_power", "3200")
    doubled = [entity for entity in home_assistant.states() if entity.endswith("_2")]
    assert doubled == []
    assert home_assistant.complaints() == []


def test_a_hundred_miners_are_announced_and_shown(
    tmp_path: Path, broker: RunningBroker, home_assistant: HomeAssistantClient, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(broker)
    names = [f"axe-{number}" for number in range(100)]
    miners = {name: {"driver": "bitaxe", "host": f"{name}.test", "stop_soc": 40, "resume_soc": 50} for name in names}
    for name in names:
        world.pen.decide(name)
    births: list[bytes] = []
    world.bus.subscribe_raw("homeassistant/status", lambda arrival: births.append(arrival.payload))
    # Until it says so it still collects subscriptions for half a second at a time, as at each start.
    assert eventually(lambda: births == [b"online"], 30), "connected to this broker, and settled"
    plainest_seconds = _the_plainest_take(world, home_assistant)
    announced: list[float] = []
    world.bus.subscribe_raw("homeassistant/device/+/config", lambda _arrival: announced.append(time.time()))

    def poll() -> None:
        world.pen.beat(AGENT, ENGINE, POLLER)
        for name in names:
            world.pen.reading(name)

    def are_shown() -> bool:
        # The last one first: to ask for all of them again and again would keep it from its work.
        time.sleep(0.2)
        return home_assistant.state("sensor.axe_99_hashrate") == "1.23" and _unlike_the_first(home_assistant) == {}

    with showing(tmp_path, broker, {**FARM, "miners": miners, "groups": {}}):
        poll()
        assert eventually(lambda: bool(announced), 20)
        for _ in range(6):  # a machine with much else to do may need longer than a reading stays young
            poll()
            if eventually(are_shown, 10):
                break
        assert _unlike_the_first(home_assistant) == {}
        took_seconds = _last_shown(home_assistant, "axe") - announced[0]
        devices = home_assistant.rendered(
            "{% for number in range(100) %}{{ device_id('sensor.axe_%d_power' | format(number)) }} {% endfor %}"
        )
        assert len(set(devices.split())) == len(names), "each is a device of its own"
    with capsys.disabled():
        said = f"announced within {announced[99] - announced[0]:.2f} s, shown after {took_seconds:.2f} s"
        print(f"\n100 miners, {100 * ENTITIES_OF_A_BITAXE} entities: {said}")
        ratio = took_seconds / plainest_seconds
        print(
            f"as many of the plainest entities there are: {plainest_seconds:.2f} s, so ours take {ratio:.2f} times that"
        )
    world.bus.stop()


def _the_plainest_take(world: World, client: HomeAssistantClient) -> float:
    """How long Home Assistant takes for as many sensors without anything else, announced and shown: s."""
    began = time.time()
    for number in range(100):
        name = f"plain-{number}"
        sensor = {"platform": "sensor", "value_template": "{{ value_json.value }}"}
        components = {
            f"value_{each}": {**sensor, "unique_id": f"{name}_{each}", "name": f"Value {each}"}
            for each in range(ENTITIES_OF_A_BITAXE)
        }
        device = {"identifiers": [name], "name": name}
        payload = {"device": device, "origin": {"name": "test"}, "state_topic": f"{name}/state"}
        world.tell(f"{name}/state", {"value": 1})
        world.tell(f"homeassistant/device/{name}/config", {**payload, "components": components})
    assert client.shows(f"sensor.plain_99_value_{ENTITIES_OF_A_BITAXE - 1}", "1", 30)
    took = _last_shown(client, "plain") - began
    for number in range(100):
        world.tell(f"homeassistant/device/plain-{number}/config", None)
        world.tell(f"plain-{number}/state", None)
    assert eventually(lambda: not _named(client, "plain"), 30)
    return took


def _named(client: HomeAssistantClient, prefix: str) -> dict[str, dict[str, Any]]:
    return {entity: state for entity, state in client.states().items() if f".{prefix}_" in entity}


def _last_shown(client: HomeAssistantClient, prefix: str) -> float:
    """Home Assistant's own word on it: whoever keeps asking takes from the time that he measures."""
    shown = _named(client, prefix)
    assert len(shown) == 100 * ENTITIES_OF_A_BITAXE
    dates = (state["last_changed"] for entity, state in shown.items() if "last_seen" not in entity)
    return max(datetime.fromisoformat(date).timestamp() for date in dates)


def _unlike_the_first(client: HomeAssistantClient) -> dict[str, str | None]:
    """Each of a hundred miners has every entity of the first, and shows the same; what differs is told."""
    shown = {entity: state["state"] for entity, state in _named(client, "axe").items()}
    of_first = {entity: state for entity, state in shown.items() if ".axe_0_" in entity and "last_seen" not in entity}
    assert len(of_first) == ENTITIES_OF_A_BITAXE - 1
    return {
        entity: shown.get(entity)
        for number in range(100)
        for entity, wanted in ((of.replace("axe_0", f"axe_{number}"), state) for of, state in of_first.items())
        if shown.get(entity) != wanted or wanted == "unavailable"
    }


# --- what a person does there, with the real engine and agent

UPSIDE_DOWN = 90


class Ear:
    """Hears what a person asks there. The real engine and agent do it."""

    def __init__(self, broker: RunningBroker) -> None:
        self.clock = SystemClock()
        address = BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password)
        self.bus = Bus(MqttLink(address, "listens"), self.clock, instance="listens")
        self.overrides: dict[str, Override] = {}
        self.requests: list[Request] = []
        self.answers: list[Event] = []
        self.bus.subscribe(MINER_REQUEST, self._asked)
        self.bus.subscribe(MINER_EVENT, self._answered)
        self.bus.subscribe(MINER_OVERRIDE, self._overridden)
        self.bus.start()
        assert eventually(self.bus.is_synced)

    def _asked(self, received: Received[Request]) -> None:
        if received.message is not None:
            self.requests.append(received.message)

    def _answered(self, received: Received[Event]) -> None:
        if received.message is not None and received.message.code.startswith("request_"):
            self.answers.append(received.message)

    def _overridden(self, received: Received[Override]) -> None:
        if received.message is not None:
            self.overrides[received.identifier] = received.message

    def kinds(self) -> list[str]:
        return [request.kind.value for request in self.requests]

    def answered(self) -> dict[object, str]:
        """By what was asked: accepted or refused."""
        return {event.numbers["kind"]: event.code.removeprefix("request_") for event in self.answers}


@pytest.fixture
def ear(broker: RunningBroker) -> Iterator[Ear]:
    found = Ear(broker)
    yield found
    found.bus.stop()


def test_what_a_person_does_there_is_done_and_shown_back(
    acting_farm: EmbeddedFarm, home_assistant: HomeAssistantClient, ear: Ear
) -> None:
    shows, do = home_assistant.shows, home_assistant.do
    assert shows("sensor.s19_20_state", "hashing", 40)

    do("switch.turn_off", "switch.s19_20_automatic")
    assert shows("switch.s19_20_automatic", "off")
    assert shows("sensor.s19_20_state", "paused", 20)
    assert shows("sensor.s19_20_why", lambda why: why.startswith("paused by Home Assistant"))
    do("select.select_option", "select.s19_20_force_on", option="off")
    assert not shows("switch.s19_20_automatic", "on", 1.5), "to end a force that is not there ends no pause"
    do("switch.turn_on", "switch.s19_20_automatic")
    assert shows("switch.s19_20_automatic", "on")
    assert shows("sensor.s19_20_state", "hashing", 30)

    do("select.select_option", "select.s19_20_force_on", option="2 h")
    assert shows("select.s19_20_force_on", "2 h")
    assert shows("sensor.s19_20_why", lambda why: why.startswith("forced on by Home Assistant"))
    do("switch.turn_on", "switch.s19_20_automatic")
    assert not shows("select.s19_20_force_on", "off", 1.5), "to end a pause that is not there ends no force"
    do("select.select_option", "select.s19_20_force_on", option="off")
    assert shows("select.s19_20_force_on", "off")
    do("button.press", "button.s19_20_force_on_for_1_h")
    assert shows("select.s19_20_force_on", "1 h")
    do("select.select_option", "select.s19_20_force_on", option="off")
    assert eventually(lambda: ear.overrides["s19-20"].kind is OverrideKind.AUTOMATIC)

    do("button.press", "button.sunherd_emergency_stop")
    assert shows("sensor.sunherd_mode", "emergency_stop")
    assert shows("sensor.s19_20_state", "paused", 20)
    do("button.press", "button.sunherd_resume")
    assert shows("binary_sensor.sunherd_emergency_stop_active", "off")
    assert shows("sensor.s19_20_state", "hashing", 30)

    do("number.set_value", "number.s19_20_stop_soc", value=60)
    assert shows("number.s19_20_stop_soc", "60.0")
    do("number.set_value", "number.s19_20_stop_soc", value=UPSIDE_DOWN)
    assert not shows("number.s19_20_stop_soc", lambda state: state != "60.0", 1.5), "what was refused is never shown"
    do("number.set_value", "number.garage_max_w", value=5000)
    assert shows("number.garage_max_w", "5000.0")
    profile = home_assistant.attributes("select.s19_20_profile")["options"][1]
    do("select.select_option", "select.s19_20_profile", option=profile)
    assert shows("select.s19_20_profile", profile)
    do("select.select_option", "select.s19_20_profile", option="automatic")
    assert shows("select.s19_20_profile", "automatic")

    ear.requests.clear()
    ear.answers.clear()
    for key in ("restart", "identify", "clear_unstable"):
        do("button.press", f"button.s19_20_{key}")
    assert eventually(lambda: ear.kinds() == ["restart", "identify", "clear_unstable"])
    # To clear is accepted, too: the restart was a try, and it is forgotten.
    wanted = dict.fromkeys(("restart", "identify", "clear_unstable"), "accepted")
    assert eventually(lambda: ear.answered() == wanted, 20), ear.answers
    event = Event(at=ear.clock.now(), code="returned", sentence="at work again")
    ear.bus.publish(MINER_EVENT, "s19-20", event)
    assert eventually(lambda: home_assistant.attributes("event.s19_20_happened")["event_type"] == "returned")
    assert home_assistant.attributes("event.s19_20_happened")["sentence"] == "at work again"
