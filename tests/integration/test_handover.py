"""A miner changes hands between two real agents: its lease goes on, nothing is done to it, and no order is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.simulator.http_in_process import InProcessSession
from services.simulator.vnish import VnishStandIn
from services.vnish_agent.wiring import build
from shared.bus import Bus, MemoryBroker, MemoryLink, Received
from shared.clock import VirtualClock
from shared.launch import Context
from shared.loops import SteppedRunner
from shared.messages import PAUSE, Following, MinerCommand, MinerTelemetry, OperatingPoint
from shared.service import Service
from shared.settings import FarmSettings
from shared.settings.secrets import Secrets
from shared.topics import MINER_COMMAND, MINER_TELEMETRY
from tests.farm import NORMAL, miner_command

MINERS = [f"m{number}" for number in range(8)]
FARM = FarmSettings.model_validate(
    {"miners": {name: {"driver": "vnish", "host": f"{name}.test"} for name in MINERS}, "rules": {"poll": "2 s"}}
)
THREE_BEATS = 15.0
SETTLE = 2.0
TICK_SECONDS = 0.25
LEASE_SECONDS, GRACE_SECONDS = 60.0, 120.0


class PluggedBroker(MemoryBroker):
    """A client may be cut off for a while: it cannot connect, and the broker publishes its will."""

    def __init__(self) -> None:
        super().__init__()
        self.unplugged: set[MemoryLink] = set()

    def attach(self, link: MemoryLink) -> None:
        if link not in self.unplugged:
            super().attach(link)


class Agent:
    """One replica of the agent."""

    def __init__(self, name: str, yard: "Yard") -> None:
        self._broker = yard.broker
        self.link: MemoryLink = yard.broker.link()
        self.runner = SteppedRunner()
        self.alive = True
        bus = Bus(self.link, yard.clock, instance=name)
        service = Service("vnish_agent", bus, yard.clock, runner=self.runner)
        handlers = {f"{miner}.test:80": stand_in.handle for miner, stand_in in yard.miners.items()}
        context = Context(service, FARM, Secrets({}, {}, Path("none")), SETTLE)
        assert build(context, lambda: InProcessSession(handlers, yard.clock.advance))
        self.service = service
        service.start()

    def step(self) -> None:
        self.service.step()
        for turns in list(self.runner.loops.values()):
            if turns.due_in_seconds <= 0:
                turns.step()

    def cut_off(self) -> None:
        """It goes on, and reaches its miners, but not the broker."""
        self._broker.unplugged.add(self.link)
        self.link.cut()

    def plug_in(self) -> None:
        self._broker.unplugged.discard(self.link)

    def kill(self) -> None:
        self.alive = False
        self.link.cut()


class Yard:
    """Eight miners, their agents, and an engine that renews its commands each 30 s."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.broker = PluggedBroker()
        self.miners = {name: VnishStandIn(clock=self.clock) for name in MINERS}
        self.told: list[tuple[str, MinerTelemetry]] = []
        self.agents: dict[str, Agent] = {}
        self._engine = Bus(self.broker.link(), self.clock, instance="engine")
        self._engine.subscribe(MINER_TELEMETRY, self._hear)
        self._engine.start()
        self._points: dict[str, OperatingPoint] = dict.fromkeys(MINERS, NORMAL)
        self.renewed_at = -1e9

    def _hear(self, received: Received[MinerTelemetry]) -> None:
        if received.message is not None:
            self.told.append((received.identifier, received.message))

    def add(self, name: str) -> Agent:
        self.agents[name] = Agent(name, self)
        return self.agents[name]

    def wants(self, point: OperatingPoint, *names: str) -> None:
        self._points.update(dict.fromkeys(names, point))
        self.renewed_at = -1e9

    def pass_seconds(self, seconds: float, *, renew: bool = True) -> None:
        until = self.clock.seconds() + seconds
        while self.clock.seconds() < until:
            if renew and self.clock.seconds() - self.renewed_at >= LEASE_SECONDS / 2:
                self.renewed_at = self.clock.seconds()
                for name, point in self._points.items():
                    self._engine.publish(MINER_COMMAND, name, self._command(name, point))
            began = self.clock.seconds()
            for agent in self.agents.values():
                if agent.alive:
                    agent.step()
            self.clock.advance(TICK_SECONDS)
            for agent in self.agents.values():
                for turns in agent.runner.loops.values():
                    turns.due_in_seconds -= self.clock.seconds() - began

    def _command(self, name: str, point: OperatingPoint) -> MinerCommand:
        told = [message.at for miner, message in self.told if miner == name]
        return miner_command(point, self.clock).model_copy(update={"answers": told[-1] if told else None})

    def last(self, name: str) -> MinerTelemetry:
        return next(message for miner, message in reversed(self.told) if miner == name)

    def owners(self) -> dict[str, str | None]:
        return {name: self.last(name).by for name in MINERS}

    def controls(self) -> dict[str, list[str]]:
        return {name: stand_in.controls() for name, stand_in in self.miners.items()}


