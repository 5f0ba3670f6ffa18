"""Farms in one thread: stand-ins without sockets, a broker in memory, a clock that moves only when it is told to."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import requests

from services.simulator.http import Handler
from services.simulator.http_in_process import InProcessSession
from services.simulator.vnish import VnishStandIn
from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from shared.agent import Agent
from shared.bus import Bus, MemoryBroker, MemoryLink
from shared.clock import Clock, VirtualClock
from shared.device import Device
from shared.ladder import point_named
from shared.loops import SteppedRunner
from shared.messages import (
    PAUSE,
    Action,
    EmergencyStop,
    Event,
    MinerCommand,
    MinerTelemetry,
    OperatingPoint,
)
from shared.miner_role import MinerRole
from shared.orders import SiteOrders
from shared.service import Service
from shared.settings import Address
from shared.tender import Manner
from shared.topics import EMERGENCY_STOP, MINER_COMMAND, MINER_EVENT, MINER_TELEMETRY

NORMAL = OperatingPoint(name="normal", power_w=3250)
TICK_SECONDS = 0.25


def session_to(handlers: Mapping[str, Handler], clock: Clock) -> requests.Session:
    """A requests session whose only hosts are these handlers; waiting moves a virtual clock."""
    wait = clock.advance if isinstance(clock, VirtualClock) else lambda _seconds: None
    return InProcessSession(handlers, wait)


def vnish_driver(
    stand_in: VnishStandIn,
    clock: Clock,
    *,
    password: str = "admin",
    nominal_w: float | None = None,
    preset: str | None = None,
) -> VnishDriver:
    """A driver that talks to the stand-in without a socket."""
    session = session_to({"miner.test:80": stand_in.handle}, clock)
    client = VnishClient(Address("miner.test"), password, clock, session)
    return VnishDriver(client, clock, nominal_w=nominal_w, preset=preset)


def miner_command(point: OperatingPoint, clock: Clock, *, epoch: int = 1, lease_seconds: float = 60.0) -> MinerCommand:
    """A command as the engine would send it now."""
    now = clock.now()
    return MinerCommand(
        at=now,
        engine="engine-test",
        epoch=epoch,
        expires_at=now + timedelta(seconds=lease_seconds),
        point=point,
        code="test",
        sentence="for a test",
        since=now,
    )


class AgentRig:
    """The agent of some stand-ins, of VNish here, stepped in one thread. Commands are renewed as the engine does."""

    def __init__(
        self,
        stand_ins: Mapping[str, object],
        clock: VirtualClock,
        *,
        broker: MemoryBroker | None = None,
        passwords: Mapping[str, str] | None = None,
        manner: Manner | None = None,
    ) -> None:
        self.clock = clock
        self.stand_ins = stand_ins
        self.broker = broker or MemoryBroker()
        self.telemetry: dict[str, list[MinerTelemetry]] = {name: [] for name in stand_ins}
        self.events: list[tuple[str, Event]] = []
        self._orders: dict[str, tuple[OperatingPoint, Action]] = {}
        self._restarts: dict[str, datetime] = {}
        self._watcher = Bus(self.broker.link(), clock, instance="watcher")
        self._watcher.subscribe(MINER_TELEMETRY, lambda got: self._heard(got.identifier, got.message))
        self._watcher.subscribe(MINER_EVENT, lambda got: self._told(got.identifier, got.message))
        self._watcher.start()
        self.link: MemoryLink = self.broker.link()
        self.runner = SteppedRunner()
        self.service = Service("agent", Bus(self.link, clock, instance="agent"), clock, runner=self.runner)
        self._passwords = passwords or {}
        self.drivers = {name: self.driver_of(name) for name in stand_ins}
        self.agent: Agent[MinerTelemetry, MinerCommand] = Agent(
            self.service,
            self.drivers,
            {name: self.role_of(name) for name in stand_ins},
            event=MINER_EVENT,
            manner=manner or Manner(poll_seconds=2.0),
            orders=SiteOrders(self.service, "home"),
        )
        self.agent.start_with_memory()
        self.service.start()

    def driver_of(self, name: str) -> Device[MinerTelemetry, MinerCommand]:
        """The driver of one miner."""
        stand_in = self.stand_ins[name]
        assert isinstance(stand_in, VnishStandIn)
        return vnish_driver(stand_in, self.clock, password=self._passwords.get(name, "admin"))

    def role_of(self, name: str) -> MinerRole:
        """The role of one miner."""
        assert name in self.stand_ins
        return MinerRole("vnish")

    def order(self, name: str, point: OperatingPoint, action: Action = Action.APPLY) -> None:
        """Commands a point from now on."""
        self._orders[name] = (point, action)
        self._renew(name)

    def order_restart(self, name: str) -> datetime:
        """Orders a restart now; the order stands in all commands from now on."""
        self._restarts[name] = self.clock.now()
        self._renew(name)
        return self._restarts[name]

    def order_named(self, name: str, point: str) -> None:
        """Commands a point of the miner's own ladder, by name."""
        ladder = self.last(name).ladder
        found = point_named(ladder, point) if ladder is not None else None
        assert found is not None, f"no {point!r} in {ladder}"
        self.order(name, found)

    def pause(self, name: str) -> None:
        self.order(name, PAUSE)

    def silence_engine(self) -> None:
        """No command is renewed any more."""
        self._orders.clear()

    def emergency_stop(self, *, active: bool) -> None:
        self._watcher.publish(EMERGENCY_STOP, "home", EmergencyStop(at=self.clock.now(), active=active))

    def run(self, seconds: float) -> None:
        """Lets this time pass, and every loop have its turns in it."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            before = self.clock.seconds()
            if int(before / 20) != int((before - TICK_SECONDS) / 20):
                for name in self._orders:
                    self._renew(name)
            self.service.step()
            for turns in self.runner.loops.values():
                if turns.due_in_seconds <= 0:
                    turns.step()
            self.clock.advance(TICK_SECONDS)
            passed = self.clock.seconds() - before
            for turns in self.runner.loops.values():
                turns.due_in_seconds -= passed

    def last(self, name: str) -> MinerTelemetry:
        """What was last published of a miner."""
        return self.telemetry[name][-1]

    def codes(self, name: str) -> list[str]:
        """The codes of a miner's events so far."""
        return [event.code for miner, event in self.events if miner == name]

    def close(self) -> None:
        self.service.stop()
        self._watcher.stop()

    def _renew(self, name: str) -> None:
        point, action = self._orders[name]
        heard = self.telemetry[name][-1].at if self.telemetry[name] else None
        update = {"action": action, "restart_at": self._restarts.get(name), "answers": heard}
        command = miner_command(point, self.clock).model_copy(update=update)
        self._watcher.publish(MINER_COMMAND, name, command)

    def _heard(self, name: str, telemetry: MinerTelemetry | None) -> None:
        if telemetry is not None and name in self.telemetry:
            self.telemetry[name].append(telemetry)

    def _told(self, name: str, event: Event | None) -> None:
        if event is not None:
            self.events.append((name, event))
