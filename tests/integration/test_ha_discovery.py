"""The real service over a real mosquitto: what it says survives it, and a will says when nobody shows the farm."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.bus import Arrival, Bus, MqttLink
from shared.clock import SystemClock
from shared.messages import EmergencyStop, Override, OverrideKind
from shared.topics import EMERGENCY_STOP, MINER_OVERRIDE
from tests import brokers
from tests.shown_farm import AGENT, FARM, Pen
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
MINER = "homeassistant/device/sunherd_home_axe-1/config"
MIRROR = "sunherd/mirror/miner-axe-1/state"


class Stage:
    """A broker, an ear for everything, and the service in a process of its own."""

    def __init__(self, broker: brokers.Real, directory: Path) -> None:
        self.broker = broker
        self.heard: dict[str, bytes] = {}
        self._directory = directory
        clock = SystemClock()
        self.bus = Bus(MqttLink(broker.address(), "ear"), clock, instance="ear")
        self.bus.subscribe_raw("#", self._hear)
        self.pen = Pen(clock, self.bus.publish)
        self.bus.start()
        assert eventually(self.bus.is_synced)
        self.process = self.start()

    def _hear(self, arrival: Arrival) -> None:
        self.heard[arrival.path] = arrival.payload

    def start(self) -> subprocess.Popen[bytes]:
        section = {"url": self.broker.running.url, "username": self.broker.running.username}
        path = self._directory / "farm.yaml"
        path.write_text(json.dumps({**FARM, "broker": section}), encoding="utf-8")
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("SUNHERD")},
            "PYTHONPATH": str(ROOT),
            "SUNHERD_FARM": str(path),
            "SUNHERD_INSTANCE": "test",
            "SUNHERD_SETTLE_SECONDS": "0",
            "MQTT_PASSWORD": self.broker.running.password,
            "HA_TOKEN": "token",
        }
        return subprocess.Popen([sys.executable, "-m", "services.ha_discovery"], env=environment)

    def value(self, key: str) -> object:
        return json.loads(self.heard.get(MIRROR) or "{}").get("values", {}).get(key)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.bus.stop()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    broker = brokers.start("mosquitto", tmp_path / "broker")
    assert isinstance(broker, brokers.Real)
    found = Stage(broker, tmp_path)
    yield found
    found.stop()
    broker.stop()


def test_a_farm_is_announced_shown_and_goes_away_with_whoever_shows_it(stage: Stage) -> None:
    assert eventually(lambda: MINER in stage.heard and MIRROR in stage.heard, 15)
    stage.pen.beat(AGENT)
    stage.pen.reading("axe-1")
    assert eventually(lambda: stage.value("power") == 20.0)
    pause = Override(at=stage.pen.clock.now(), kind=OverrideKind.PAUSE, by="Ada")
    stage.bus.publish(MINER_OVERRIDE, "axe-1", pause)
    assert eventually(lambda: stage.value("automatic") is False)
    stop = EmergencyStop(at=stage.pen.clock.now(), active=True, by="Ada")
    stage.bus.publish(EMERGENCY_STOP, "home", stop)
    assert eventually(lambda: b'"emergency_stop_active":true' in stage.heard["sunherd/mirror/farm-home/state"])

    presence = json.loads(stage.heard[MINER])["availability"][0]["topic"]
    assert json.loads(stage.heard[presence])["status"] == "online"
    stage.process.kill()
    stage.process.wait(10)
    assert eventually(lambda: json.loads(stage.heard[presence])["status"] == "offline")

    del stage.heard[MIRROR]
    stage.process = stage.start()
    assert eventually(lambda: stage.value("automatic") is False, 15), "what people want is shown again"


def test_a_broker_that_lost_its_memory_is_told_everything_anew(stage: Stage, tmp_path: Path) -> None:
    assert eventually(lambda: MINER in stage.heard and MIRROR in stage.heard, 15)
    stage.broker.kill()
    assert eventually(lambda: not stage.bus.is_up())
    for memory in (tmp_path / "broker").rglob("*.db"):
        memory.unlink()
    stage.heard.clear()
    stage.broker.restart()
    assert eventually(lambda: MINER in stage.heard and MIRROR in stage.heard, 30)
