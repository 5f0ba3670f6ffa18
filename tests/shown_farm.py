"""A farm that is shown to Home Assistant, over a broker in memory: its messages are written, what is shown is read."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.ha_discovery.wiring import build
from shared.bus import Arrival, Bus, MemoryBroker, Packet
from shared.bus.link import LinkListener
from shared.clock import Clock, VirtualClock
from shared.launch import Context
from shared.messages import (
    PAUSE,
    Event,
    Ladder,
    Limit,
    Message,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    Mirror,
    OperatingPoint,
    PlugTelemetry,
    Presence,
)
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from shared.topics import MINER_COMMAND, MINER_TELEMETRY, PLUG_TELEMETRY, SERVICE_PRESENCE, Topic

QUIET, NORMAL, HIGH = (
    OperatingPoint(name="quiet", power_w=11),
    OperatingPoint(name="efficient", power_w=20),
    OperatingPoint(name="performance", power_w=28),
)
LADDER = Ladder(points=(PAUSE, QUIET, NORMAL, HIGH), normal="efficient")
AGENT, ENGINE, POLLER = "bitaxe_agent-test", "policy_engine-test", "pool_poller-test"

FARM: dict[str, Any] = {
    "battery": {"home_assistant": {"url": "http://ha.test:8123", "state_of_charge": "sensor.soc"}},
    "miners": {
        "axe-1": {"driver": "bitaxe", "host": "axe-1.test", "stop_soc": 40, "resume_soc": 50},
        "s19-20": {
            "driver": "vnish",
            "host": "s19-20.test",
            "stop_soc": 73,
            "resume_soc": 75,
            "max_w": 3000,
            "worker": "ckpool/bc1q/s19-20",
            "plug": {"host": "plug.test"},
        },
        "rig-7": {"driver": "plug", "nominal_w": 1100, "plug": {"host": "strip.test", "outlet": 2}},
    },
    "groups": {"garage": {"members": ["s19-20", "rig-7"], "max_w": 4000}},
    "home_assistant": {"discovery": True},
}


class Ear(LinkListener):
    """Keeps what is published, in order."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.packets: list[Packet] = []
        self.link = broker.link()
        self.link.start(self, None)
        self.link.subscribe([("#", 0)])

    def link_up(self) -> None: ...

    def link_down(self) -> None: ...

    def link_arrival(self, arrival: Arrival) -> None:
        if not arrival.retained:
            self.packets.append(Packet(arrival.path, arrival.payload))


Write = Callable[[Topic[Any], str, Any], None]


class Pen:
    """Writes the messages of everybody else."""

    def __init__(self, clock: Clock, write: Write) -> None:
        self.clock = clock
        self.write = write

    def beat(self, *instances: str, status: Any = "online", **rest: Any) -> None:
        for instance in instances:
            service = instance.partition("-")[0]
            given = {"at": self.clock.now(), "service": service, "instance": instance, "status": status, **rest}
            self.write(SERVICE_PRESENCE, instance, Presence.model_validate(given))

    def reading(self, miner: str, **rest: Any) -> MinerTelemetry:
        given = {
            "at": self.clock.now(),
            "driver": "bitaxe",
            "reachable": True,
            "state": MinerState.HASHING,
            "power_w": 20.4,
            "hashrate_ths": 1.234,
            "chip_temperature_celsius": 58.3,
            "ladder": LADDER,
            "by": AGENT,
            "model": "Gamma",
            "firmware": "2.14.0",
            "mac": mac(miner),
            **rest,
        }
        if not given["reachable"]:  # as an agent tells it: nothing is known of what it does
            given |= {"state": MinerState.UNKNOWN, "ladder": None, "model": None, "firmware": None}
            given |= {"power_w": None, "hashrate_ths": None, "chip_temperature_celsius": None}
        told = MinerTelemetry.model_validate(given)
        self.write(MINER_TELEMETRY, miner, told)
        return told

    def outlet(self, miner: str, **rest: Any) -> None:
        given = {"at": self.clock.now(), "reachable": True, "on": True, "power_w": 1100.4, "by": AGENT, **rest}
        self.write(PLUG_TELEMETRY, miner, PlugTelemetry.model_validate(given))

    def decide(self, miner: str, **rest: Any) -> MinerCommand:
        command = decision(self.clock.now(), **rest)
        self.write(MINER_COMMAND, miner, command)
        return command

    def event(self, topic: Topic[Event], identifier: str, code: str) -> None:
        self.write(topic, identifier, Event(at=self.clock.now(), code=code, sentence="so it is"))


