"""A rig without an API in the simulated farm, the strip that feeds it, and the pool that both it and others are at."""

from collections.abc import Callable
from dataclasses import dataclass

from services.kasa_power_agent.link import PlugLink
from services.simulator.http import Request, Response, Wire
from services.simulator.kasa_machine import KasaFaults, KasaMachine
from services.simulator.mains import PlainRig
from services.simulator.pool import PoolFaults, PoolStandIn
from services.simulator.pool_shares import Hashing
from tests.kasa_in_process import InProcessStrip
from tests.simulation.device import Machine, Switch
from tests.simulation.scheduler import Scheduler, WorldClock
from tests.simulation.shape import MinerShape

_BOOT_SECONDS = 30.0
_STRIP_AFTERMATH_SECONDS = 1500.0
"""For how long it is let alone after a fault: its agent's own back-off."""
_POOL_AFTERMATH_SECONDS = 2700.0
_LATE_SECONDS = 1800.0


class Rig(PlainRig):
    """Offers the world what `Machine` does. It is as sound as the strip that feeds it."""

    def __init__(self, shape: MinerShape, clock: WorldClock) -> None:
        super().__init__(shape.nominal_w, clock=clock, boot_seconds=_BOOT_SECONDS)
        self.clock = clock
        self.switches: list[Switch] = []
        self.touched = self.stranger_touched = False
        self.deaf_since_seconds: float | None = None
        self.is_sound = True

    @property
    def draws(self) -> bool:
        return self.frailty.powered

    def befall(self, fault: str, value: float = 0.0) -> None:
        befall_frailty(self, fault, value)

    def pass_off(self, _fault: str) -> None:
        self.mend()

    def lose_mains(self) -> None:
        """It has none but its outlet."""

    def mains_return(self) -> None:
        """It has none but its outlet."""

    def start(self) -> None:
        """It has no button."""

    def stop(self) -> None:
        """It has no button."""


def befall_frailty(machine: "Rig | Machine", fault: str, value: float) -> None:
    """It hangs, or begins to hang again and again."""
    if fault == "unstable":
        machine.frailty.become_unstable(value)
    elif fault == "hangs":
        machine.frailty.hang()


@dataclass(frozen=True)
class Cut:
    """Power was cut by our agent to bring a machine back."""

    at_seconds: float
    worked: bool


class Feed:
    """What hangs on one outlet, with a memory of what was done to it."""

    def __init__(self, machine: Rig | Machine, clock: WorldClock, on_switch: Callable[[], None]) -> None:
        self.machine = machine
        self._on_switch = on_switch
        self.cycling = False
        """The agent has told that a power cycle is under way."""
        self.cuts: list[Cut] = []
        self.back_at_seconds: float | None = None
        """When power came back after the last of them."""
        self._clock = clock
        self._cut_to_cycle = False

    @property
    def power_w(self) -> float:
        return self.machine.power_w

    def cut_power(self) -> None:
        now, self._cut_to_cycle = self._clock.seconds(), self.cycling
        if self.cycling:
            self.cuts.append(Cut(now, self.machine.hashing))
        elif isinstance(self.machine, Rig):
            self.machine.switches.append(Switch(now, on=False, ours=True))
        self._on_switch()
        self.machine.touched = True
        self.machine.cut_power()

    def restore_power(self) -> None:
        now = self._clock.seconds()
        if self._cut_to_cycle:
            self.back_at_seconds = now
        elif isinstance(self.machine, Rig):
            self.machine.switches.append(Switch(now, on=True, ours=True))
        self.machine.touched = True
        self.machine.restore_power()


class Faulty:
    """Faults that may overlap; it is sound some time after the last."""

    def __init__(self, clock: WorldClock, aftermath_seconds: float) -> None:
        self.clock = clock
        self._faults: list[str] = []
        self._aftermath_seconds = aftermath_seconds
        self._sound_at_seconds = 0.0

    @property
    def is_sound(self) -> bool:
        return not self._faults and self.clock.seconds() >= self._sound_at_seconds

    def befall(self, fault: str) -> None:
        self._faults.append(fault)
        self._reflect(frozenset(self._faults))

    def pass_off(self, fault: str) -> None:
        self._faults.remove(fault)
        self._sound_at_seconds = self.clock.seconds() + self._aftermath_seconds
        self._reflect(frozenset(self._faults))

    def _reflect(self, faults: frozenset[str]) -> None:
        raise NotImplementedError


class Strip(Faulty):
    """Feeds the miners of `feeds`, by the numbers of its outlets."""

    def __init__(self, scheduler: Scheduler, feeds: dict[int, Feed]) -> None:
        super().__init__(scheduler.clock, _STRIP_AFTERMATH_SECONDS)
        self.machine = KasaMachine("HS300", clock=scheduler.clock, name="strip")
        self.machine.calendar = scheduler.clock
        self.feeds = feeds
        self._scheduler = scheduler
        for number, feed in feeds.items():
            self.machine.plug_in(feed, number)

    def link(self) -> PlugLink:
        return InProcessStrip(self.machine, self._scheduler.wait)

    @property
    def strangers(self) -> int:
        """How often an outlet was switched that is nobody's, or the whole strip."""
        others = [one for one in self.machine.switched if one.outlet + 1 not in self.feeds]
        return len(others) + self.machine.parent_switched

    def _reflect(self, faults: frozenset[str]) -> None:
        wire = Wire.SILENCE if "plug_silent" in faults else Wire.WHOLE
        self.machine.faults = KasaFaults(
            wire=wire, refuses="plug_refuses" in faults, yes_and_nothing="plug_lies" in faults
        )


class Pool(Faulty):
    """Whoever hashes has just sent a share."""

    def __init__(self, clock: WorldClock, workers: dict[str, Hashing]) -> None:
        super().__init__(clock, _POOL_AFTERMATH_SECONDS)
        self.stand_in = PoolStandIn(clock, account=None)
        self._workers = workers
        self._forgotten: list[str] = []

    def take_shares(self) -> None:
        for name, machine in self._workers.items():
            if machine.hashing:
                self.stand_in.share(name)

    def handle(self, request: Request) -> Response:
        self.take_shares()
        known = self.stand_in.workers
        self.stand_in.workers = {name: one for name, one in known.items() if name not in self._forgotten}
        try:
            return self.stand_in.handle(request)
        finally:
            self.stand_in.workers = known

    def forget(self, name: str) -> None:
        self._forgotten.append(name)
        self.befall("pool_forgets")

    def remember(self, name: str) -> None:
        self._forgotten.remove(name)
        self.pass_off("pool_forgets")

    def _reflect(self, faults: frozenset[str]) -> None:
        self.stand_in.faults = PoolFaults(
            wire=Wire.SILENCE if "pool_out" in faults else Wire.WHOLE,
            garbage=b"<html>" if "pool_nonsense" in faults else None,
            late_seconds=_LATE_SECONDS if "pool_late" in faults else 0.0,
        )
