"""`python -m deploy.console` in a directory, as a person would call it, and a farm of words on a real broker."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.bus import Bus, MqttLink
from shared.clock import SystemClock
from shared.messages import (
    PAUSE,
    EngineEpoch,
    Following,
    Ladder,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
    Presence,
    SiteTelemetry,
)
from shared.topics import ENGINE_EPOCH, MINER_COMMAND, MINER_TELEMETRY, SERVICE_PRESENCE, SITE_TELEMETRY
from tests.brokers import Real, start
from tests.waiting import eventually

ROOT = Path(__file__).parents[1]
ENGINE, AGENT = "policy_engine-test", "bitaxe_agent-test"
DAY = OperatingPoint(name="day", power_w=12, voltage_mv=1150, frequency_mhz=450)
FARM = """\
site: {{time_zone: Europe/Lisbon}}
broker: {{url: "mqtt://127.0.0.1:{port}", username: {username}}}
battery: {{mqtt: {{preset: evcc}}}}
miners:
  bitaxe-1: {{driver: bitaxe, host: 192.168.1.100}}
  bitaxe-2: {{driver: bitaxe, host: 192.168.1.101}}
groups:
  shelf: {{members: [bitaxe-1]}}
"""


def environment(**variables: str) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SUNHERD", "MQTT"))}
    return {**inherited, "PYTHONPATH": str(ROOT), **variables}


def console(directory: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.console", *words],
        cwd=directory,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@contextmanager
def staying(directory: Path, *words: str, **variables: str) -> Iterator[Callable[[], str]]:
    """Runs a command that stays; the value says what it has printed so far. It is ended by Ctrl-C."""
    out = directory / "staying.out"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.console", *words],
            cwd=directory,
            env=environment(**variables),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield lambda: out.read_text(encoding="utf-8")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


class FarmOfWords:
    """A broker, a farm file, and a bus that says whatever a test wants to be said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        broker = start("mosquitto", directory / "broker")
        assert isinstance(broker, Real)
        self.broker = broker
        running = broker.running
        text = FARM.format(port=running.port, username=running.username)
        (directory / "farm.yaml").write_text(text, encoding="utf-8")
        (directory / ".env").write_text(f"MQTT_PASSWORD={running.password}\n", encoding="utf-8")
        self.clock = SystemClock()
        self.bus = Bus(MqttLink(broker.address(), "a-test"), self.clock, instance="a-test")
        self.bus.start()
        assert eventually(self.bus.is_synced)

    def close(self) -> None:
        self.bus.stop()
        self.broker.stop()

    def say_all(self) -> None:
        """What a farm says in which all is well: retained words, older than any listener."""
        now = self.clock.now()
        self.bus.publish(ENGINE_EPOCH, "home", EngineEpoch(at=now, engine=ENGINE, epoch=7))
        site = SiteTelemetry(at=now, source="test", state_of_charge_percent=78.4, confirmed_at=now)
        self.bus.publish(SITE_TELEMETRY, "home", site)
        for miner in ("bitaxe-1", "bitaxe-2"):
            self.bus.publish(MINER_TELEMETRY, miner, self.reading())
            self.bus.publish(MINER_COMMAND, miner, self.command())

    def reading(self, **changed: object) -> MinerTelemetry:
        values: dict[str, object] = {
            "at": self.clock.now(),
            "driver": "bitaxe",
            "reachable": True,
            "state": MinerState.HASHING,
            "hashrate_ths": 0.45,
            "power_w": 11.5,
            "voltage_mv": 1150,
            "frequency_mhz": 450.0,
            "point": "day",
            "ladder": Ladder(points=(PAUSE, DAY), normal="day"),
            "following": Following.COMMAND,
            "desired": "day",
            "settled": True,
            "by": AGENT,
        }
        return MinerTelemetry.model_validate({**values, **changed})

    def command(self, **changed: object) -> MinerCommand:
        now = self.clock.now()
        values: dict[str, object] = {
            "at": now,
            "engine": ENGINE,
            "epoch": 7,
            "expires_at": now.replace(year=now.year + 1),
            "point": DAY,
            "code": "no_limit",
            "sentence": "nothing holds it back",
            "since": now,
        }
        return MinerCommand.model_validate({**values, **changed})

    def beat(self, instance: str) -> None:
        service = instance.partition("-")[0]
        presence = Presence(at=self.clock.now(), service=service, instance=instance, status="online")
        self.bus.publish(SERVICE_PRESENCE, instance, presence)

    @contextmanager
    def beating(self, *instances: str) -> Iterator[None]:
        """Heartbeats of these for as long as the block lasts."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(0.3):
                for instance in instances:
                    self.beat(instance)

        thread = threading.Thread(target=beat)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
