"""Rigs that hang, and all the services that bring them back, wired as in production: on one broker, stepped by hand."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from services.kasa_power_agent.wiring import build as build_plugs
from services.policy_engine.engine import Engine
from services.policy_engine.settings import rules_of
from services.pool_poller.wiring import build as build_poller
from services.simulator.http import Handler
from services.simulator.http_in_process import InProcessSession
from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from services.simulator.pool import PoolStandIn
from services.simulator.pool_shares import ShareLoop
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import Pace
from services.vnish_agent.wiring import build as build_vnish_agent
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.launch import Context
from shared.messages import EmergencyStop, MinerCommand, Override, OverrideKind, PlugCommand, PlugTelemetry
from shared.settings import FarmSettings
from shared.topics import (
    EMERGENCY_STOP,
    MINER_COMMAND,
    MINER_OVERRIDE,
    PLUG_COMMAND,
    PLUG_TELEMETRY,
    SITE_TELEMETRY,
)
from tests.doomed import DoomedStrip, Living, doomed
from tests.engine_core import site
from tests.kasa_in_process import InProcessStrip
from tests.plug_farm import HOST, NO_SECRETS

TICK_SECONDS, LEISURELY_SECONDS = 1.0, 4.0
BUSY_SECONDS = 60.0
"""For so long after anything has happened time passes in small steps."""
SOC_EVERY_SECONDS = 20.0
LEASE_AND_GRACE_SECONDS = 180.0
ENGINE, PLUGS, POLLER, MINERS = PROCESSES = ("policy_engine", "kasa_power_agent", "pool_poller", "vnish_agent")
RIG, ASIC = "rig", "asic"
COOLDOWN_SECONDS = 120
PACE = Pace(initializing_seconds=60.0, tuning_seconds=20.0, reboot_seconds=30.0)


@dataclass(frozen=True)
class Cut:
    """A machine has lost its power. `began` and `ended` in real seconds."""

    began: float
    commanded_on: bool
    """The engine wants the outlet on: so it is a power cycle."""
    alone: bool
    """The agent acts by itself, as nobody has led it for lease and grace."""
    worked: bool
    """The machine did work until then."""


@dataclass
class Whole:
    """A strip that feeds a rig without an API and a VNish miner; a pool that knows both; a battery; four services."""

    meter: bool = True
    tries: int = 4
    """Each order counts, also one that an outlet's agent is not there to take."""
    clock: VirtualClock = field(default_factory=VirtualClock)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    soc_percent: float = 80.0
    cuts: dict[str, list[Cut]] = field(default_factory=lambda: {RIG: [], ASIC: []})
    ordered: dict[str, list[datetime]] = field(default_factory=lambda: {RIG: [], ASIC: []})
    """Each cycle that was ordered for the first time."""
    restarts: int = 0
    on_order: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.rig = PlainRig(1100, clock=self.clock)
        self.asic = VnishStandIn(clock=self.clock, nominal_w=3250, pace=PACE)
        self.machines: dict[str, PlainRig | VnishStandIn] = {RIG: self.rig, ASIC: self.asic}
        self.machine = KasaMachine("HS300" if self.meter else "KP303", clock=self.clock, name="strip")
        self.machine.calendar = self.clock
        self.outlets = {RIG: 2, ASIC: 5} if self.meter else {RIG: 1, ASIC: 3}
        for name, load in self.machines.items():
            self.machine.plug_in(load, self.outlets[name])
        self.pool = PoolStandIn(self.clock, account=None)
        self._shares = ShareLoop(self.pool, self.machines)
        self.farm = FarmSettings.model_validate(farm_file(self.outlets, self.tries))
        self._strip = InProcessStrip(self.machine, self.clock.advance)
        self._world = Bus(self.broker.link(), self.clock, instance="world")
        self.plugs: dict[str, PlugTelemetry] = {}
        self.wants: dict[str, PlugCommand] = {}
        self.commands: dict[str, MinerCommand] = {}
        self._world.subscribe(PLUG_TELEMETRY, lambda got: self._keep(self.plugs, got))
        self._world.subscribe(PLUG_COMMAND, lambda got: self._keep(self.wants, got))
        self._world.subscribe(MINER_COMMAND, self._commanded)
        self._world.start()
        self.processes = {name: Living(name, build, self.broker, self.clock) for name, build in self._builds()}
        for process in self.processes.values():
            process.start()
        self._seen, self._soc_due_at, self._busy_until, self._calendar = (
            0,
            0.0,
            0.0,
            dict[float, list[Callable[[], None]]](),
        )

    # --- time

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Lets this happen so many seconds from now."""
        self._calendar.setdefault(self.clock.seconds() + seconds, []).append(act)

    def run(self, seconds: float) -> "Whole":
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            self._tick()
        return self

    def _tick(self) -> None:
        before = self.clock.seconds()
        for at in [at for at in self._calendar if at <= before]:
            self._stir()
            for act in self._calendar.pop(at):
                act()
        self._world.tend()
        if before >= self._soc_due_at:  # a service that waits for an answer moves the clock by more than a tick
            self._soc_due_at = before + SOC_EVERY_SECONDS
            now = self.clock.now()
            self._world.publish(SITE_TELEMETRY, "home", site(now, self.soc_percent, confirmed_at=now))
        self._shares.step()
        worked = {name: machine.hashing for name, machine in self.machines.items()}
        for process in self.processes.values():
            process.step()
            self._see_cuts(worked)
        self.clock.advance(TICK_SECONDS if before < self._busy_until else LEISURELY_SECONDS)
        for process in self.processes.values():
            process.pass_seconds(self.clock.seconds() - before)

    # --- what happens

    def _stir(self) -> None:
        self._busy_until = self.clock.seconds() + BUSY_SECONDS

    def kill(self, name: str, away_seconds: float) -> None:
        process = self.processes[name]
        process.kill()
        self.after(away_seconds, process.start_again)

    def doom(self, name: str, deeds: int, away_seconds: float) -> None:
        """It ends at its so-many-th deed from now; `away_seconds` counts from now."""
        self.processes[name].left = deeds
        self.after(away_seconds, lambda: self._come_back(name))

    def _come_back(self, name: str) -> None:
        self.processes[name].left = None
        self.processes[name].start_again()

    def lose_broker(self, seconds: float) -> None:
        self.broker.kill()
        self.after(seconds, self.broker.revive)

    def person(self, name: str, kind: OverrideKind) -> None:
        self._world.publish(MINER_OVERRIDE, name, Override(at=self.clock.now(), kind=kind, by="owner"))

    def emergency(self, *, active: bool) -> None:
        self._world.publish(EMERGENCY_STOP, "home", EmergencyStop(at=self.clock.now(), active=active))

    # --- what is seen

    def cycles(self, name: str) -> list[Cut]:
        """The cuts that were made to bring it back."""
        return [cut for cut in self.cuts[name] if cut.commanded_on and not cut.alone]

    def is_on(self, name: str) -> bool:
        return self.machine.outlet(self.outlets[name]).on

    def failures(self) -> int:
        return sum(one.failures + one.service.counts["handler_failed"] for one in self.processes.values())

    def _see_cuts(self, worked: dict[str, bool]) -> None:
        fresh = list(self.machine.switched)[self._seen :]
        self._seen += len(fresh)
        for switched in fresh:
            self._stir()
            name = next((name for name, number in self.outlets.items() if number == switched.outlet + 1), "another")
            assert name != "another", "an outlet was switched that is nobody's"
            if not switched.on:
                wants, told = self.wants.get(name), self.plugs.get(name)
                led = told is not None and told.following == "command"
                on = wants is not None and wants.on
                self.cuts[name].append(Cut(switched.at_seconds, on, not led, worked[name]))

    def _keep(self, kept: dict[str, Any], received: Any) -> None:
        if received.message is not None:
            kept[received.identifier] = received.message

    def _commanded(self, received: Any) -> None:
        self._keep(self.commands, received)
        care = None if received.message is None else received.message.care
        seen = self.ordered[received.identifier]
        if care is not None and care.cycle_at is not None and care.cycle_at not in seen:
            seen.append(care.cycle_at)
            self._stir()
            self.on_order()

    # --- how it is wired

    def _builds(self) -> Iterator[tuple[str, Callable[[Living], object]]]:
        rules = rules_of(self.farm)
        yield ENGINE, lambda process: Engine(process.service, rules, "home")
        yield PLUGS, lambda process: build_plugs(self._context(process), lambda _: DoomedStrip(self._strip, process))
        pool = {"mine.test:80": self.pool.handle}
        yield POLLER, lambda process: build_poller(self._context(process), lambda: self._session(pool, process))
        asic = {"asic.test:80": self.asic.handle}
        yield MINERS, lambda process: build_vnish_agent(self._context(process), lambda: self._session(asic, process))

    def _context(self, process: Living) -> Context:
        return Context(process.service, self.farm, NO_SECRETS)

    def _session(self, handlers: Mapping[str, Handler], process: Living) -> requests.Session:
        return InProcessSession(
            {host: doomed(handler, process) for host, handler in handlers.items()}, self.clock.advance
        )


def farm_file(outlets: dict[str, int], tries: int) -> dict[str, Any]:
    """What the owner has written."""
    band = {"stop_soc": 50, "resume_soc": 55}
    watch = {
        "time_until_offline": COOLDOWN_SECONDS,
        "status_check_cooldown": COOLDOWN_SECONDS,
        "max_consecutive_restarts": tries,
    }

    def miner(name: str, **more: Any) -> dict[str, Any]:
        return band | watch | {"worker": f"mine/farm/{name}", "plug": {"host": HOST, "outlet": outlets[name]}} | more

    return {
        "miners": {
            RIG: miner(RIG, driver="plug", nominal_w=1100),
            ASIC: miner(ASIC, driver="vnish", host="asic.test", nominal_w=3250),
        },
        "pools": {"mine": {"provider": "ckpool", "url": "http://mine.test"}},
        "rules": {"minimum_off": 60, "outside_pause": 600},
    }
