"""What a chaos run has left behind: everything that was heard, done and seen, on one monotonic clock.

Seconds count from the beginning of the chaos; what came before it is negative.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from tests.chaos.plan import Cast, SocStep, Trouble
from tests.chaos.times import Times


@dataclass(frozen=True)
class Told:
    """A telemetry of a device."""

    at: float
    device: str
    by: str
    epoch: int | None
    following: str
    state: str
    desired: str | None
    settled: bool | None
    reachable: bool
    age: float
    """How long before its arrival it was made, by the sender's clock: much, where it had to wait for a connection."""
    retained: bool
    outside_pause: bool = False
    """Whether it is told that somebody who is not of the farm has paused the miner."""


@dataclass(frozen=True)
class Ordered:
    """A command of an engine."""

    at: float
    device: str
    engine: str
    epoch: int
    pauses: bool
    retained: bool


@dataclass(frozen=True)
class Proclaimed:
    """An epoch, as the engine in charge says it."""

    at: float
    engine: str
    epoch: int
    retained: bool


@dataclass(frozen=True)
class Beat:
    """A presence: a heartbeat, a farewell or a will."""

    at: float
    service: str
    instance: str
    online: bool
    tends: int | None
    holds: tuple[str, ...]
    leaving: tuple[str, ...]
    dropped: dict[str, int]
    """Counts of what did not fit into a queue."""
    broken: dict[str, int]
    """Counts of what must never happen: handlers and loops that failed, invariants that were broken."""
    retained: bool


@dataclass(frozen=True)
class Control:
    """A request to a miner that was to start or stop it, as the miner itself heard it."""

    at: float
    device: str
    by: str
    starts: bool
    took: bool
    """Whether the miner was in a state to take it: it did not hang, and the token was good."""


@dataclass(frozen=True)
class Look:
    """Which miners draw power, whatever anybody says of them."""

    at: float
    busy: frozenset[str]


@dataclass(frozen=True)
class Shown:
    """What the battery's sensor really showed from then on; None: nothing that can be used."""

    at: float
    percent: float | None


@dataclass(frozen=True)
class Weight:
    """All processes of one service together."""

    at: float
    service: str
    processes: int
    own_mb: float
    """Of what is no file's: it does not depend on what else this machine runs."""
    pss_mb: float
    threads: int
    descriptors: int
    pids: tuple[int, ...]


@dataclass
class History:
    """The whole run."""

    times: Times
    cast: Cast
    bands: dict[str, tuple[float, float]]
    seconds: float
    """When the chaos ended."""
    calm_seconds: float = 60.0
    """How long everybody had to come to rest afterwards."""
    seed: int = 0
    planned: list[Trouble] = field(default_factory=list)
    battery: list[SocStep] = field(default_factory=list)
    done: list[Trouble] = field(default_factory=list)
    """The troubles as they really happened."""
    told: list[Told] = field(default_factory=list)
    ordered: list[Ordered] = field(default_factory=list)
    proclaimed: list[Proclaimed] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)
    controls: list[Control] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    tracebacks: dict[str, int] = field(default_factory=dict)
    """Exceptions that nobody expected, by log."""

    @property
    def ended(self) -> float:
        return self.seconds + self.calm_seconds

    def count_from(self, second: float) -> None:
        """From now on this second is called 0; what was recorded before it becomes negative."""
        recorded: list[list[Any]] = [self.told, self.ordered, self.proclaimed, self.beats, self.controls]
        for records in [*recorded, self.looks, self.shown, self.weights]:
            records[:] = [replace(one, at=one.at - second) for one in records]
