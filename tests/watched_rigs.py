"""Rigs that hang, freeze and come back, with their outlets, agents and pool, around the engine's pure core."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.policy_engine.rules import MinerRules, Rules, WatchRules
from services.policy_engine.telling import Teller
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import (
    CYCLE_YOUNG_SECONDS,
    Action,
    Care,
    Event,
    Following,
    MinerCommand,
    MinerState,
    PlugCommand,
)
from shared.service import Service
from shared.topics import MINER_EVENT, MINER_TELEMETRY
from tests.engine_core import ON_OFF, CoreRun, reading

TICK_SECONDS = 30.0
NOMINAL_W = 900.0
HANGING_W = 100.0
PLAIN = WatchRules(has_worker=True, has_plug=True, is_plug=True, nominal_w=NOMINAL_W)
"""A rig behind a plain plug, known to its pool."""
ASIC = WatchRules(has_worker=True, has_plug=True, can_restart=True, nominal_w=NOMINAL_W)
"""A miner with an interface of its own, an outlet and a worker."""


def rules_for(watched: Mapping[str, WatchRules], **rest: Any) -> Rules:
    """A farm without a battery."""
    return Rules(miners={name: MinerRules(watch=watch) for name, watch in watched.items()}, **rest)


@dataclass
class Rig:
    """One machine, its outlet, and the agents that tend both. Obeys at each tick what it was told at the last."""

    name: str
    watch: WatchRules
    meter: bool = False
    on: bool = True
    paused: bool = False
    hung: bool = False
    """Answers nothing; cured by a power cycle."""
    frozen: bool = False
    """Says it hashes and finds no shares; cured by a restart unless it is `stubborn`."""
    stubborn: bool = False
    hangs_again: bool = False
    """Whether a power cycle does not help."""
    faulty: bool = False
    plug_alive: bool = True
    plug_obeys: bool = True
    agent_alive: bool = True
    chip_celsius: float | None = 55.0
    shares: int = 0
    share_at: datetime | None = None
    last_cycle_at: datetime | None = None
    last_restart_at: datetime | None = None
    outside_off_since: datetime | None = None
    cycles: list[datetime] = field(default_factory=list)
    restarts: list[datetime] = field(default_factory=list)

    @property
    def works(self) -> bool:
        return self.on and not (self.hung or self.frozen or self.paused or self.faulty)

    @property
    def power_w(self) -> float:
        if not self.on:
            return 0.0
        return HANGING_W if self.hung or self.paused or self.faulty else NOMINAL_W

    def obey(self, command: MinerCommand | None, outlet: PlugCommand | None, now: datetime) -> None:
        if self.plug_alive and self.plug_obeys and outlet is not None and outlet.action is Action.APPLY:
            self._switch(outlet, now)
        answers = self.agent_alive and not self.watch.is_plug and self.on and not self.hung
        if answers and command is not None and command.action is Action.APPLY:
            self.paused = command.point.is_pause
            if command.restart_at not in {None, self.last_restart_at} and not self.paused:
                self.last_restart_at = command.restart_at
                self.restarts.append(now)
                self.frozen = self.faulty = self.stubborn and (self.frozen or self.faulty)

    def _switch(self, outlet: PlugCommand, now: datetime) -> None:
        if self.outside_off_since is not None and outlet.on and outlet.outside_off_over != self.outside_off_since:
            return
        due = outlet.on and outlet.cycle_at not in {None, self.last_cycle_at}
        if due and outlet.cycle_at is not None and (now - outlet.cycle_at).total_seconds() < CYCLE_YOUNG_SECONDS:
            self.last_cycle_at = outlet.cycle_at
            self.cycles.append(now)
            self._power(on=False)
        self._power(on=outlet.on)

    def _power(self, *, on: bool) -> None:
        if on and not self.on:
            self.hung = self.hangs_again
            self.frozen = self.faulty = False
            self.outside_off_since = None
        self.on = on

    def report(self, run: CoreRun, command: MinerCommand | None) -> None:
        now = run.now
        if self.works:
            self.shares += 1
            self.share_at = now
        if self.agent_alive:
            self._report_miner(run, command)
        if self.watch.has_plug:
            run.plug(
                self.name,
                reachable=self.plug_alive,
                on=self.on if self.plug_alive else None,
                power_w=self.power_w if self.meter and self.plug_alive else None,
                last_cycle_at=self.last_cycle_at,
                outside_off_since=self.outside_off_since,
            )

    def _report_miner(self, run: CoreRun, command: MinerCommand | None) -> None:
        following = Following.NOTHING if command is None else Following.COMMAND
        rest: dict[str, Any] = {"following": following, "last_restart_at": self.last_restart_at}
        if self.watch.is_plug:
            state = None if not self.plug_alive else MinerState.HASHING if self.on else MinerState.PAUSED
            told = reading(run.now, state, ON_OFF, **rest).model_copy(update={"driver": "plug"})
        elif not self.on or self.hung:
            told = reading(run.now, None, problem="unreachable", **rest)
        else:
            state = MinerState.FAULT if self.faulty else MinerState.PAUSED if self.paused else MinerState.HASHING
            rest |= {"shares_accepted": self.shares, "hashrate_ths": 100.0, "share_difficulty": 65536.0}
            told = reading(run.now, state, ON_OFF, chip_temperature_celsius=self.chip_celsius, **rest)
        run.say(MINER_TELEMETRY, self.name, told)


@dataclass
class WatchedFarm:
    """Plays time in ticks. All rigs are workers of one account."""

    rules: Rules
    rigs: dict[str, Rig] = field(init=False)
    run: CoreRun = field(init=False)
    pool_answers: bool = True
    others: int = 0
    """Other workers of each account, which are no miners of this farm."""
    one_account: bool = True
    pool: dict[str, Any] = field(default_factory=dict)
    """What the pool says otherwise than usually."""
    said: list[tuple[str, str]] = field(default_factory=list)
    """Each new code of care, by miner."""

    def __post_init__(self) -> None:
        self.run = CoreRun(self.rules)
        self.rigs = {name: Rig(name, miner.watch) for name, miner in self.rules.miners.items()}
        self.play(20)

    @property
    def now(self) -> datetime:
        return self.run.now

    def play(self, minutes: float) -> "WatchedFarm":
        for _ in range(round(minutes * 60 / TICK_SECONDS)):
            self.tick()
        return self

    def tick(self) -> None:
        self.run.now += timedelta(seconds=TICK_SECONDS)
        for name, rig in self.rigs.items():
            view = self.run.farm.miners[name]
            rig.obey(view.command, view.outlet, self.now)
            rig.report(self.run, view.command)
        if self.pool_answers:
            for name in self.rigs:
                self._ask_pool(name)
        before = {name: self.care(name) for name in self.rigs}
        self.run.decide()
        for name, care in before.items():
            fresh = self.care(name)
            if fresh is not None and (care is None or care.code != fresh.code):
                self.said.append((name, fresh.code))

    def _ask_pool(self, name: str) -> None:
        rig = self.rigs[name]
        if not rig.watch.has_worker or rig.share_at is None:
            return
        seen_ago = (self.now - rig.share_at).total_seconds()
        mates = [mate for mate in self.rigs.values() if mate is not rig and mate.share_at is not None]
        online = sum(1 for mate in mates if self.one_account and mate.share_at and self._is_seen(mate.share_at))
        self.run.pool(name, seen_ago, **{"others_online": online + self.others, **self.pool})

    def _is_seen(self, share_at: datetime) -> bool:
        return (self.now - share_at).total_seconds() < 600

    def care(self, name: str) -> Care | None:
        command = self.run.farm.miners[name].command
        return None if command is None else command.care

    def is_on(self, name: str) -> bool:
        """Whether its outlet is on."""
        return self.rigs[name].on

    def codes(self, name: str) -> list[str]:
        return [code for miner, code in self.said if miner == name]

    def restart_engine(self) -> "WatchedFarm":
        self.run.restart()
        return self


def told(farm: WatchedFarm, miner: str) -> list[Event]:
    """The events that the engine's shell makes of all that was published about a miner."""
    broker, clock = MemoryBroker(), VirtualClock()
    events: list[Event] = []
    listener = Bus(broker.link(), clock, instance="listener")
    listener.subscribe(MINER_EVENT, lambda received: events.extend([received.message] if received.message else []))
    listener.start()
    service = Service("policy_engine", Bus(broker.link(), clock), clock, runner=SteppedRunner())
    service.start()
    teller, last = Teller(service), None
    for name, command in farm.run.published:
        if name == miner:
            teller.tell([(name, last, command)])
            last = command
    return events
