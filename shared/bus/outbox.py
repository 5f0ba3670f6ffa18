"""What waits while there is no connection: retained topics keep their last value, events queue up to a bound."""

from collections import deque
from collections.abc import Callable

from shared.bus.link import Packet

EVENTS_KEPT = 1000


class Outbox:
    """Bounded: as many retained values as there are paths, and the last `events_kept` events. Not thread-safe."""

    def __init__(self, events_kept: int = EVENTS_KEPT) -> None:
        self._retained: dict[str, Packet] = {}
        self._events: deque[Packet] = deque(maxlen=events_kept)
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._retained) + len(self._events)

    def put(self, packet: Packet) -> None:
        if packet.retain:
            self._retained.pop(packet.path, None)  # the newest goes last: order of publication is kept
            self._retained[packet.path] = packet
            return
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(packet)

    def flush(self, send: Callable[[Packet], bool]) -> None:
        """Sends what waits, retained values first; stops at the first that the wire does not take, and keeps it."""
        for path in list(self._retained):
            if not send(self._retained[path]):
                return
            del self._retained[path]
        while self._events:
            if not send(self._events[0]):
                return
            self._events.popleft()
