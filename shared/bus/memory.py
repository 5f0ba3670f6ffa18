"""A broker in memory: wildcards, retained messages and wills as a real one has them, for tests and simulated farms."""

from collections.abc import Sequence

from shared.bus.link import Arrival, Link, LinkListener, Packet, matches


class MemoryBroker:
    """Delivers at once, in the caller's thread. Its links may lose the broker, and the broker its memory."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self._links: list[MemoryLink] = []
        self.running = True

    def link(self) -> "MemoryLink":
        """A new connection to this broker, not yet started."""
        return MemoryLink(self)

    def publish(self, packet: Packet) -> None:
        """Remembers what is to be retained, and delivers once to each link that asked for it."""
        if packet.retain:
            self._remember(packet)
        for link in list(self._links):
            if link.wants(packet.path):
                self.deliver(link, Arrival(packet.path, packet.payload))

    def deliver(self, link: "MemoryLink", arrival: Arrival) -> None:
        """The one place through which every message passes: a simulation of faults overrides it."""
        link.receive(arrival)

    def _remember(self, packet: Packet) -> None:
        if packet.payload:
            self.retained[packet.path] = packet.payload
        else:
            self.retained.pop(packet.path, None)

    def recall(self, link: "MemoryLink", topic_filter: str) -> None:
        """Sends a link the retained messages of a filter, as a broker does after each SUBSCRIBE."""
        for path, payload in list(self.retained.items()):
            if matches(topic_filter, path):
                self.deliver(link, Arrival(path, payload, retained=True))

    def attach(self, link: "MemoryLink") -> None:
        if self.running and link not in self._links:
            self._links.append(link)
            link.opened()

    def detach(self, link: "MemoryLink", *, with_will: bool) -> None:
        if link not in self._links:
            return
        self._links.remove(link)
        link.closed()
        if with_will and link.will is not None:
            self.publish(link.will)

    def kill(self, *, forget: bool = False) -> None:
        """The broker dies: every link goes down and no will is published. `forget` empties its memory, too."""
        self.running = False
        for link in list(self._links):
            self._links.remove(link)
            link.closed()
        if forget:
            self.retained.clear()

    def revive(self) -> None:
        """The broker is back; each link finds it at its next `tend`."""
        self.running = True


class MemoryLink(Link):
    """A connection to a MemoryBroker."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._listener: LinkListener | None = None
        self._filters: list[str] = []
        self._up = False
        self.will: Packet | None = None

    def start(self, listener: LinkListener, will: Packet | None) -> None:
        self._listener, self.will = listener, will
        self._broker.attach(self)

    def is_up(self) -> bool:
        return self._up

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        for topic_filter, _qos in filters:
            if topic_filter not in self._filters:
                self._filters.append(topic_filter)
            self._broker.recall(self, topic_filter)

    def unsubscribe(self, filters: Sequence[str]) -> None:
        for topic_filter in filters:
            if topic_filter in self._filters:
                self._filters.remove(topic_filter)

    def send(self, packet: Packet) -> bool:
        if not self._up:
            return False
        self._broker.publish(packet)
        return True

    def tend(self) -> None:
        if self._listener is not None:
            self._broker.attach(self)

    def stop(self, farewell: Packet | None) -> None:
        if farewell is not None:
            self.send(farewell)
        self._broker.detach(self, with_will=False)
        self._listener = None

    def cut(self) -> None:
        """The cable is pulled, or the process killed: the broker publishes the will."""
        self._broker.detach(self, with_will=True)

    # called by the broker

    def wants(self, path: str) -> bool:
        return any(matches(topic_filter, path) for topic_filter in self._filters)

    def receive(self, arrival: Arrival) -> None:
        if self._listener is not None:
            self._listener.link_arrival(arrival)

    def opened(self) -> None:
        self._up = True
        if self._listener is not None:
            self._listener.link_up()

    def closed(self) -> None:
        self._up = False
        self._filters.clear()
        if self._listener is not None:
            self._listener.link_down()
