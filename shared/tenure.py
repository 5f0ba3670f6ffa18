"""One unit in this replica's care: whatever is wired through its tenure is undone when the unit is given up."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from shared.bus import Bus, Received
from shared.clock import Clock
from shared.counts import Counts
from shared.loops import Loop, Turns
from shared.messages import Message
from shared.service import Service
from shared.station import Undo
from shared.topics import Topic

M = TypeVar("M", bound=Message)


class Tenure:
    """A `Station` of its own within a service's. In the service's thread, like all wiring."""

    def __init__(
        self,
        service: Service,
        fenced: Callable[[], bool] = lambda: False,
        contested: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name: str = service.name
        self.bus: Bus = service.bus
        self.clock: Clock = service.clock
        self.counts: Counts = service.counts
        self._service = service
        self._fenced = fenced
        self._contested = contested
        self._ended = False
        self._undo: list[Undo] = []
        self._turns: list[Turns] = []
        self._ready: list[Callable[[], None]] = []
        self._begin: list[Callable[[], None]] = []
        self._farewells: list[Callable[[], None]] = []
        self._undo += [
            service.on_ready(self._memory_arrived),
            service.on_begin(self.begin),
            service.on_stop(self._say_farewell),
        ]

    # --- as a station

    def on(self, topic: Topic[M], handler: Callable[[Received[M]], None], identifier: str = "+") -> Undo:
        return self._keep(self._service.on(topic, partial(self._unless_ended, handler), identifier))

    def on_published(self, topic: Topic[M], handler: Callable[[str, M], None], identifier: str) -> Undo:
        return self._keep(self._service.on_published(topic, handler, identifier))

    def on_ready(self, job: Callable[[], None]) -> Undo:
        self._ready.append(job)
        return lambda: self._ready.remove(job)

    def on_begin(self, job: Callable[[], None]) -> Undo:
        self._begin.append(job)
        return lambda: self._begin.remove(job)

    def on_stop(self, job: Callable[[], None]) -> Undo:
        self._farewells.append(job)
        return lambda: self._farewells.remove(job)

    def every(self, seconds: float, job: Callable[[], None]) -> Undo:
        return self._keep(self._service.every(seconds, job))

    def spawn(self, name: str, loop: Loop) -> Turns:
        turns = self._service.spawn(name, loop)
        self._turns.append(turns)
        return turns

    def soon(self, job: Callable[[], None]) -> None:
        self._service.soon(partial(self._unless_ended, lambda _nothing: job(), None))

    def publish(self, topic: Topic[M], identifier: str, message: M) -> None:
        # What waits until the broker is back would come after the words of whoever has taken over meanwhile.
        if topic.retain and self._fenced():
            self.counts.add("kept_to_itself")
            self._service.note(topic, identifier, message)
        else:
            self._service.publish(topic, identifier, message)

    def is_fenced(self) -> bool:
        return self._fenced()

    def is_contested(self) -> bool:
        return self._contested()

    # --- its life

    def caught_up(self) -> None:
        """What the broker remembers of this unit has arrived: for a tenure that began in a running service."""
        if not self._ended:
            self._memory_arrived()

    def begin(self) -> None:
        """Does what was to be done once, with the memory or without."""
        jobs, self._begin = self._begin, []
        for job in jobs:
            job()

    def end(self) -> None:
        """Hears and begins nothing any more. The last step of its loops may still last: see `is_over`."""
        self._ended = True
        for undo in self._undo:
            undo()
        self._undo = []
        for turns in self._turns:
            turns.retire()

    def is_over(self) -> bool:
        """Whether the last step of its loops has ended."""
        return self._ended and all(turns.is_over() for turns in self._turns)

    def bury(self) -> None:
        """What is to be said when all is over."""
        self._say_farewell()

    # --- inside

    def _keep(self, undo: Undo) -> Undo:
        self._undo.append(undo)
        return undo

    def _unless_ended(self, handler: Callable[[Any], None], what: Any) -> None:
        # What waited in the inbox when the unit was given up.
        if not self._ended:
            handler(what)

    def _memory_arrived(self) -> None:
        if self._ended:
            return
        for job in list(self._ready):
            job()
        self.begin()

    def _say_farewell(self) -> None:
        jobs, self._farewells = self._farewells, []
        for job in jobs:
            job()
