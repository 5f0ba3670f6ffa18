"""The agent of outlets in one thread: wired as in production, but for its links, its broker and its clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services.kasa_power_agent.wiring import build
from services.simulator.kasa_machine import KasaMachine
from shared.bus import Bus, MemoryBroker, MemoryLink
from shared.clock import VirtualClock
from shared.launch import Context
from shared.loops import SteppedRunner
from shared.messages import (
    PAUSE,
    Action,
    EmergencyStop,
    Event,
    Message,
    MinerCommand,
    MinerTelemetry,
    OperatingPoint,
    PlugCommand,
    PlugTelemetry,
)
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from shared.topics import (
    EMERGENCY_STOP,
    MINER_COMMAND,
    MINER_TELEMETRY,
    PLUG_COMMAND,
    PLUG_EVENT,
    PLUG_TELEMETRY,
    Topic,
)
from tests.farm import miner_command
from tests.kasa_in_process import InProcessStrip

TICK_SECONDS = 0.25
RENEWED_EVERY_SECONDS = 20.0
NO_SECRETS = Secrets({}, {}, Path("no-such-directory"))
HOST = "192.0.2.50"


def plug_command(clock: VirtualClock, *, on: bool, **more: Any) -> PlugCommand:
    """A command as the engine would send it now."""
    now = clock.now()
    about: dict[str, Any] = {
        "at": now,
        "engine": "engine-test",
        "epoch": 1,
        "expires_at": now + timedelta(seconds=60),
        "since": now,
    }
    return PlugCommand(**(about | {"on": on, "code": "test", "sentence": "for a test"} | more))


def rig_on(outlet: str | int | None = None, *, host: str = HOST, **more: Any) -> dict[str, Any]:
    """A machine without an API, as the farm file has it."""
    return {"driver": "plug", "nominal_w": 1100, "plug": {"host": host, "outlet": outlet}} | more


def s19_on(outlet: str | int | None = None, *, host: str = HOST, **more: Any) -> dict[str, Any]:
    """A miner with an API, and an outlet besides."""
    return {"driver": "vnish", "host": "192.0.2.20", "plug": {"host": host, "outlet": outlet}} | more


@dataclass
class Wanted:
    """What the engine renews."""

    on: bool = True
    cycle_at: datetime | None = None
    off_seconds: float = 10.0
    action: Action = Action.APPLY
    outside_off_over: datetime | None = None


class PlugFarm:
    """Agents for these miners, one after another on one broker. `machines`: by host."""

    def __init__(
        self,
        miners: Mapping[str, dict[str, Any]],
        machines: Mapping[str, KasaMachine],
        clock: VirtualClock,
        **farm: Any,
    ) -> None:
        self.clock = clock
        self.broker = MemoryBroker()
        self.links = {host: InProcessStrip(machine, clock.advance) for host, machine in machines.items()}
        self.farm = FarmSettings.model_validate({"miners": dict(miners)} | farm)
        self.plugs: dict[str, list[PlugTelemetry]] = {name: [] for name in miners}
        self.miners: dict[str, list[MinerTelemetry]] = {name: [] for name in miners}
        self.events: list[tuple[str, Event]] = []
        self.wanted: dict[str, Wanted] = {}
        self.engine = Bus(self.broker.link(), clock, instance="engine")
        self.engine.subscribe(PLUG_TELEMETRY, lambda got: self._heard(self.plugs, got.identifier, got.message))
        self.engine.subscribe(MINER_TELEMETRY, lambda got: self._heard(self.miners, got.identifier, got.message))
        self.engine.subscribe(PLUG_EVENT, lambda got: self._told(got.identifier, got.message))
        self.engine.start()
        self.launch()

    # --- the agent's life

    def launch(self) -> None:
        """A new process of the agent."""
        self.link: MemoryLink = self.broker.link()
        self.runner = SteppedRunner()
        bus = Bus(self.link, self.clock, instance="kasa")
        self.service = Service("kasa_power_agent", bus, self.clock, runner=self.runner)
        context = Context(self.service, self.farm, NO_SECRETS)
        assert build(context, lambda manners: self.links[manners.address.host])
        self.service.start()

    def kill(self) -> None:
        """The process ends where it stands, without a word."""
        self.link.cut()
        self.runner.loops.clear()

    # --- the engine

    def order(self, name: str, **wanted: Any) -> None:
        """Commands this from now on, and renews it."""
        self.wanted[name] = Wanted(**wanted)
        self.renew(name)

    def cycle(self, name: str, **more: Any) -> datetime:
        """Orders a power cycle now."""
        self.order(name, on=True, cycle_at=self.clock.now(), **more)
        return self.clock.now()

    def renew(self, name: str) -> None:
        wanted = self.wanted[name]
        self.publish(PLUG_COMMAND, name, plug_command(self.clock, **vars(wanted)))

    def decide(self, name: str, point: OperatingPoint = PAUSE, answers: datetime | None = None) -> None:
        """The engine's word about the miner itself."""
        command: MinerCommand = miner_command(point, self.clock).model_copy(update={"answers": answers})
        self.publish(MINER_COMMAND, name, command)

    def silence_engine(self) -> None:
        self.wanted.clear()

    def emergency_stop(self, *, active: bool) -> None:
        self.publish(EMERGENCY_STOP, "home", EmergencyStop(at=self.clock.now(), active=active))

    def publish(self, topic: Topic[Any], name: str, message: Message) -> None:
        self.engine.publish(topic, name, message)

    # --- time

    def tick(self) -> None:
        """One moment: the engine's renewals, then the turn of everybody who is due."""
        seconds = self.clock.seconds()
        if int(seconds / RENEWED_EVERY_SECONDS) != int((seconds - TICK_SECONDS) / RENEWED_EVERY_SECONDS):
            for name in self.wanted:
                self.renew(name)
        self.service.step()
        for turns in self.runner.loops.values():
            if turns.due_in_seconds <= 0:
                turns.step()
        self.clock.advance(TICK_SECONDS)
        for turns in self.runner.loops.values():
            turns.due_in_seconds -= self.clock.seconds() - seconds

    def run(self, seconds: float) -> None:
        """Lets this time pass."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self.tick()

    # --- what is seen

    def last(self, name: str) -> PlugTelemetry:
        return self.plugs[name][-1]

    def miner(self, name: str) -> MinerTelemetry:
        return self.miners[name][-1]

    def codes(self, name: str) -> list[str]:
        return [event.code for miner, event in self.events if miner == name]

    def close(self) -> None:
        self.service.stop()
        self.engine.stop()

    def _heard(self, kept: dict[str, list[Any]], name: str, telemetry: Message | None) -> None:
        if telemetry is not None and name in kept:
            kept[name].append(telemetry)

    def _told(self, name: str, event: Event | None) -> None:
        if event is not None:
            self.events.append((name, event))
