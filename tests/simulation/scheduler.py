"""One thread, virtual time: who has the next turn. Everything that waits is a greenlet or a call in a heap.

Real threads block; here a step that waits for an answer lets the others go on, as threads would, and a seed decides
who of two that are due at the same moment goes first.
"""

import heapq
import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from greenlet import GreenletExit, getcurrent, greenlet

DAWN = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)
ATTENTIVE_SLACK_SECONDS = 2.0
_START_SECONDS = 1000.0
_JITTER_SECONDS = 0.02
_QUICK_SECONDS, _LEISURELY_SECONDS = 0.002, 0.05


class WorldClock:
    """The true time. Only the scheduler moves it."""

    def __init__(self) -> None:
        self._seconds = _START_SECONDS

    def now(self) -> datetime:
        return DAWN + timedelta(seconds=self._seconds - _START_SECONDS)

    def seconds(self) -> float:
        return self._seconds

    def drift_seconds(self) -> float:
        return 0.0

    @property
    def day_seconds(self) -> float:
        """Seconds since the simulated day began."""
        return self._seconds - _START_SECONDS

    def move_to(self, seconds: float) -> None:
        self._seconds = max(self._seconds, seconds)


class MachineClock:
    """The clock of one process: wrong by an offset that it took up when it started, and drifting."""

    def __init__(self, world: WorldClock, offset_seconds: float, drift_ppm: float) -> None:
        self._world = world
        self._start_seconds = world.seconds()
        self._start = world.now() + timedelta(seconds=offset_seconds)
        self._rate = 1 + drift_ppm / 1e6

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(self._world.seconds() - self._start_seconds) * self._rate)

    def seconds(self) -> float:
        return self._world.seconds() * self._rate

    def drift_seconds(self) -> float:
        return 0.0


@dataclass(slots=True)
class Entry:
    """A call that is due at a time."""

    at_seconds: float
    call: Callable[[], None]
    cancelled: bool = False


class Scheduler:
    """`slack_seconds`: idle sleeps may last this much longer than asked for, as on a machine that is busy.

    It is small while something happens, and large in quiet hours, which so pass quickly.
    """

    def __init__(self, chance: random.Random) -> None:
        self.clock = WorldClock()
        self.slack_seconds = ATTENTIVE_SLACK_SECONDS
        self.turns = 0
        self._chance = chance
        self._heap: list[tuple[float, float, int, Entry]] = []
        self._numbers = itertools.count()
        self._idle: list[tuple[Callable[[], bool], Task, Entry]] = []
        self.hub = getcurrent()

    def at(self, seconds: float, call: Callable[[], None]) -> Entry:
        """Calls at a time, in the hub."""
        entry = Entry(max(seconds, self.clock.seconds()), call)
        # Of two at one time chance chooses the first.
        heapq.heappush(self._heap, (entry.at_seconds, self._chance.random(), next(self._numbers), entry))
        return entry

    def after(self, seconds: float, call: Callable[[], None]) -> Entry:
        return self.at(self.clock.seconds() + seconds, call)

    def sluggish(self, seconds: float) -> float:
        """How long a sleep of these seconds really takes at present: until the next of the moments that all share.

        Operating systems group timers in the same way, to sleep longer in between.
        """
        due = (self.clock.seconds() + seconds) / self.slack_seconds
        return math.ceil(due) * self.slack_seconds - self.clock.seconds() + self._chance.uniform(0, _JITTER_SECONDS)

    @property
    def turn_seconds(self) -> float:
        """How soon whoever has something to do gets its turn."""
        return _QUICK_SECONDS if self.slack_seconds <= ATTENTIVE_SLACK_SECONDS else _LEISURELY_SECONDS

    def run_until(self, seconds: float, look: Callable[[], None]) -> None:
        """Gives turns until a time; `look` is called after each."""
        while self._heap and self._heap[0][0] <= seconds:
            entry = heapq.heappop(self._heap)[3]
            if entry.cancelled:
                continue
            self.clock.move_to(entry.at_seconds)
            self.turns += 1
            entry.call()
            self._rouse()
            look()
        self.clock.move_to(seconds)

    def _rouse(self) -> None:
        """Whoever waited for something that has come about goes on at once."""
        for waiting in list(self._idle):
            until, task, entry = waiting
            if until():
                self._idle.remove(waiting)
                entry.cancelled = True
                self.after(0.0, task.comeback())

    # --- inside a greenlet

    def wait(self, seconds: float) -> None:
        """Lets exactly this time pass for whoever calls; others have their turns meanwhile."""
        task = Task.current()
        self.after(seconds, task.comeback())
        task.leave()

    def idle(self, seconds: float, until: Callable[[], bool]) -> None:
        """Waits until something is true; gives up after these seconds, or somewhat later."""
        if until():
            return
        task = Task.current()
        entry = self.after(self.sluggish(seconds), task.comeback())
        waiting = (until, task, entry)
        self._idle.append(waiting)
        task.leave()
        if waiting in self._idle:
            self._idle.remove(waiting)

    def forget(self, task: "Task") -> None:
        self._idle = [waiting for waiting in self._idle if waiting[1] is not task]


class Task:
    """A greenlet of one process: may be frozen, and killed wherever it waits."""

    def __init__(self, scheduler: Scheduler, body: Callable[[], None], frozen_seconds: Callable[[], float]) -> None:
        """`frozen_seconds`: for how long still its process stands still."""
        self._scheduler = scheduler
        self._frozen_seconds = frozen_seconds
        self._absences = 0
        self.greenlet: greenlet = greenlet(body)
        self.greenlet.task = self  # type: ignore[attr-defined] # how `current` finds its way back

    @staticmethod
    def current() -> "Task":
        task: Task = getcurrent().task  # type: ignore[attr-defined]
        return task

    def comeback(self) -> Callable[[], None]:
        """What ends the present absence, and only this one."""
        absence = self._absences
        return lambda: self._go_on(absence)

    def _go_on(self, absence: int) -> None:
        if absence != self._absences or self.greenlet.dead:
            return
        frozen = self._frozen_seconds()
        if frozen > 0:
            self._scheduler.after(frozen, lambda: self._go_on(absence))
        else:
            self.greenlet.switch()

    def leave(self) -> None:
        """Lets the others go on until somebody calls `comeback`."""
        self._scheduler.hub.switch()
        self._absences += 1

    def kill(self) -> None:
        """Ends it where it stands. Nothing of what it would have done next is done."""
        self._scheduler.forget(self)
        if self.greenlet and not self.greenlet.dead:
            self.greenlet.throw(GreenletExit)
