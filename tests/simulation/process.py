"""One service as a process of the simulated machine: it may be killed, frozen, started as an older version."""

import logging
import traceback
from collections.abc import Callable

from greenlet import GreenletExit

from shared.bus import Bus
from shared.loops import RETRY_SECONDS, Loop, Turns
from shared.service import Service
from tests.simulation.network import SimulatedBroker, SimulatedLink
from tests.simulation.scheduler import Entry, MachineClock, Scheduler, Task

log = logging.getLogger(__name__)

_BROKER_MISSES_AFTER_SECONDS = 15.0
"""One and a half keepalives: then the broker takes a silent client for dead."""

Build = Callable[[Service], object]


class Process:
    """Started and ended by the simulation. `substance` is what `build` made of the service."""

    def __init__(
        self, name: str, build: Build, scheduler: Scheduler, broker: SimulatedBroker, *, drift_ppm: float
    ) -> None:
        self.name = name
        self.substance: object = None
        self.service: Service | None = None
        self.link: SimulatedLink | None = None
        self.offset_seconds = 0.0
        self.older = False
        self.started_at_seconds = 0.0
        self.starts = 0
        self.crashes: list[str] = []
        self.tasks: list[LoopTask] = []
        self._build = build
        self._scheduler = scheduler
        self._broker = broker
        self._drift_ppm = drift_ppm
        self._frozen_until = 0.0
        self._plugged = True
        self._turn: Entry | None = None

    @property
    def alive(self) -> bool:
        return self.service is not None

    @property
    def well(self) -> bool:
        """Runs, is connected, and has the broker's memory."""
        return self.service is not None and not self.frozen_seconds() and self.service.bus.is_synced()

    def frozen_seconds(self) -> float:
        """For how long still it stands still."""
        return max(0.0, self._frozen_until - self._scheduler.clock.seconds())

    # --- what may happen to it

    def start(self) -> None:
        clock = MachineClock(self._scheduler.clock, self.offset_seconds, self._drift_ppm)
        self.link = self._broker.link_of(self.frozen_seconds, self.wake)
        self.link.older, self.link.plugged = self.older, self._plugged
        self.service = Service(self.name, Bus(self.link, clock, instance=self.name), clock, runner=self)
        self.started_at_seconds = self._scheduler.clock.seconds()
        self.starts += 1
        self.substance = self._build(self.service)
        self.service.start()
        self.wake()

    def kill(self) -> None:
        """As by SIGKILL: nothing of what it was about to do is done, and the broker publishes its will."""
        if self.service is None or self.link is None:
            return
        if self._turn is not None:
            self._turn.cancelled = True
            self._turn = None
        for task in self.tasks:
            task.kill()
        self.tasks = []
        self.crashes += ["a handler failed"] * self.service.counts["handler_failed"]
        self.service = self.substance = None
        self._frozen_until = 0.0
        self.link.cut()

    def freeze(self, seconds: float) -> None:
        if self.service is None:
            return
        self._frozen_until = max(self._frozen_until, self._scheduler.clock.seconds() + seconds)
        if seconds > _BROKER_MISSES_AFTER_SECONDS:
            link = self.link
            self._scheduler.after(_BROKER_MISSES_AFTER_SECONDS, lambda: link.cut() if link is not None else None)

    def unplug(self, *, plugged: bool) -> None:
        """The cable between it and the broker."""
        self._plugged = plugged
        if self.link is not None:
            self.link.plugged = plugged
            if not plugged:
                self.link.cut()

    # --- turns

    def wake(self) -> None:
        """Its service has something to do."""
        self._schedule(self._scheduler.clock.seconds() + self._scheduler.turn_seconds)

    def _schedule(self, at_seconds: float) -> None:
        if self.service is None or (self._turn is not None and self._turn.at_seconds <= at_seconds):
            return
        if self._turn is not None:
            self._turn.cancelled = True
        self._turn = self._scheduler.at(at_seconds, self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        frozen = self.frozen_seconds()
        if frozen or self.service is None:
            self._schedule(self._scheduler.clock.seconds() + frozen)
            return
        delay = self.service.step()
        inbox = self.service._inbox
        delay = 0.0 if inbox._states or inbox._events else self._scheduler.sluggish(delay)
        self._schedule(self._scheduler.clock.seconds() + max(delay, self._scheduler.turn_seconds))

    # --- as the service's runner

    def spawn(self, name: str, loop: Loop) -> Turns:
        task = LoopTask(self, self._scheduler, name, loop)
        self.tasks.append(task)
        return task

    def stop(self) -> None:
        """Processes of a simulation are killed."""

    def busy_seconds(self) -> float:
        return 0.0

    def is_over(self) -> bool:
        return all(task.is_over() for task in self.tasks)


class LoopTask:
    """A loop of a service in a greenlet of its own."""

    def __init__(self, process: Process, scheduler: Scheduler, name: str, loop: Loop) -> None:
        self._process = process
        self._scheduler = scheduler
        self._name = name
        self._loop = loop
        self._woken = self._retired = self._over = False
        self._pause: Entry | None = None
        self._task = Task(scheduler, self._run, process.frozen_seconds)
        scheduler.after(scheduler.turn_seconds, self._task.comeback())

    def wake(self) -> None:
        self._woken = True
        if self._pause is not None:
            self._pause.cancelled = True
            self._pause = self._scheduler.after(self._scheduler.turn_seconds, self._task.comeback())

    def retire(self) -> None:
        self._retired = True
        self.wake()

    def is_over(self) -> bool:
        return self._over

    def kill(self) -> None:
        if self._pause is not None:
            self._pause.cancelled = True
        self._task.kill()

    def _run(self) -> None:
        while not self._retired:
            self._woken = False
            delay = self._step()
            self._process.wake()  # what the step has handed over to the service
            if not self._woken:
                self._sleep(delay)
        self._loop.close()
        self._over = True

    def _step(self) -> float:
        try:
            return max(0.0, self._loop.step())
        except GreenletExit:
            raise
        except Exception:
            log.exception("%s of %s failed", self._name, self._process.name)
            self._process.crashes.append(f"{self._name}: {traceback.format_exc(limit=-3)}")
            return RETRY_SECONDS

    def _sleep(self, seconds: float) -> None:
        delay = self._scheduler.sluggish(seconds) if seconds else 0.0
        self._pause = self._scheduler.after(delay, self._task.comeback())
        self._task.leave()
        self._pause = None
