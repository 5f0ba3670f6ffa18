"""A service: one thread for its handlers and timers, presence on the bus, and loops of its own for what blocks."""

import gc
import itertools
import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from shared.bus import Bus, Packet, Received
from shared.clock import Clock
from shared.counts import Counts
from shared.ending import Ending
from shared.health import Health
from shared.inbox import Inbox
from shared.loops import Loop, Runner, ThreadRunner, Turns
from shared.messages import Message, Presence
from shared.spare_memory import give_back
from shared.station import Undo
from shared.topics import SERVICE_PRESENCE, Topic
from shared.version import VERSION
from shared.watchdog import notify_watchdog

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)

BEAT_SECONDS = 5.0
_DRIFT_TOLERATED_SECONDS = 30.0
_LONGEST_WAIT_SECONDS = 5.0
_GIVE_BACK_SECONDS = 60.0
_PATIENCE_SECONDS = 10.0
"""How long the broker's memory is waited for: after that devices are read all the same, for the failsafe."""
_COLLECTOR_THRESHOLDS = (10_000, 50, 100)
"""Messages hold no cycles: they die by their reference count. By default Python looks them all through again and again,
for 30 to 60 ms at 1,000 miners; `give_back` does so once a minute."""


class Service:
    """Handlers and timers run in one thread, one at a time: no locks in service code.

    `run()` drives it with real time; a simulation calls `start()`, `step()` and `stop()` itself.
    """

    def __init__(self, name: str, bus: Bus, clock: Clock, *, runner: Runner | None = None) -> None:
        self.name = name
        self.bus = bus
        self.clock = clock
        self.counts: Counts = bus.counts
        self._runner: Runner = runner or ThreadRunner(lambda _name, _error: self.counts.add("loop_failed"))
        self._inbox = Inbox()
        self._numbers = itertools.count()
        self._timers: dict[int, _Timer] = {}
        self._ready: dict[int, Callable[[], None]] = {}
        self._begin: dict[int, Callable[[], None]] = {}
        self._farewells: dict[int, Callable[[], None]] = {}
        self._listeners: dict[tuple[Topic[Any], str], tuple[Callable[[str, Any], None], ...]] = {}
        self._standing: Callable[[], Mapping[str, Any]] = dict
        self._started_at = clock.now()
        self._stopping = False
        self._drift_said = False
        self._began_waiting_seconds = clock.seconds()
        self._patience: Undo = lambda: None
        self._health = Health.from_environment(os.environ)

    # --- what a service is made of: see `Station`

    def on(self, topic: Topic[M], handler: Callable[[Received[M]], None], identifier: str = "+") -> Undo:
        enqueue = self._enqueue_state if topic.retain else self._enqueue_event
        mine = partial(enqueue, next(self._numbers), handler)
        self.bus.subscribe(topic, mine, identifier)
        return lambda: self.bus.unsubscribe(topic, mine, identifier)

    def on_published(self, topic: Topic[M], handler: Callable[[str, M], None], identifier: str) -> Undo:
        key = (topic, identifier)
        self._listeners[key] = (*self._listeners.get(key, ()), handler)

        def undo() -> None:
            left = tuple(each for each in self._listeners.pop(key, ()) if each is not handler)
            if left:
                self._listeners[key] = left

        return undo

    def on_ready(self, job: Callable[[], None]) -> Undo:
        self._ready[key := next(self._numbers)] = job
        return lambda: self._ready.pop(key, None)

    def on_begin(self, job: Callable[[], None]) -> Undo:
        self._begin[key := next(self._numbers)] = job
        return lambda: self._begin.pop(key, None)

    def on_stop(self, job: Callable[[], None]) -> Undo:
        self._farewells[key := next(self._numbers)] = job
        return lambda: self._farewells.pop(key, None)

    def every(self, seconds: float, job: Callable[[], None]) -> Undo:
        self._timers[key := next(self._numbers)] = _Timer(self.clock.seconds(), seconds, job)
        return lambda: self._timers.pop(key, None)

    def spawn(self, name: str, loop: Loop) -> Turns:
        return self._runner.spawn(name, loop)

    def soon(self, job: Callable[[], None]) -> None:
        self._inbox.put_event(job)

    def publish(self, topic: Topic[M], identifier: str, message: M) -> None:
        self.bus.publish(topic, identifier, message)
        self.note(topic, identifier, message)

    def note(self, topic: Topic[M], identifier: str, message: M) -> None:
        """As `publish`, for those in this very service alone. Callable from any thread."""
        for handler in self._listeners.get((topic, identifier), ()):
            self._inbox.put_event(partial(handler, identifier, message))

    def is_fenced(self) -> bool:
        return False

    def is_contested(self) -> bool:
        return False

    def describe(self, standing: Callable[[], Mapping[str, Any]]) -> None:
        """`standing`: fields of its presence that are not the service's own."""
        self._standing = standing

    def beat(self) -> None:
        """Says at once that it is there, and how it stands; in the service's thread."""
        if self.bus.is_up():
            self.publish(SERVICE_PRESENCE, self.bus.instance, self._presence("online"))

    # --- life

    def run(self, ending: Ending | None = None) -> None:
        """Runs until SIGTERM, SIGINT or `request_stop`, then says goodbye in place of the last will."""
        (ending or Ending()).heed(self.request_stop)
        gc.set_threshold(*_COLLECTOR_THRESHOLDS)
        self.every(_GIVE_BACK_SECONDS, give_back)
        self.start()
        try:
            while not self._stopping:
                self._inbox.wait(min(self.step(), _LONGEST_WAIT_SECONDS))
        finally:
            self.stop()

    def request_stop(self) -> None:
        """Ends `run()`. Callable from any thread, and from a signal handler."""
        self._stopping = True
        self._inbox.ring()

    def start(self) -> None:
        self.every(BEAT_SECONDS, self._beat)
        if self._begin:
            self._began_waiting_seconds = self.clock.seconds()
            self._patience = self.every(_PATIENCE_SECONDS, self._wait_in_vain)
        self.bus.start(
            will=self._presence_packet("offline"),
            announce=lambda: self.bus.publish(SERVICE_PRESENCE, self.bus.instance, self._presence("online")),
            on_synced=lambda: self._inbox.put_event(self._memory_arrived),
        )

    def step(self) -> float:
        """Handles all that waits and is due; returns the real seconds until the next timer."""
        for delivery in self._inbox.take():
            self._guarded(delivery)
        now = self.clock.seconds()
        for timer in list(self._timers.values()):
            if timer.due <= now:
                timer.due = timer.due + timer.period if timer.due + timer.period > now else now + timer.period
                self._guarded(timer.job)
        return max(0.0, min((timer.due for timer in self._timers.values()), default=1.0) - self.clock.seconds())

    def stop(self) -> None:
        for job in list(self._farewells.values()):
            self._guarded(job)
        self._runner.stop()
        self.bus.stop(self._presence_packet("offline", farewell=True))

    def busy_seconds(self) -> float:
        """How long the longest of its loops' steps under way will last, by what it has and what its last one did."""
        return self._runner.busy_seconds()

    def is_over(self) -> bool:
        """Whether, after `stop`, the last step of each of its loops has ended."""
        return self._runner.is_over()

    # --- inside

    def _enqueue_state(self, number: int, handler: Callable[[Received[Any]], None], received: Received[Any]) -> None:
        self._inbox.put_state((number, received.identifier), partial(handler, received))

    def _enqueue_event(self, _number: int, handler: Callable[[Received[Any]], None], received: Received[Any]) -> None:
        self._inbox.put_event(partial(handler, received))

    def _memory_arrived(self) -> None:
        for job in list(self._ready.values()):
            self._guarded(job)
        self._begin_all()
        self._tell_health()

    def _wait_in_vain(self) -> None:
        if self.clock.seconds() - self._began_waiting_seconds >= _PATIENCE_SECONDS:
            self._begin_all()

    def _begin_all(self) -> None:
        self._patience()
        jobs, self._begin = list(self._begin.values()), {}
        for job in jobs:
            self._guarded(job)

    def _guarded(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:
            # One bad message or timer must not end the others.
            log.exception("%s: a handler failed", self.name)
            self.counts.add("handler_failed")

    def _beat(self) -> None:
        notify_watchdog()
        self._tell_health()
        self.bus.tend()
        self.counts.set("inbox_dropped", self._inbox.dropped)
        self._watch_clock()
        self.beat()

    def _tell_health(self) -> None:
        trouble = "" if self.bus.is_synced() else "the broker's memory has not arrived"
        self._health.stirred(self.clock.seconds(), trouble if self.bus.is_up() else "no connection to the broker")

    def _watch_clock(self) -> None:
        drift = self.clock.drift_seconds()
        if abs(drift) > _DRIFT_TOLERATED_SECONDS and not self._drift_said:
            self._drift_said = True
            self.counts.add("clock_stepped")
            log.warning("the machine's clock was set by %+.0f s; %s keeps its own until it restarts", drift, self.name)

    def _presence(self, status: str, *, farewell: bool = False) -> Presence:
        return Presence.model_validate(
            {
                "at": self.clock.now(),
                "service": self.name,
                "instance": self.bus.instance,
                "status": status,
                "farewell": farewell,
                "version": VERSION,
                "started_at": self._started_at,
                "beat_seconds": BEAT_SECONDS,
                "counts": self.counts.snapshot(),
                **self._standing(),
            },
        )

    def _presence_packet(self, status: str, *, farewell: bool = False) -> Packet:
        path = SERVICE_PRESENCE.path(self.bus.prefix, self.bus.instance)
        payload = self._presence(status, farewell=farewell).model_dump_json(exclude_none=True).encode()
        return Packet(path, payload, SERVICE_PRESENCE.qos, SERVICE_PRESENCE.retain)


class _Timer:
    def __init__(self, due: float, period: float, job: Callable[[], None]) -> None:
        self.due = due
        self.period = period
        self.job = job
