"""An agent and one scripted miner on the broker in memory, stepped by hand through virtual time."""

from collections.abc import Callable
from typing import Any

from shared.agent import Agent
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.device import Step
from shared.loops import SteppedRunner
from shared.messages import EmergencyStop, Event, Message, MinerCommand, MinerState, MinerTelemetry
from shared.miner_role import MinerRole
from shared.orders import SiteOrders
from shared.service import Service
from shared.tender import Manner
from shared.topics import EMERGENCY_STOP, MINER_COMMAND, MINER_EVENT, MINER_TELEMETRY, Topic
from tests.unit.shared.commands import FULL, LADDER, command

NAME = "s19"
POLL_SECONDS = 10.0


class ScriptedMiner:
    """Does what it is told at the next reading, unless it is told to fail, refuse or ignore."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.point = FULL
        self.fails: Exception | None = None
        self.refuses: Exception | None = None
        self.ignores = False
        self.shows: MinerState | None = None
        """A state in place of the true one."""
        self.applied: list[str] = []
        self.asked: list[str] = []
        """Every call: `read`, or the point that was applied."""
        self.recalled: list[MinerTelemetry] = []
        self.closed = False

    def read(self) -> MinerTelemetry:
        self.asked.append("read")
        if self.fails is not None:
            raise self.fails
        state = MinerState.PAUSED if self.point.is_pause else MinerState.HASHING
        now, name = self._clock.now(), self.point.name
        state = self.shows or state
        return MinerTelemetry(at=now, driver="fake", reachable=True, state=state, point=name, ladder=LADDER)

    def settled(self, reading: MinerTelemetry, command: MinerCommand) -> bool:
        return reading.point == command.point.name

    def apply(self, command: MinerCommand, reading: MinerTelemetry) -> Step:
        self.asked.append(command.point.name)
        if self.fails is not None:
            raise self.fails
        self.applied.append(command.point.name)
        if self.refuses is not None:
            raise self.refuses
        if not self.ignores:
            self.point = command.point
        return Step(1.0)

    def recall(self, previous: MinerTelemetry) -> None:
        self.recalled.append(previous)

    def close(self) -> None:
        self.closed = True


class Yard:
    """The agent under test, and an engine's and listener's place on the same broker."""

    def __init__(self, clock: VirtualClock, miner: ScriptedMiner | None = None, **manner: Any) -> None:
        self.clock = clock
        self.broker = MemoryBroker()
        self.engine = Bus(self.broker.link(), clock, instance="engine")
        self.engine.start()
        self.telemetry: list[MinerTelemetry] = []
        self.events: list[Event] = []
        self.engine.subscribe(MINER_TELEMETRY, lambda got: self.telemetry.extend(filter(None, [got.message])))
        self.engine.subscribe(MINER_EVENT, lambda got: self.events.extend(filter(None, [got.message])))
        self.miner = miner or ScriptedMiner(clock)
        self._manner = Manner(poll_seconds=POLL_SECONDS, **manner)
        self._engage()

    def _engage(self) -> None:
        """A process of the agent that knows nothing yet."""
        self.link = self.broker.link()
        self.runner = SteppedRunner()
        self.service = Service("agent", Bus(self.link, self.clock, instance="agent-1"), self.clock, runner=self.runner)
        self.agent = Agent(
            self.service,
            {NAME: self.miner},
            {NAME: MinerRole("fake")},
            event=MINER_EVENT,
            manner=self._manner,
            orders=SiteOrders(self.service, "home"),
        )

    def kill_agent(self) -> None:
        """Its process dies without a word, and another one begins."""
        self.link.cut()
        self._engage()
        self.agent.start_with_memory()
        self.service.start()

    def start(self) -> "Yard":
        self.service.start()
        self.agent.start()
        self.turn()
        return self

    def publish(self, topic: Topic[Any], identifier: str, message: Message) -> None:
        self.engine.publish(topic, identifier, message)

    def wants(self, point: Any, **changed: Any) -> None:
        self.publish(MINER_COMMAND, NAME, command(point, at=self.clock.now(), **changed))

    def stop(self, *, active: bool = True) -> None:
        message = EmergencyStop(at=self.clock.now(), active=active, by="somebody")
        self.publish(EMERGENCY_STOP, "home", message)

    def turn(self) -> None:
        """Both threads do what is due now."""
        self.service.step()
        turns = self.runner.loops.get(NAME)
        if turns is not None and turns.due_in_seconds <= 0:
            turns.step()

    def pass_seconds(self, seconds: float, renew: Callable[[], None] | None = None) -> None:
        for number in range(int(seconds)):
            if renew is not None and number % 20 == 0:
                renew()
            self.clock.advance(1.0)
            for turns in self.runner.loops.values():
                turns.due_in_seconds -= 1.0
            self.turn()

    @property
    def last(self) -> MinerTelemetry:
        return self.telemetry[-1]

    def codes(self) -> list[str]:
        return [event.code for event in self.events]
