"""What has arrived and waits for the service's one thread: bounded, the newest value per retained topic."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Hashable

Delivery = Callable[[], None]

EVENTS_KEPT = 2000


class Inbox:
    """Filled from any thread, emptied by one. State coalesces by key; of too many events the oldest go."""

    def __init__(self, events_kept: int = EVENTS_KEPT) -> None:
        self._states: dict[Hashable, Delivery] = {}
        self._events: deque[Delivery] = deque(maxlen=events_kept)
        self._lock = threading.Lock()
        # SimpleQueue.put may be called in a signal handler; Event.set and Queue.put may deadlock there.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._rung = False
        self.dropped = 0

    def put_state(self, key: Hashable, delivery: Delivery) -> None:
        """The newest of each key replaces what waits, and takes its turn last."""
        with self._lock:
            self._states.pop(key, None)
            self._states[key] = delivery
        self.ring()

    def put_event(self, delivery: Delivery) -> None:
        with self._lock:
            if len(self._events) == self._events.maxlen:
                self.dropped += 1
            self._events.append(delivery)
        self.ring()

    def take(self) -> list[Delivery]:
        """Everything that waits, states before events."""
        with self._lock:
            taken = [*self._states.values(), *self._events]
            self._states.clear()
            self._events.clear()
        return taken

    def ring(self) -> None:
        """Ends a `wait`. Callable from a signal handler."""
        if not self._rung:
            self._rung = True
            self._bell.put(None)

    def wait(self, seconds: float) -> None:
        """Returns at the next ring, at the latest after these real seconds."""
        try:
            self._bell.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return
        self._rung = False
