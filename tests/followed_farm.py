"""Real services on a real broker, each a process of its own, whose farm file a test edits while they run."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.broker import RunningBroker, start_broker
from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.bus import Bus, MqttLink, Received
from shared.clock import SystemClock
from shared.launch import address_of
from shared.messages import Event, Following, MinerTelemetry, Presence
from shared.topics import MINER_TELEMETRY, SERVICE_EVENT, SERVICE_PRESENCE
from tests.embedded_farm import Ear
from tests.waiting import eventually

ROOT = Path(__file__).parents[1]
SENSOR, TOKEN = "sensor.battery_soc", "token-of-the-stand-in"
PATIENT_SECONDS = 30.0

FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}, poll: 1 s}}}}
miners:
{miners}
rules: {{minimum_off: 0 s, starts_per_day: 100, stagger_w: 100000, poll: 0.3 s}}
"""


class FollowedFarm:
    """A battery, miners, a broker, and the processes that were started."""

    def __init__(self, directory: Path, miners: int) -> None:
        clock = SystemClock()
        self.file = directory / "farm.yaml"
        self.broker: RunningBroker = start_broker(directory / "broker", port=0)
        self.home_assistant = HomeAssistantStandIn(token=TOKEN, clock=clock)
        self.home_assistant.start()
        self.soc(80)
        self.miners = [VnishStandIn("1.2.6", clock=clock) for _ in range(miners)]
        self._servers = [HttpServer(miner.handle) for miner in self.miners]
        self.ports = [server.start() for server in self._servers]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.listened: list[tuple[str, MinerTelemetry]] = []
        self.instances: dict[str, Presence] = {}
        self.told: list[tuple[str, Event]] = []
        self._directory = directory
        link = MqttLink(address_of(self.broker.url, self.broker.username, self.broker.password), "ear")
        self.ear = Ear(Bus(link, clock, instance="ear"))
        self.ear.bus.subscribe(MINER_TELEMETRY, self._telemetry)
        self.ear.bus.subscribe(SERVICE_PRESENCE, self._presence)
        self.ear.bus.subscribe(SERVICE_EVENT, self._event)
        self.ear.listen()

    def soc(self, percent: float) -> None:
        self.home_assistant.set_state(SENSOR, str(percent), {"unit_of_measurement": "%"})

    def section(self, index: int, **keys: object) -> str:
        """A miner's line in the farm file."""
        told = {"driver": "vnish", "host": f'"127.0.0.1:{self.ports[index]}"', "stop_soc": 73, "resume_soc": 75} | keys
        return f"  m{index}: {{{', '.join(f'{key}: {value}' for key, value in told.items())}}}"

    def text(self, *sections: str) -> str:
        return FARM.format(url=self.home_assistant.url, sensor=SENSOR, miners="\n".join(sections) or "  {}")

    def write(self, text: str) -> None:
        """In place, as some editors do."""
        self.file.write_text(text, encoding="utf-8")

    def replace(self, text: str) -> None:
        """By another file, as other editors and the console do."""
        fresh = self.file.with_name("fresh")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.file)

    def start(self, *services: str, instance: str = "here", settle: str = "0") -> None:
        for service in services:
            with (self._directory / f"{service}-{instance}.log").open("a") as log:
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", f"services.{service}"],
                        cwd=self._directory,
                        env=self._environment(instance, settle),
                        stdout=log,
                        stderr=log,
                    )
                )

    def log(self, service: str, instance: str = "here") -> str:
        return (self._directory / f"{service}-{instance}.log").read_text(encoding="utf-8")

    def codes(self, service: str) -> list[str]:
        """The codes of what a service has told of the farm file."""
        return [event.code for who, event in list(self.told) if who.startswith(service)]

    def born(self, service: str, instance: str = "here") -> object:
        """When the present life of a service began; None while it is not there."""
        found = self.instances.get(f"{service}-{instance}")
        return None if found is None or found.status != "online" else found.started_at

    def orders(self) -> list[int]:
        """How often each miner was told to do anything."""
        return [len(miner.controls()) for miner in self.miners]

    def was_led(self) -> bool:
        """Whether, of all readings so far, none shows an agent that had no command to follow but at its beginning."""
        first: dict[str, bool] = {}
        for name, telemetry in list(self.listened):
            led = telemetry.following is Following.COMMAND
            if first.get(name) and not led:
                return False
            first[name] = first.get(name, False) or led
        return True

    def retained(self, identifier: str) -> set[str]:
        """The channels of all that the broker remembers under an id, asked anew."""
        link = MqttLink(address_of(self.broker.url, self.broker.username, self.broker.password), "asking")
        bus, found = Bus(link, SystemClock(), instance="asking"), set[str]()
        bus.subscribe_raw(
            f"sunherd/+/{identifier}/+",
            lambda arrival: found.add("/".join(arrival.path.split("/")[1::2])) if arrival.retained else None,
        )
        bus.start()
        try:
            assert eventually(bus.is_synced)
        finally:
            bus.stop()
        return found

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(20)
        self.ear.bus.stop()
        self.broker.stop()
        self.home_assistant.stop()
        for server in self._servers:
            server.stop()

    def _environment(self, instance: str, settle: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUNHERD", "HA_", "MQTT_"))}
        return kept | {
            "PYTHONPATH": str(ROOT),
            "SUNHERD_FARM": str(self.file),
            "SUNHERD_BROKER__URL": self.broker.url,
            "SUNHERD_BROKER__USERNAME": self.broker.username,
            "SUNHERD_INSTANCE": instance,
            "SUNHERD_SETTLE_SECONDS": settle,
            "MQTT_PASSWORD": self.broker.password,
            "HA_TOKEN": TOKEN,
        }

    def _telemetry(self, received: Received[MinerTelemetry]) -> None:
        if received.message is not None and not received.retained:
            self.listened.append((received.identifier, received.message))

    def _presence(self, received: Received[Presence]) -> None:
        if received.message is not None:
            self.instances[received.identifier] = received.message

    def _event(self, received: Received[Event]) -> None:
        if received.message is not None and received.message.code.startswith("farm_file"):
            self.told.append((received.identifier, received.message))


@contextmanager
def followed_farm(directory: Path, *, miners: int, listed: Sequence[int]) -> Iterator[FollowedFarm]:
    """A farm of so many stand-ins, of which these stand in the farm file."""
    farm = FollowedFarm(directory, miners)
    try:
        farm.write(farm.text(*(farm.section(index) for index in listed)))
        yield farm
    finally:
        farm.stop()
