"""Replicas of one service on a broker in memory, stepped in one thread: who tends which unit at each moment."""

from collections.abc import Iterator

from shared.bus import Arrival, Bus, MemoryBroker, MemoryLink
from shared.clock import VirtualClock
from shared.loops import Loop, SteppedRunner, SteppedTurns, Turns
from shared.replicas import Replicas, Wire
from shared.service import Service
from shared.tenure import Tenure

SERVICE = "an_agent"
STEP_SECONDS = 0.25


class Idle:
    """A loop that does nothing."""

    def step(self) -> float:
        return 1.0

    def close(self) -> None:
        pass


class LingeringTurns(SteppedTurns):
    """The last step of a retired loop lasts as long as a device hangs."""

    def __init__(self, loop: Loop, hangs: set[str], name: str) -> None:
        super().__init__(loop)
        self._hangs = hangs
        self._name = name

    def is_over(self) -> bool:
        return super().is_over() and self._name not in self._hangs


class LingeringRunner(SteppedRunner):
    def __init__(self, hangs: set[str]) -> None:
        super().__init__()
        self._hangs = hangs

    def spawn(self, name: str, loop: Loop) -> Turns:
        return LingeringTurns(loop, self._hangs, name)


class Replica:
    """One process of the service."""

    def __init__(self, name: str, farm: "ReplicaFarm") -> None:
        self.name = name
        self.running = self.frozen = False
        self._farm = farm
        self.link: MemoryLink
        self.replicas: Replicas

    def start(self) -> None:
        farm = self._farm
        self.link = farm.broker.link()
        bus = Bus(self.link, farm.clock, instance=self.name)
        self.service = Service(SERVICE, bus, farm.clock, runner=LingeringRunner(farm.hangs))
        self.begun: list[str] = []
        self.replicas = Replicas(
            self.service,
            {unit: self._wire(unit) for unit in farm.units},
            settle_seconds=farm.settle_seconds,
            keeps=farm.keeps,
        )
        self.replicas.begin()
        self.service.start()
        self.running = True

    def freeze(self) -> None:
        self.frozen = True
        self._farm.broker.standing_still.add(self.link)

    def thaw(self) -> None:
        """It goes on at once, before it has read what came meanwhile."""
        self.frozen = False
        self.service.step()
        self._farm.broker.catch_up(self.link)

    def kill(self) -> None:
        """As by SIGKILL: the broker publishes its will."""
        self.running = False
        self.link.cut()

    def vanish(self) -> None:
        """As by a power cut: the broker still believes it online."""
        self.running = False
        self._farm.broker.forget_will(self.link)

    def leave(self) -> None:
        self.service.stop()
        self.running = False

    def tends(self, unit: str) -> bool:
        """Whether a step of it with this unit may happen or still last."""
        return self.running and (unit in self.replicas.tended or unit in self.replicas._leaving)

    def _wire(self, unit: str) -> Wire:
        def wire(tenure: Tenure) -> None:
            tenure.on_begin(lambda: self._begin(unit, tenure))

        return wire

    def _begin(self, unit: str, tenure: Tenure) -> None:
        self.begun.append(unit)
        tenure.spawn(unit, Idle())


class ForgetfulBroker(MemoryBroker):
    """Can lose a client without noticing. What comes for one that stands still waits, as in a socket."""

    def __init__(self) -> None:
        super().__init__()
        self.standing_still: set[MemoryLink] = set()
        self._waiting: list[tuple[MemoryLink, Arrival]] = []

    def deliver(self, link: MemoryLink, arrival: Arrival) -> None:
        if link in self.standing_still:
            self._waiting.append((link, arrival))
        else:
            super().deliver(link, arrival)

    def catch_up(self, link: MemoryLink) -> None:
        self.standing_still.discard(link)
        waiting, self._waiting = self._waiting, []
        for other, arrival in waiting:
            self.deliver(other, arrival)

    def forget_will(self, link: MemoryLink) -> None:
        link.will = None
        self.detach(link, with_will=False)


class ReplicaFarm:
    """Everything, and its one clock."""

    def __init__(self, units: int = 40, *, settle_seconds: float = 2.0, keeps: bool = False) -> None:
        self.clock = VirtualClock()
        self.broker = ForgetfulBroker()
        self.units = [f"192.168.1.{number}:80" for number in range(units)]
        self.settle_seconds = settle_seconds
        self.keeps = keeps
        self.replicas: dict[str, Replica] = {}
        self.hangs: set[str] = set()
        """Units whose device does not answer: a step with it does not end."""

    def add(self, *names: str) -> None:
        for name in names:
            self.replicas[name] = Replica(name, self)
            self.replicas[name].start()

    def turn(self, seconds: float = STEP_SECONDS) -> None:
        for replica in self.replicas.values():
            if replica.running and not replica.frozen:
                replica.service.step()
        self.clock.advance(seconds)

    def pass_seconds(self, seconds: float) -> None:
        for _ in range(int(seconds / STEP_SECONDS)):
            self.turn()

    def moments(self, seconds: float) -> Iterator[float]:
        """Passes time, and stops after each step to look."""
        begun = self.clock.seconds()
        while self.clock.seconds() - begun < seconds:
            self.turn()
            yield self.clock.seconds() - begun

    def tending(self, unit: str) -> list[str]:
        return [name for name, replica in self.replicas.items() if replica.tends(unit)]

    def shares(self) -> dict[str, set[str]]:
        return {name: set(replica.replicas.tended) for name, replica in self.replicas.items() if replica.running}

    def is_whole(self) -> bool:
        """Whether each unit is tended by exactly one."""
        return all(len(self.tending(unit)) == 1 for unit in self.units)
