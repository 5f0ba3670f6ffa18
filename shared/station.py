"""Where something is wired: a whole service, or the part of it that is for one unit and may be given up."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from shared.bus import Bus, Received
from shared.clock import Clock
from shared.counts import Counts
from shared.loops import Loop, Turns
from shared.messages import Message
from shared.topics import Topic

M = TypeVar("M", bound=Message)

Undo = Callable[[], object]


class Station(Protocol):
    """What an agent, a bridge, a poller or an engine needs of the service that it lives in."""

    name: str
    bus: Bus
    clock: Clock
    counts: Counts

    def on(self, topic: Topic[M], handler: Callable[[Received[M]], None], identifier: str = "+") -> Undo:
        """Calls `handler` in the service's thread; of a retained topic only the newest value that waits."""

    def on_published(self, topic: Topic[M], handler: Callable[[str, M], None], identifier: str) -> Undo:
        """Calls `handler` in the service's thread with id and message of what is published here on one id."""

    def on_ready(self, job: Callable[[], None]) -> Undo:
        """Calls `job` each time the broker's memory has arrived and been handled: at first, and after each outage."""

    def on_begin(self, job: Callable[[], None]) -> Undo:
        """Calls `job` once, when the broker's memory has arrived or has been waited for in vain."""

    def on_stop(self, job: Callable[[], None]) -> Undo:
        """Calls `job` once when this ends in good order."""

    def every(self, seconds: float, job: Callable[[], None]) -> Undo:
        """Calls `job` now and then every so many real seconds; turns that were missed are not made up for."""

    def spawn(self, name: str, loop: Loop) -> Turns:
        """Gives a loop that may block a thread of its own."""

    def soon(self, job: Callable[[], None]) -> None:
        """Calls `job` in the service's thread. Callable from any thread."""

    def publish(self, topic: Topic[M], identifier: str, message: M) -> None:
        """Callable from any thread."""

    def is_contested(self) -> bool:
        """Whether a lost replica may still act on the same, not having heard of us. Callable from any thread."""

    def is_fenced(self) -> bool:
        """Whether somebody else may tend the same by now, so that nothing may be raised. Callable from any thread."""
