"""Typed publish and subscribe: models in, models out, and what cannot be understood is refused and counted."""

import itertools
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from shared.bus.link import Arrival, Link, LinkListener, Packet, matches
from shared.bus.outbox import Outbox
from shared.clock import Clock
from shared.counts import Counts
from shared.messages import Barrier, Message
from shared.topics import SERVICE_BARRIER, Topic, locate

log = logging.getLogger(__name__)

M = TypeVar("M", bound=Message)
T = TypeVar("T")

PAYLOAD_BYTES_MAX = 65_536
_COMPLAINTS_KEPT = 1000


@dataclass(frozen=True)
class Received(Generic[M]):
    """A message as it came in. `message` None: the retained topic has been cleared.

    Trust `received_at` (our clock) and `retained`, not the sender's `at`: a last will is written at connect time.
    """

    identifier: str
    message: M | None
    retained: bool
    received_at: datetime


Handler = Callable[[Received[Any]], None]
RawHandler = Callable[[Arrival], None]


class Bus(LinkListener):
    """One service's door to the broker. Handlers are called in the link's thread: they may only enqueue.

    Before the first connection and during an outage, retained topics coalesce and events queue up to a bound.
    """

    def __init__(self, link: Link, clock: Clock, *, prefix: str = "sunherd", instance: str = "bus") -> None:
        self.link = link
        self.prefix = prefix
        self.instance = instance
        self.counts = Counts()
        self._clock = clock
        self._handlers: dict[tuple[str, str], dict[str, tuple[Handler, ...]]] = {}
        """By noun and channel, then by id or `+`. The link's thread reads what the service's replaces."""
        self._filters: dict[str, int] = {}
        self._said: dict[str, tuple[bytes, Any]] = {}
        """What we said last on topics that we hear ourselves, until it comes back: the same bytes need no decoding."""
        self._raw: list[tuple[str, RawHandler]] = []
        self._outbox = Outbox()
        self._lock = threading.RLock()
        self._complaints: set[tuple[str, str]] = set()
        self._unwanted: set[str] = set()
        self._batch: dict[str, int] | None = None
        self._nonce = ""
        self._nonces = itertools.count(1)
        self._caught_up: dict[str, Callable[[], None]] = {}
        """Whom to call when a barrier comes back, by its nonce."""
        self._synced = False
        self._announce: Callable[[], None] = lambda: None
        self._on_synced: Callable[[], None] = lambda: None
        self.subscribe(SERVICE_BARRIER, self._barrier_back, instance)

    # --- the service's side

    def subscribe(self, topic: Topic[M], handler: Handler, identifier: str = "+") -> None:
        """Calls `handler` with each message of a topic, of one id or of all."""
        handlers = self._handlers.setdefault((topic.noun, topic.channel), {})
        handlers[identifier] = (*handlers.get(identifier, ()), handler)
        self._ask(topic.filter(self.prefix, identifier), topic.qos)

    def unsubscribe(self, topic: Topic[M], handler: Handler, identifier: str = "+") -> None:
        """Ends what `subscribe` began with the same arguments; at the next `tend` the broker is told."""
        handlers = self._handlers.get((topic.noun, topic.channel), {})
        left = tuple(each for each in handlers.get(identifier, ()) if each is not handler)
        if left:
            handlers[identifier] = left
        elif handlers.pop(identifier, None) is not None:
            self._ask_no_more(topic.filter(self.prefix, identifier))

    @contextmanager
    def asking_once(self) -> Iterator[None]:
        """Everything that is subscribed inside goes to the broker as one request, each filter once."""
        batch: dict[str, int] = {}
        self._batch = batch
        try:
            yield
        finally:
            self._batch = None
            if batch and self.link.is_up():
                self.link.subscribe(list(batch.items()))

    def when_caught_up(self, job: Callable[[], None]) -> None:
        """Calls `job` once what the broker remembers of all that is subscribed has arrived; in the link's thread.

        If the connection ends before that, the call never comes: `on_synced` does, after the next connection.
        """
        if self.link.is_up():
            self._send_barrier(job)

    def unsubscribe_raw(self, handlers: Collection[RawHandler]) -> None:
        """Calls none of these any more. What they asked for is still heard, until the next connection."""
        self._raw = [(topic_filter, each) for topic_filter, each in self._raw if each not in handlers]

    def subscribe_raw(self, topic_filter: str, handler: RawHandler) -> None:
        """Calls `handler` with each message on a foreign topic, as bytes."""
        self._raw.append((topic_filter, handler))
        self._ask(topic_filter, 1)

    def publish(self, topic: Topic[M], identifier: str, message: M) -> None:
        """Sends, or keeps for the next connection. Callable from any thread. Raises BadIdError."""
        path, payload = topic.path(self.prefix, identifier), message.model_dump_json(exclude_none=True).encode()
        if self._wanted(topic, identifier):
            self._said[path] = (payload, message)
        self.publish_raw(Packet(path, payload, topic.qos, topic.retain))

    def clear(self, topic: Topic[M], identifier: str) -> None:
        """Removes a retained message from the broker's memory."""
        self.publish_raw(Packet(topic.path(self.prefix, identifier), b"", topic.qos, retain=True))

    def publish_raw(self, packet: Packet) -> None:
        """Sends bytes to any topic, or keeps them for the next connection."""
        with self._lock:
            # Never past what waits: an older retained value would overwrite this one when it is flushed.
            if len(self._outbox) or not self.link.send(packet):
                self._outbox.put(packet)
                self.counts.set("outbox_dropped", self._outbox.dropped)

    def start(
        self,
        *,
        will: Packet | None = None,
        announce: Callable[[], None] = lambda: None,
        on_synced: Callable[[], None] = lambda: None,
    ) -> None:
        """Connects. `announce` is called after each connect, `on_synced` when retained memory has arrived."""
        self._announce, self._on_synced = announce, on_synced
        self.link.start(self, will)

    def stop(self, farewell: Packet | None = None) -> None:
        self.link.stop(farewell)

    def tend(self) -> None:
        """To be called every few seconds: mends the link, repeats an unanswered barrier, sends what waits."""
        self.link.tend()
        if not self.link.is_up():
            return
        with self._lock:
            self._outbox.flush(self.link.send)
        unwanted, self._unwanted = self._unwanted, set()
        if unwanted:
            self.link.unsubscribe(list(unwanted))
        if not self._synced:
            self._send_barrier()

    def is_up(self) -> bool:
        return self.link.is_up()

    def is_synced(self) -> bool:
        """Whether the retained memory has arrived since the last connect."""
        return self._synced

    # --- in the link's thread

    def link_up(self) -> None:
        self.counts.add("connects")
        self.link.subscribe(list(self._filters.items()))
        self._announce()
        with self._lock:
            self._outbox.flush(self.link.send)
        self._send_barrier()

    def link_down(self) -> None:
        self._synced = False
        self._caught_up.clear()
        self.counts.add("disconnects")

    def link_arrival(self, arrival: Arrival) -> None:
        for topic_filter, raw_handler in self._raw:
            if matches(topic_filter, arrival.path):
                self._call(raw_handler, arrival, arrival.path)
        located = locate(self.prefix, arrival.path)
        if located is None:
            return
        topic, identifier = located
        wanted = self._wanted(topic, identifier)
        received = self._decode(topic, identifier, arrival) if wanted else None
        if received is not None:
            for handler in wanted:
                self._call(handler, received, arrival.path)

    def _wanted(self, topic: Topic[Any], identifier: str) -> tuple[Handler, ...]:
        handlers = self._handlers.get((topic.noun, topic.channel), {})
        return handlers.get("+", ()) + handlers.get(identifier, ())

    def _call(self, handler: Callable[[T], None], what: T, path: str) -> None:
        try:
            handler(what)
        except Exception:
            # paho's thread and the other handlers must survive whatever one handler does.
            log.exception("handling %s failed", path)
            self.counts.add("handler_failed")

    def _decode(self, topic: Topic[M], identifier: str, arrival: Arrival) -> Received[M] | None:
        now = self._clock.now()
        said = self._said.pop(arrival.path, None)
        if said is not None and said[0] == arrival.payload:
            return Received(identifier, said[1], arrival.retained, now)
        if not arrival.payload:
            return Received(identifier, None, arrival.retained, now)
        if len(arrival.payload) > PAYLOAD_BYTES_MAX:
            self._refuse(arrival.path, "oversized", f"{len(arrival.payload)} bytes, {PAYLOAD_BYTES_MAX} allowed")
            return None
        try:
            message = topic.model.model_validate_json(arrival.payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "payload"
            self._refuse(arrival.path, "malformed", f"{place}: {first['msg']}")
            return None
        self._complaints.discard((arrival.path, "malformed"))
        return Received(identifier, message, arrival.retained, now)

    def _refuse(self, path: str, cause: str, detail: str) -> None:
        self.counts.add(f"refused_{cause}")
        if (path, cause) not in self._complaints and len(self._complaints) < _COMPLAINTS_KEPT:
            self._complaints.add((path, cause))
            log.warning("refused a message on %s: %s (%s); said once", path, cause, detail)

    def _ask(self, topic_filter: str, qos: int) -> None:
        self._filters[topic_filter] = qos
        self._unwanted.discard(topic_filter)
        if self._batch is not None:
            self._batch[topic_filter] = qos
        elif self.link.is_up():
            self.link.subscribe([(topic_filter, qos)])

    def _ask_no_more(self, topic_filter: str) -> None:
        # The broker is told by and by, of all together: what still comes is not even decoded.
        if self._filters.pop(topic_filter, None) is not None:
            self._unwanted.add(topic_filter)

    def _send_barrier(self, job: Callable[[], None] | None = None) -> None:
        nonce = f"{self.instance} {next(self._nonces)}"
        if job is None:
            self._nonce = nonce
        else:
            self._caught_up[nonce] = job
        message = Barrier(at=self._clock.now(), nonce=nonce)
        path = SERVICE_BARRIER.path(self.prefix, self.instance)
        self.link.send(Packet(path, message.model_dump_json().encode(), SERVICE_BARRIER.qos))

    def _barrier_back(self, received: Received[Barrier]) -> None:
        if received.message is None:
            return
        if received.message.nonce == self._nonce and not self._synced:
            self._synced = True
            self._on_synced()
        job = self._caught_up.pop(received.message.nonce, None)
        if job is not None:
            job()
