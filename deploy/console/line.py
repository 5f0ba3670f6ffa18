"""A line to the farm: hears what the broker remembers and what is said, and can say something itself."""

import os
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from deploy.connection import Connection
from deploy.console.trouble import TroubleError
from shared.bus import Bus, MqttLink, Received
from shared.clock import SystemClock
from shared.inbox import Inbox
from shared.launch import address_of
from shared.messages import Message
from shared.topics import Topic

M = TypeVar("M", bound=Message)

CONNECT_SECONDS = 5.0
_TEND_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 0.25
_EVENTS_KEPT = 100_000


class Line:
    """Leaves no trace: no presence, no will. Driven by whoever holds it, in one thread.

    `latest` has the newest word of each topic and id; `on_word` is called with every word, in the order of arrival.
    """

    def __init__(
        self,
        connection: Connection,
        topics: Iterable[Topic[Any]],
        on_word: Callable[[Topic[Any], Received[Any]], None] = lambda _topic, _received: None,
        *,
        patience_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self.connection = connection
        self.clock = SystemClock.from_variable(connection.clock)
        self.latest: dict[tuple[Topic[Any], str], Received[Any]] = {}
        self._on_word = on_word
        self._patience_seconds = patience_seconds
        self._inbox = Inbox(events_kept=_EVENTS_KEPT)
        # The process's number: two consoles at once must not throw each other out.
        name = f"console-{os.getpid()}"
        address = address_of(connection.url, connection.username, connection.password, connection.ca_file)
        self._bus = Bus(MqttLink(address, name), self.clock, prefix=connection.prefix, instance=name)
        self._where = f"{address.host}:{address.port}"
        for topic in topics:
            self._bus.subscribe(topic, partial(self._arrived, topic))
        self._tended_at_seconds = self.clock.seconds()

    def __enter__(self) -> Self:
        """Connects, and waits until all that the broker remembers has arrived. Raises TroubleError."""
        self._bus.start(on_synced=self._inbox.ring)
        if not self.listen(self._patience_seconds, self._bus.is_synced):
            self._bus.stop()
            message = (
                f"the broker at {self._where} does not answer within {self._patience_seconds:g} s. "
                "Fix: is the farm running (sunherd up, make up)? Else look at broker.url, user name and password."
            )
            raise TroubleError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus.stop()

    def listen(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Takes in what comes for so many real seconds, or until something holds. Whether it does."""
        deadline = self.clock.seconds() + seconds
        while True:
            self._take()
            if until():
                return True
            left = deadline - self.clock.seconds()
            if left <= 0:
                return False
            self._inbox.wait(min(left, _LONGEST_WAIT_SECONDS))

    def word(self, topic: Topic[M], identifier: str) -> M | None:
        """The newest word on a topic; None where nobody has said anything, or it has been cleared."""
        received = self.latest.get((topic, identifier))
        return None if received is None else cast("M | None", received.message)

    def words(self, topic: Topic[M]) -> dict[str, M]:
        """The newest word of each id of a topic."""
        return {
            identifier: received.message
            for (of, identifier), received in self.latest.items()
            if of is topic and received.message is not None
        }

    def say(self, topic: Topic[M], identifier: str, message: M) -> None:
        """Publishes; that it has arrived only its echo or an answer proves."""
        self._bus.publish(topic, identifier, message)

    def is_up(self) -> bool:
        """Whether the broker is there at present."""
        return self._bus.is_synced()

    def _take(self) -> None:
        now = self.clock.seconds()
        if now - self._tended_at_seconds >= _TEND_SECONDS:
            self._tended_at_seconds = now
            self._bus.tend()
        for delivery in self._inbox.take():
            delivery()

    def _arrived(self, topic: Topic[Any], received: Received[Any]) -> None:
        self._inbox.put_event(partial(self._heard, topic, received))

    def _heard(self, topic: Topic[Any], received: Received[Any]) -> None:
        self.latest[topic, received.identifier] = received
        self._on_word(topic, received)