@pytest.fixture
def yard() -> Iterator[Yard]:
    yard = Yard()
    yard.add("a")
    yard.add("b")
    yard.pass_seconds(20)
    assert set(yard.owners().values()) == {"a", "b"}
    yield yard
    for agent in yard.agents.values():
        if agent.alive:
            agent.service.stop()


def test_after_a_kill_the_other_goes_on_under_the_same_lease_and_does_nothing_to_the_miners(yard: Yard) -> None:
    before, since = yard.controls(), len(yard.told)
    yard.agents["b"].kill()
    yard.pass_seconds(SETTLE + 6)
    assert set(yard.owners().values()) == {"a"}
    assert {message.following for _, message in yard.told[since:]} == {Following.COMMAND}
    assert all(message.settled for _, message in yard.told[since:])
    assert yard.controls() == before


def test_an_order_given_while_nobody_tends_a_miner_is_carried_out_by_whoever_takes_it_over(yard: Yard) -> None:
    orphans = [name for name, owner in yard.owners().items() if owner == "b"]
    yard.agents["b"].kill()
    yard.wants(PAUSE, *orphans)
    yard.pass_seconds(SETTLE + 8)
    assert {name: yard.last(name).state for name in orphans} == dict.fromkeys(orphans, "paused")


def test_a_new_agent_takes_its_share_without_touching_a_miner(yard: Yard) -> None:
    before, owners = yard.controls(), yard.owners()
    yard.add("c")
    yard.pass_seconds(SETTLE + 6)
    moved = {name for name, owner in yard.owners().items() if owner != owners[name]}
    assert moved
    assert {yard.owners()[name] for name in moved} == {"c"}
    assert yard.controls() == before
    assert {yard.last(name).following for name in MINERS} == {Following.COMMAND}


def test_a_miner_that_its_agent_paused_alone_stays_paused_until_a_decision_knows_of_it(yard: Yard) -> None:
    yard.pass_seconds(LEASE_SECONDS + 130, renew=False)
    assert {yard.last(name).following for name in MINERS} == {Following.FAILSAFE}
    yard.agents["b"].kill()
    yard.pass_seconds(SETTLE + 8, renew=False)
    stopped = {name: yard.last(name).stopped_at for name in MINERS}
    assert set(yard.owners().values()) == {"a"}
    assert None not in stopped.values(), "the heir learns from the broker what was done before"


def test_what_another_does_to_the_miners_of_one_that_is_cut_off_is_no_persons_doing(yard: Yard) -> None:
    yard.agents["b"].cut_off()
    yard.pass_seconds(SETTLE + 4)
    yard.wants(PAUSE, *MINERS)
    yard.pass_seconds(20)
    yard.agents["b"].plug_in()
    yard.pass_seconds(20)
    assert {yard.last(name).outside_pause_since for name in MINERS} == {None}
    yard.wants(NORMAL, *MINERS)
    yard.pass_seconds(60)
    assert {name: yard.last(name).state for name in MINERS} == dict.fromkeys(MINERS, "hashing")