def mac(miner: str) -> str:
    """One of its own: Home Assistant takes two devices with one address for one."""
    return ":".join(f"{byte:02X}" for byte in b"\x02" + sha256(miner.encode()).digest()[:5])


class ShownFarm(Pen):
    """The service in one thread, and pen and ear for everybody else."""

    def __init__(
        self,
        farm: dict[str, Any] | None = None,
        broker: MemoryBroker | None = None,
        clock: VirtualClock | None = None,
        name: str = "ha_discovery-test",
        settle_seconds: float = 0.0,
    ) -> None:
        self.time = clock or VirtualClock()
        self.broker = broker or MemoryBroker()
        super().__init__(self.time, self._write)
        self.ear = Ear(self.broker)
        self.link = self.broker.link()
        self.service = Service("ha_discovery", Bus(self.link, self.clock, instance=name), self.clock)
        settings = FarmSettings.model_validate(farm or FARM)
        assert build(Context(self.service, settings, Secrets({}, {}, Path("none")), settle_seconds))
        self.service.start()
        self.service.step()

    def _write(self, topic: Topic[Any], identifier: str, message: Message | None) -> None:
        payload = b"" if message is None else message.model_dump_json(exclude_none=True).encode()
        self.broker.publish(Packet(topic.path("sunherd", identifier), payload, topic.qos, topic.retain))

    def pass_seconds(self, seconds: float, *, alive: Sequence[str] = (AGENT, ENGINE, POLLER)) -> None:
        """Steps the service; everybody named here gives signs of life meanwhile."""
        for tick in range(max(1, int(seconds / 0.25))):
            if tick % 20 == 0:
                self.beat(*alive)
            self.service.step()
            self.time.advance(0.25)
        self.service.step()

    # --- what is shown

    def device(self, identifier: str) -> dict[str, Any]:
        payload = self.broker.retained[f"homeassistant/device/{identifier}/config"]
        found: dict[str, Any] = json.loads(payload)
        return found

    def devices(self) -> set[str]:
        return {path.split("/")[2] for path in self.broker.retained if path.startswith("homeassistant/device/")}

    def component(self, identifier: str, place: str) -> dict[str, Any]:
        found: dict[str, Any] = self.device(identifier)["components"][place]
        return found

    def mirror(self, identifier: str) -> Mirror:
        return Mirror.model_validate_json(self.broker.retained[f"sunherd/mirror/{identifier}/state"])

    def values(self, identifier: str) -> dict[str, Any]:
        return dict(self.mirror(identifier).values)

    def said(self, identifier: str) -> int:
        """How often a Mirror has been published."""
        return sum(packet.path == f"sunherd/mirror/{identifier}/state" for packet in self.ear.packets)

    def again(self, farm: dict[str, Any] | None = None) -> "ShownFarm":
        """The service comes to an end, and a new one begins on the same broker."""
        self.service.stop()
        return ShownFarm(farm, self.broker, self.time)


def decision(at: datetime, **rest: Any) -> MinerCommand:
    given = {
        "at": at,
        "engine": ENGINE,
        "epoch": 1,
        "expires_at": at + timedelta(seconds=60),
        "point": NORMAL,
        "code": "soc_ok",
        "sentence": "SoC 80.1 % > 75 %",
        "since": at,
        "limits": (
            Limit(
                policy="soc_hysteresis", code="soc_ok", sentence="SoC 80.1 % > 75 %", numbers={"soc": 80.1}, since=at
            ),
            Limit(policy="miner_cap", ceiling_w=25.0, code="miner_cap", sentence="at most 25 W", since=at),
        ),
        **rest,
    }
    return MinerCommand.model_validate(given)


def renewed(command: MinerCommand, at: datetime) -> MinerCommand:
    """The same decision, with a new lease."""
    return command.model_copy(update={"at": at, "expires_at": at + timedelta(seconds=60), "answers": at})
