"""What the samples of a soak say, and which bounds they break. Pure."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.footprint import Footprint

GROWTH_MAX_PERCENT = 2.0
NOISE_MB = 0.2
"""A small process may grow by so much: 2 % of mosquitto is a handful of pages."""
TOTAL = "total"


@dataclass(frozen=True)
class Sample:
    """All processes of the farm at one second of the soak, by role."""

    second: float
    processes: dict[str, tuple[int, Footprint]]
    """Process id and what it holds."""


@dataclass(frozen=True)
class Growth:
    """Medians of the first and the last quarter of the compared time, in MB: what is allocated, and the PSS."""

    first_mb: float
    last_mb: float
    first_pss_mb: float
    last_pss_mb: float

    @property
    def percent(self) -> float:
        return 100 * (self.last_mb - self.first_mb) / self.first_mb

    @property
    def pss_percent(self) -> float:
        return 100 * (self.last_pss_mb - self.first_pss_mb) / self.first_pss_mb

    def broken(self, noise_mb: float = NOISE_MB) -> bool:
        return self.percent > GROWTH_MAX_PERCENT and self.last_mb - self.first_mb > noise_mb


@dataclass(frozen=True)
class Kept:
    """What is held open, before the troubles and after them."""

    threads: tuple[int, int]
    sockets: tuple[int, int]
    descriptors: tuple[int, int]

    def left_behind(self) -> list[str]:
        pairs = {"threads": self.threads, "sockets": self.sockets, "descriptors": self.descriptors}
        return [f"{after - before} {what}" for what, (before, after) in pairs.items() if after > before]


def growth(samples: Sequence[Sample], begins: float, ends: float) -> dict[str, Growth]:
    """By role, and in total, over the quarters of this stretch. Samples in which a process is missing do not count."""
    roles = {role for sample in samples for role in sample.processes}
    whole = [sample for sample in samples if set(sample.processes) == roles]
    quarter = (ends - begins) / 4
    first = [sample for sample in whole if begins <= sample.second < begins + quarter]
    last = [sample for sample in whole if ends - quarter <= sample.second < ends]
    if not first or not last:
        message = "the soak was too short: a quarter has no sample"
        raise ValueError(message)
    return {
        role: Growth(_allocated(first, role), _allocated(last, role), _pss(first, role), _pss(last, role))
        for role in [*sorted(roles), TOTAL]
    }


def _allocated(samples: Sequence[Sample], role: str) -> float:
    return statistics.median(sum(one.allocated_mb for one in _of(sample, role)) for sample in samples)


def _pss(samples: Sequence[Sample], role: str) -> float:
    return statistics.median(sum(one.pss_mb for one in _of(sample, role)) for sample in samples)


def _of(sample: Sample, role: str) -> list[Footprint]:
    return [found for name, (_, found) in sample.processes.items() if role in {name, TOTAL}]


def kept(before: Sample, after: Sample) -> dict[str, Kept]:
    """By role, of those that are there both times."""
    found: dict[str, Kept] = {}
    for role, (_, first) in before.processes.items():
        if role in after.processes:
            last = after.processes[role][1]
            found[role] = Kept(
                (first.threads, last.threads), (first.sockets, last.sockets), (first.descriptors, last.descriptors)
            )
    return found


def restarts(samples: Sequence[Sample]) -> Counter[str]:
    """How often each role has got another process."""
    counted: Counter[str] = Counter()
    known: dict[str, int] = {}
    for sample in samples:
        for role, (pid, _) in sample.processes.items():
            counted[role] += known.get(role, pid) != pid
            known[role] = pid
    return counted


@dataclass(frozen=True)
class Verdict:
    """Everything that a soak has found."""

    growth: dict[str, Growth]
    kept: dict[str, Kept]
    restarts: dict[str, int]
    kills: dict[str, int]
    tracebacks: dict[str, int]
    """Exceptions that nobody expected, by log."""
    troubles: dict[str, int]
    hashing: tuple[int, int]
    """So many miners hash at the end, with a full battery and all well again, of so many."""

    def broken(self) -> list[str]:
        """The bounds that are broken, as sentences; none when all is well."""
        said = [
            f"{role} grew by {one.percent:.1f} % ({one.first_mb:.2f} to {one.last_mb:.2f} MB)"
            for role, one in self.growth.items()
            if one.broken(0.0 if role == TOTAL else NOISE_MB)
        ]
        said += [f"{role} kept {', '.join(one.left_behind())}" for role, one in self.kept.items() if one.left_behind()]
        said += [
            f"{role} was restarted {count} times, killed {self.kills.get(role, 0)} times"
            for role, count in self.restarts.items()
            if count != self.kills.get(role, 0)
        ]
        said += [f"{count} exceptions in {name}" for name, count in self.tracebacks.items()]
        if self.hashing[0] != self.hashing[1]:
            said.append(f"only {self.hashing[0]} of {self.hashing[1]} miners hash after all is well again")
        return said