def test_what_one_that_is_cut_off_reads_meanwhile_is_not_told_over_what_its_heir_has_read(yard: Yard) -> None:
    yard.agents["b"].cut_off()
    yard.pass_seconds(SETTLE + 20)
    since = len(yard.told)
    yard.agents["b"].plug_in()
    while not yard.agents["b"].link.is_up():
        yard.pass_seconds(TICK_SECONDS)
    yard.pass_seconds(SETTLE - 0.5)
    assert {message.by for _, message in yard.told[since:]} == {"a"}


def test_the_failsafe_of_one_that_is_cut_off_is_neither_fought_nor_taken_for_a_persons_pause(yard: Yard) -> None:
    orphans = [name for name, owner in yard.owners().items() if owner == "b"]
    yard.agents["b"].cut_off()
    yard.pass_seconds(LEASE_SECONDS + 125)
    stopped = yard.controls()
    yard.pass_seconds(120)
    assert yard.controls() == stopped, "its heir does not start what it would stop again"
    assert {yard.last(name).state for name in orphans} == {"paused"}
    assert {yard.last(name).outside_pause_since for name in MINERS} == {None}
    assert {yard.last(name).following for name in orphans} == {Following.GRACE}

    yard.agents["b"].plug_in()
    yard.pass_seconds(120)
    assert {name: yard.last(name).state for name in MINERS} == dict.fromkeys(MINERS, "hashing")


def test_one_that_stays_away_keeps_its_miners_from_starting_for_half_an_hour_only(yard: Yard) -> None:
    orphans = [name for name, owner in yard.owners().items() if owner == "b"]
    yard.agents["b"].cut_off()
    yard.pass_seconds(LEASE_SECONDS + 125)
    yard.agents["b"].alive = False  # and now it dies, unheard
    yard.pass_seconds(1500)
    assert {yard.last(name).state for name in orphans} == {"paused"}
    since = len(yard.told)
    yard.pass_seconds(300)
    assert {yard.last(name).state for name in orphans} == {"hashing"}
    told_first = {name: message for name, message in reversed(yard.told[since:]) if message.stopped_at is not None}
    assert set(told_first) == set(orphans), "the engine was told that it stood still: it starts them, by all its gates"


def test_who_leaves_after_another_was_lost_leaves_no_fight_behind(yard: Yard) -> None:
    """Its heir has reached nothing yet; what the one before had reached, the broker remembers."""
    yard.agents["b"].cut_off()
    renewed_at = yard.renewed_at
    yard.add("c")
    yard.pass_seconds(renewed_at + LEASE_SECONDS + GRACE_SECONDS - 1 - yard.clock.seconds())
    before = yard.controls()
    yard.agents["c"].service.stop()
    yard.agents["c"].alive = False  # and a moment later, with nobody there, the failsafe of the one that is cut off
    yard.pass_seconds(60)
    done = {name: after[len(before[name]) :] for name, after in yard.controls().items()}
    assert any(done.values()), "it has stopped what it once tended"
    assert not [path for paths in done.values() for path in paths if "stop" not in path and "pause" not in path], done


def test_what_was_left_undone_is_left_so_by_the_next_heir_too(yard: Yard) -> None:
    yard.agents["b"].cut_off()
    yard.add("c")
    yard.pass_seconds(LEASE_SECONDS + GRACE_SECONDS + 20)  # its failsafe has come, and is not fought
    before = yard.controls()
    yard.agents["c"].service.stop()
    yard.agents["c"].alive = False
    yard.pass_seconds(30)
    starts = [path for name, after in yard.controls().items() for path in after[len(before[name]) :] if "start" in path]
    assert starts == []
