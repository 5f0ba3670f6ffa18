"""A whole farm in one thread: the real services, a broker in memory, stand-ins at the other end, one virtual clock."""

import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from services.bitaxe_agent.wiring import build as build_bitaxe_agent
from services.kasa_power_agent.wiring import build as build_plugs
from services.policy_engine.engine import Engine
from services.policy_engine.settings import rules_of
from services.pool_poller.wiring import build as build_poller
from services.simulator.home_assistant_in_process import connector
from services.simulator.home_assistant_talk import HomeAssistantCore
from services.simulator.http_in_process import InProcessSession
from services.simulator.site import Site
from services.soc_bridge.sources.home_assistant import Doors
from services.soc_bridge.wiring import build as build_bridge
from services.vnish_agent.wiring import build as build_vnish_agent
from shared.launch import Context
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from tests.simulation.bitaxe import Bitaxe
from tests.simulation.device import Machine
from tests.simulation.history import shape_of
from tests.simulation.house import House
from tests.simulation.making import farm_settings, machine_of
from tests.simulation.network import SimulatedBroker
from tests.simulation.people import People
from tests.simulation.process import Build, Process
from tests.simulation.rig import Feed, Pool, Rig, Strip
from tests.simulation.rigs import POOL
from tests.simulation.scheduler import ATTENTIVE_SLACK_SECONDS, DAWN, Scheduler
from tests.simulation.shape import (
    BITAXE_AGENT,
    DAY_SECONDS,
    PLUG_AGENT,
    POOL_POLLER,
    PROCESSES,
    VNISH_AGENT,
    History,
    Shape,
)

RIVAL = "rival"
_TOKEN = "of-the-simulation"
_SITE_SECONDS = 60.0
_SAVED = 8
_RAMP_SECONDS = 30.0
_SWITCHED_SECONDS = 60.0


@dataclass(frozen=True)
class Ports:
    """What the services of a world are wired to."""

    farm: FarmSettings
    secrets: Secrets
    session: Callable[[], requests.Session]
    doors: Doors
    pools: Callable[[], requests.Session]


