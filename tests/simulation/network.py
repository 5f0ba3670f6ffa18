"""The broker in memory behind a network that may misbehave: messages take time, and some are lost, doubled or late.

What comes from the broker's memory at subscribing comes whole and in order, as over one TCP connection: a fault there
is a broken connection, and those are incidents of their own.
"""

import json
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.bus import Arrival, MemoryBroker, MemoryLink, Packet
from tests.simulation.scheduler import Scheduler

_NEWEST_FIELDS = {"emergency_stop": ("lifts",), "command": ("answers",)}
"""What the present version has added to the wire: a service of the version before neither writes nor knows it."""
_REMEMBERED = 60
_UNHEARD_OF = "a_field_of_a_later_version"


@dataclass
class Weather:
    """How each live message fares: chances of 0 to 1."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    late_seconds: float = 0.0
    """At most; a late message may be overtaken by those behind it."""

    @property
    def is_fair(self) -> bool:
        return self.lost == self.doubled == self.late == 0.0


class SimulatedLink(MemoryLink):
    """One process's connection. `frozen_seconds`: how long still that process stands still."""

    def __init__(
        self, broker: "SimulatedBroker", frozen_seconds: Callable[[], float], on_news: Callable[[], None]
    ) -> None:
        super().__init__(broker)
        self.frozen_seconds = frozen_seconds
        self.on_news = on_news
        self.older = False
        self.connection = 0
        self.plugged = True
        self.free_at_seconds = 0.0
        """When the last message before arrives: none overtakes it."""
        self._wanted: dict[str, bool] = {}

    def opened(self) -> None:
        self.connection += 1
        super().opened()

    def subscribe(self, filters: Sequence[tuple[str, int]]) -> None:
        self._wanted.clear()
        super().subscribe(filters)

    def unsubscribe(self, filters: Sequence[str]) -> None:
        self._wanted.clear()
        super().unsubscribe(filters)

    def wants(self, path: str) -> bool:
        if path not in self._wanted:
            self._wanted[path] = super().wants(path)
        return self._wanted[path]

    def send(self, packet: Packet) -> bool:
        return super().send(_as_before(packet) if self.older else packet)

    def receive(self, arrival: Arrival) -> None:
        super().receive(_newer(arrival) if self.older else arrival)
        self.on_news()

    def tend(self) -> None:
        if self.plugged:
            super().tend()


class SimulatedBroker(MemoryBroker):
    """Every message passes here; `witnesses` see each at once, whatever becomes of it on its way."""

    def __init__(self, scheduler: Scheduler, chance: random.Random) -> None:
        super().__init__()
        self.weather = Weather()
        self.witnesses: list[Callable[[Packet], None]] = []
        self._scheduler = scheduler
        self._chance = chance
        self._commands: deque[Packet] = deque(maxlen=_REMEMBERED)

    def link_of(self, frozen_seconds: Callable[[], float], on_news: Callable[[], None]) -> SimulatedLink:
        return SimulatedLink(self, frozen_seconds, on_news)

    def publish(self, packet: Packet) -> None:
        for witness in self.witnesses:
            witness(packet)
        if packet.path.endswith("/command") and packet.payload:
            self._commands.append(packet)
        super().publish(packet)

    def redeliver(self) -> None:
        """Publishes some old command once more, as it was; the most harmful first."""
        if not self.running or not self._commands:
            return
        now = self._scheduler.clock.now().isoformat()
        newest = {packet.path: _Sense.of(packet) for packet in self._commands}
        live = [packet for packet in self._commands if _Sense.of(packet).expires_at > now]
        overruled = [packet for packet in live if _Sense.of(packet).epoch < newest[packet.path].epoch]
        contrary = [packet for packet in overruled if _Sense.of(packet).point != newest[packet.path].point]
        super().publish(self._chance.choice(contrary or overruled or live or list(self._commands)))

    def attach(self, link: MemoryLink) -> None:
        if not isinstance(link, SimulatedLink) or link.plugged:
            super().attach(link)

    def deliver(self, link: MemoryLink, arrival: Arrival) -> None:
        assert isinstance(link, SimulatedLink)
        if arrival.retained or self.weather.is_fair:
            self._send(link, arrival)
            return
        weather, chance = self.weather, self._chance
        if chance.random() < weather.lost:
            return
        for _copy in range(2 if chance.random() < weather.doubled else 1):
            late = chance.random() < weather.late
            self._send(link, arrival, chance.uniform(0, weather.late_seconds) if late else 0.0)

    def _send(self, link: SimulatedLink, arrival: Arrival, late_seconds: float = 0.0) -> None:
        now = self._scheduler.clock.seconds()
        due = now + self._chance.uniform(0.0005, 0.005)
        if late_seconds:
            due += late_seconds
        else:
            due = link.free_at_seconds = max(due, link.free_at_seconds)
        connection = link.connection
        self._scheduler.at(due, lambda: self._arrive(link, connection, arrival))

    def _arrive(self, link: SimulatedLink, connection: int, arrival: Arrival) -> None:
        if link.connection != connection or not link.is_up():
            return
        frozen = link.frozen_seconds()
        if frozen > 0:
            due = link.free_at_seconds = max(self._scheduler.clock.seconds() + frozen, link.free_at_seconds)
            self._scheduler.at(due, lambda: self._arrive(link, connection, arrival))
        else:
            link.receive(arrival)


@dataclass(frozen=True)
class _Sense:
    """What matters of a command when it is said again."""

    epoch: int
    point: str
    expires_at: str

    @classmethod
    def of(cls, packet: Packet) -> "_Sense":
        command: dict[str, Any] = json.loads(packet.payload)
        point = command["point"]["name"] if "point" in command else str(command["on"])
        return cls(command["epoch"], point, command["expires_at"])


def _as_before(packet: Packet) -> Packet:
    fields = _NEWEST_FIELDS.get(packet.path.rpartition("/")[2])
    if fields is None or not packet.payload:
        return packet
    message: dict[str, Any] = json.loads(packet.payload)
    kept = {name: value for name, value in message.items() if name not in fields}
    return Packet(packet.path, json.dumps(kept).encode(), packet.qos, packet.retain)


def _newer(arrival: Arrival) -> Arrival:
    """To an older service the others' messages hold things that it has never heard of."""
    if not arrival.payload.startswith(b"{"):
        return arrival
    return Arrival(arrival.path, b'{"%s": 1, ' % _UNHEARD_OF.encode() + arrival.payload[1:], arrival.retained)
