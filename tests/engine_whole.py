"""A whole engine on a broker in memory and a virtual clock, with miners that follow their commands."""

from dataclasses import dataclass, field
from typing import Any

from services.policy_engine.engine import Engine
from services.policy_engine.rules import MinerRules, Rules
from shared.bus import Bus, MemoryBroker, Received
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import (
    EmergencyStop,
    Event,
    Following,
    Ladder,
    Message,
    MinerCommand,
    MinerState,
    Override,
    OverrideKind,
)
from shared.service import Service
from shared.topics import (
    EMERGENCY_STOP,
    MINER_COMMAND,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_TELEMETRY,
    SITE_TELEMETRY,
    Topic,
)
from tests.engine_core import ON_OFF, reading, site

ONE = Rules(miners={"s19": MinerRules(73, 75)})


def engine_service(broker: MemoryBroker, clock: VirtualClock, instance: str) -> Service:
    bus = Bus(broker.link(), clock, instance=instance)
    return Service("policy_engine", bus, clock, runner=SteppedRunner())


@dataclass
class WholeRun:
    """One engine at a time; `kill` and `launch` make a restart."""

    rules: Rules = ONE
    clock: VirtualClock = field(default_factory=VirtualClock)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    follow: bool = True
    ladder: Ladder | None = ON_OFF
    commands: list[tuple[str, MinerCommand]] = field(default_factory=list)
    events: list[tuple[str, Event]] = field(default_factory=list)
    soc_percent: float | None = None
    bridge: bool = False

    def __post_init__(self) -> None:
        self.world = Bus(self.broker.link(), self.clock, instance="world")
        self.world.subscribe(MINER_COMMAND, self._commanded)
        self.world.subscribe(MINER_EVENT, self._told)
        self.world.start()
        self.confirmed: dict[str, Any] = {}
        self.states: dict[str, MinerState | None] = {}
        self.dirty: set[str] = set()
        self.service: Service | None = None

    # --- the engine

    def launch(self, instance: str = "policy_engine-1") -> "WholeRun":
        self.service = engine_service(self.broker, self.clock, instance)
        self.engine = Engine(self.service, self.rules, "home")
        self.service.start()
        return self.settle()

    def kill(self) -> "WholeRun":
        if self.service is not None:
            self.service.bus.link.cut()  # type: ignore[attr-defined] # a link of the broker in memory
            self.service = None
        return self

    def settle(self) -> "WholeRun":
        for _ in range(3):
            if self.service is not None:
                self.service.step()
        return self

    def run(self, seconds: float, step_seconds: float = 10) -> "WholeRun":
        """Lets time pass: the bridge and the miners report at each step, the engine ticks."""
        for _ in range(round(seconds / step_seconds)):
            self.clock.advance(step_seconds)
            self.world.tend()
            if self.bridge:
                self.report_soc()
            for name in list(self.states):
                self.report(name)
            self.settle()
        return self

    # --- the world

    def say(self, topic: Topic[Any], identifier: str, message: Message) -> "WholeRun":
        self.world.publish(topic, identifier, message)
        return self.settle()

    def soc(self, percent: float | None) -> "WholeRun":
        """Sets the state of charge; from now on the bridge reports at each step."""
        self.soc_percent, self.bridge = percent, True
        self.report_soc()
        return self.settle()

    def report_soc(self) -> None:
        if self.soc_percent is not None:
            self.confirmed = {"confirmed_at": self.clock.now()}
        self.world.publish(SITE_TELEMETRY, "home", site(self.clock.now(), self.soc_percent, **self.confirmed))

    def miner(self, name: str, state: MinerState | None) -> "WholeRun":
        self.states[name] = state
        self.report(name)
        return self.settle()

    def report(self, name: str) -> None:
        command = self.last(name)
        if self.follow and command is not None and command.action == "apply" and self.states[name] is not None:
            self.states[name] = MinerState.PAUSED if command.point.is_pause else MinerState.HASHING
        desired = None if command is None else command.point.name
        idle = self.states[name] is MinerState.PAUSED
        settled = None if command is None or self.states[name] is None else command.point.is_pause is idle
        told = reading(
            self.clock.now(),
            self.states[name],
            self.ladder,
            following=Following.COMMAND,
            desired=desired,
            settled=settled,
        )
        self.world.publish(MINER_TELEMETRY, name, told)

    def override(self, name: str, kind: OverrideKind, **rest: Any) -> "WholeRun":
        return self.say(MINER_OVERRIDE, name, Override(at=self.clock.now(), kind=kind, by="owner", **rest))

    def emergency(self, *, active: bool) -> "WholeRun":
        return self.say(EMERGENCY_STOP, "home", EmergencyStop(at=self.clock.now(), active=active, by="owner"))

    # --- what came of it

    def last(self, name: str = "s19") -> MinerCommand | None:
        return next((command for miner, command in reversed(self.commands) if miner == name), None)

    @property
    def now_commanded(self) -> MinerCommand:
        command = self.last()
        assert command is not None
        return command

    @property
    def codes(self) -> list[str]:
        return [event.code for _, event in self.events]

    def changes(self, name: str = "s19") -> list[str]:
        """The desired points in order, without repetitions."""
        names = [command.point.name for miner, command in self.commands if miner == name]
        return [point for index, point in enumerate(names) if index == 0 or names[index - 1] != point]

    def _commanded(self, received: Received[MinerCommand]) -> None:
        if received.message is not None:
            self.commands.append((received.identifier, received.message))

    def _told(self, received: Received[Event]) -> None:
        if received.message is not None:
            self.events.append((received.identifier, received.message))


def hashing(rules: Rules = ONE, soc: float = 80.0) -> WholeRun:
    """A farm whose only miner hashes on a good battery."""
    run = WholeRun(rules).launch().soc(soc)
    for name in rules.miners:
        run.miner(name, MinerState.HASHING)
    return run.run(20)
