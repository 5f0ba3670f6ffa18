"""What a bus needs of the wire beneath it: bytes on paths, and word of coming and going."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Packet:
    """Something to send. An empty retained payload clears the broker's memory of that path."""

    path: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True)
class Arrival:
    """Something that arrived. `retained` tells that it came from the broker's memory."""

    path: str
    payload: bytes
    retained: bool = False


class LinkListener(Protocol):
    """Who is told. All three are called in the link's own thread, and must neither wait nor raise."""

    def link_up(self) -> None:
        """The broker has accepted the connection."""

    def link_down(self) -> None:
        """The connection has ended."""

    def link_arrival(self, arrival: Arrival) -> None:
        """A message has come."""


class Link(Protocol):
    """One connection to one broker, which restores itself."""

    def start(self, listener: LinkListener, will: Packet | None) -> None:
        """Begins to connect; never raises for an absent broker."""

    def is_up(self) -> bool:
        """Whether the broker has accepted the connection."""

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        """Asks for these (filter, QoS); to be repeated after each `link_up`."""

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Asks for these filters no more."""

    def send(self, packet: Packet) -> bool:
        """Hands a packet to the wire; False when it could not take it. Callable from any thread."""

    def tend(self) -> None:
        """Mends what does not mend itself (a dead network thread, a refused protocol); called every few seconds."""

    def stop(self, farewell: Packet | None) -> None:
        """Says farewell in place of the will and closes."""


def matches(topic_filter: str, path: str) -> bool:
    """Whether an MQTT subscription filter (`+`, `#`) covers a path. Source: MQTT 3.1.1, section 4.7."""
    wanted, found = topic_filter.split("/"), path.split("/")
    if path.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(found) or level not in {"+", found[index]}:
            return False
    return len(wanted) == len(found)