class World:
    """One farm on one day."""

    def __init__(self, history: History) -> None:
        random.seed(f"back-off {history.seed}")
        chance = random.Random(f"world {history.seed}")
        self.history = history
        self.shape: Shape = shape_of(history.seed)
        self.scheduler = Scheduler(chance)
        self.clock = self.scheduler.clock
        self.broker = SimulatedBroker(self.scheduler, chance)
        self.machines = {name: machine_of(name, miner, self.clock) for name, miner in self.shape.miners.items()}
        for machine in self.machines.values():
            if isinstance(machine, Bitaxe):
                # While it is on its way from one setting to another nobody is sluggish: each step counts.
                machine.on_write = lambda: self.attend(_RAMP_SECONDS)
        self.feeds = {name: self._feed(name) for name in self.shape.fed}
        outlets = {self.shape.miners[name].settings["plug"]["outlet"]: feed for name, feed in self.feeds.items()}
        self.strip = Strip(self.scheduler, outlets)
        workers = [name for name, miner in self.shape.miners.items() if "worker" in miner.settings]
        self.pool = Pool(self.clock, {name: self.machines[name] for name in workers})
        self.house = House(HomeAssistantCore(token=_TOKEN, clock=self.clock), self.clock)
        self.site = Site(self.shape.site, DAWN, self.shape.state_of_charge_percent)
        self.farm = farm_settings(self.shape)
        self.rules = rules_of(self.farm)
        self.people = People(self.broker, self.scheduler, self.rules, self.farm.site.id)
        self._ports = self._wire()
        self.processes = {name: self._process(name) for name in PROCESSES}
        if self.shape.bitaxes:
            self.processes[BITAXE_AGENT] = self._process(BITAXE_AGENT)
        if self.shape.fed:
            self.processes[PLUG_AGENT] = self._process(PLUG_AGENT)
        if workers:
            self.processes[POOL_POLLER] = self._process(POOL_POLLER)
        self.on_kill: list[Callable[[str], None]] = []
        self._outages = 0
        self.memories_lost = 0
        """How often broker and engine have both forgotten everything."""
        self._saved: deque[dict[str, bytes]] = deque(maxlen=_SAVED)
        self.watched_until_seconds = 0.0
        self._attentive_until = 0.0

    # --- a day

    def run(self, look: Callable[[], None], until_seconds: float = DAY_SECONDS) -> None:
        """Plays the day. `look` is called after every turn."""
        self._pass_time()
        for process in self.processes.values():
            process.start()
        self.attend(120)
        start = self.clock.seconds()
        self.scheduler.run_until(start + until_seconds, look)

    def attend(self, seconds: float) -> None:
        """Something happens: for a while nobody is sluggish."""
        self._attentive_until = max(self._attentive_until, self.clock.seconds() + seconds)
        self.scheduler.slack_seconds = ATTENTIVE_SLACK_SECONDS
        self.scheduler.after(seconds + 0.001, self._relax)

    def _relax(self) -> None:
        if self.clock.seconds() >= self._attentive_until:
            self.scheduler.slack_seconds = max(ATTENTIVE_SLACK_SECONDS, self.shape.slack_seconds)

    def _pass_time(self) -> None:
        """The sun moves on, the battery fills or drains, and Home Assistant shows it."""
        self.pool.take_shares()
        drawn_w = sum(machine.power_w for machine in self.machines.values())
        passed = (self.clock.now() - self.site.now).total_seconds()
        flows = self.site.advance(passed, drawn_w)
        self.house.show(self.site.state_of_charge_percent, flows.battery_w, available=self.site.grid_available)
        if self.broker.running:
            self._saved.append(dict(self.broker.retained))
        self.scheduler.after(self.scheduler.sluggish(_SITE_SECONDS), self._pass_time)

    # --- what may happen

    def kill(self, name: str) -> None:
        """A service dies between two of its steps."""
        for listener in self.on_kill:
            listener(name)
        self.processes[name].kill()
        self._count_memories()

    def lose_broker(self, *, forget: bool) -> None:
        self._outages += 1
        self.broker.kill(forget=forget)
        self._count_memories()

    def restore_broker(self, *, old: bool) -> None:
        """The broker comes back with the last of its outages; it may know only what it last wrote to its disk."""
        self._outages -= 1
        if self._outages:
            return
        remembers = any(isinstance(process.substance, Engine) for process in self.processes.values())
        if old and remembers and self._saved:
            self.broker.retained = dict(self._saved[0])
        self.broker.revive()

    def redeliver(self) -> None:
        """An old command comes once more. What it does may be undone within milliseconds: each turn is looked at."""
        self.watched_until_seconds = self.clock.seconds() + 1.0
        self.broker.redeliver()

    def set_state_of_charge(self, percent: float) -> None:
        """The battery's own computer has changed its mind."""
        self.site = Site(self.shape.site, self.site.now, percent)
        self.house.show(percent, 0.0, available=self.site.grid_available)

    def _count_memories(self) -> None:
        knows = any(isinstance(process.substance, Engine) for process in self.processes.values())
        if not knows and not self.broker.retained:
            self.memories_lost += 1
            self.people.forgotten()

    # --- who is there

    def agent_of(self, miner: str) -> Process:
        """Who tends it."""
        shape = self.shape.miners[miner]
        return self.processes[BITAXE_AGENT if shape.is_bitaxe else PLUG_AGENT if shape.is_rig else VNISH_AGENT]

    def engines(self) -> list[Engine]:
        """The engines that are in charge and can act."""
        found = [process for process in self.processes.values() if isinstance(process.substance, Engine)]
        return [
            process.substance
            for process in found
            if isinstance(process.substance, Engine) and process.well and process.substance.reign.epoch is not None
        ]

    def rival(self) -> Process:
        """A second engine, made when it is first asked for."""
        if RIVAL not in self.processes:
            self.processes[RIVAL] = self._process(RIVAL)
        return self.processes[RIVAL]

    def _process(self, name: str) -> Process:
        builds: dict[str, Build] = {
            "policy_engine": self._build_engine,
            RIVAL: self._build_engine,
            "soc_bridge": lambda service: build_bridge(self._context(service), self._ports.doors),
            VNISH_AGENT: lambda service: build_vnish_agent(self._context(service), self._ports.session),
            BITAXE_AGENT: lambda service: build_bitaxe_agent(self._context(service), self._ports.session),
            PLUG_AGENT: lambda service: build_plugs(self._context(service), lambda _manners: self.strip.link()),
            POOL_POLLER: lambda service: build_poller(self._context(service), self._ports.pools),
        }
        drift_ppm = self.shape.drift_ppm.get(name, 0.0)
        return Process(name, builds[name], self.scheduler, self.broker, drift_ppm=drift_ppm)

    def _build_engine(self, service: Service) -> Engine:
        return Engine(service, self.rules, self.farm.site.id)

    def _context(self, service: Service) -> Context:
        return Context(service, self._ports.farm, self._ports.secrets)

    def _wire(self) -> Ports:
        machines = self.machines.items()
        handlers = {f"{name}.test:80": machine.handle for name, machine in machines if not isinstance(machine, Rig)}
        core = self.house.core
        houses = {"home-assistant.test:8123": core}
        house_handlers = {name: house.handle for name, house in houses.items()}
        doors = Doors(
            lambda: InProcessSession(house_handlers, self.scheduler.wait), connector(houses, self.scheduler.idle)
        )
        secrets = Secrets({"HA_TOKEN": _TOKEN}, {}, Path("/nowhere"))
        pools = {f"{POOL}.test:80": self.pool.handle}
        return Ports(
            self.farm,
            secrets,
            lambda: InProcessSession(handlers, self.scheduler.wait),
            doors,
            lambda: InProcessSession(pools, self.scheduler.wait),
        )

    def _feed(self, name: str) -> Feed:
        machine = self.machines[name]
        assert isinstance(machine, Rig | Machine)
        return Feed(machine, self.clock, lambda: self.attend(_SWITCHED_SECONDS))


def quietly() -> None:
    """What services log is of no interest in ten thousand days."""
    logging.disable(logging.CRITICAL)
