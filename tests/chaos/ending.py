"""The rules of the end: everybody has come to rest, and nothing was kept or lost. Pure."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from tests.chaos.causes import Broken, Causes
from tests.chaos.history import Weight

CONVERGED = "every device has converged when all has been well for a minute"
FLAT = "memory, threads and descriptors stay as they were"
QUEUES = "no queue overflows, no handler or loop fails, no invariant is broken"
GROWTH_MAX = 0.05
NOISE_MB = 1.0
"""Per process: one that was killed and started anew is not yet as large as one that has worked for long."""
SPARE_THREADS, SPARE_DESCRIPTORS = 2, 6
"""Per process: a connection that is just being made."""
_LAST_SECONDS = 12.0


@dataclass(frozen=True)
class Growth:
    """One service: the medians of two stretches of time, per process."""

    service: str
    own_mb: tuple[float, float]
    pss_mb: tuple[float, float]
    threads: tuple[float, float]
    descriptors: tuple[float, float]


def converged(causes: Causes) -> Iterator[Broken]:
    """Settled with the engine's command, tended by one, and hashing: the battery is full."""
    history = causes.history
    busy = history.looks[-1].busy if history.looks else frozenset()
    for device in history.cast.miners:
        last = causes.between(device, history.ended - _LAST_SECONDS, history.ended)
        tenders = {told.by for told in last}
        wrong: list[str] = []
        if not last:
            wrong.append(f"nothing is heard of it in the last {_LAST_SECONDS:g} s")
        else:
            told = last[-1]
            if told.settled is not True or told.following != "command":
                wrong.append(
                    f"settled {told.settled}, follows {told.following}, is {told.state}, wanted {told.desired}"
                )
            if len(tenders) > 1:
                wrong.append(f"tended by {' and '.join(sorted(tenders))}")
        if device not in busy:
            wrong.append("it does not hash with a full battery")
        if wrong:
            yield Broken(CONVERGED, history.ended, device, f"{device}: {'; '.join(wrong)}")


def queues(causes: Causes) -> Iterator[Broken]:
    """Each instance's counts, as its presence tells them; and the logs."""
    said: set[tuple[str, str]] = set()
    for beat in causes.history.beats:
        for name, count in {**beat.dropped, **beat.broken}.items():
            if (beat.instance, name) not in said:
                said.add((beat.instance, name))
                sentence = f"{beat.instance} tells {name} {count} at {beat.at:.1f} s"
                yield Broken(QUEUES, beat.at, beat.instance, sentence)
    for log, count in causes.history.tracebacks.items():
        yield Broken(QUEUES, causes.history.ended, log, f"{count} exceptions in {log}")


def growth(causes: Causes) -> list[Growth]:
    """The second quarter of the chaos against the calm after it: by then nobody is killed or frozen any more.

    Only moments count at which each service has as many processes as it should: with one more or less, each of them
    tends another share of the devices.
    """
    history, found = causes.history, list[Growth]()
    for service in sorted({one.service for one in history.weights}):
        expected = len(history.cast.replicas.get(service, ("the broker",)))
        mine = [one for one in history.weights if one.service == service and one.processes == expected]
        first = [one for one in mine if history.seconds / 4 <= one.at < history.seconds / 2]
        last = [one for one in mine if one.at >= history.seconds + history.calm_seconds / 2]
        if first and last:
            figures = [_medians(first, last, what) for what in ("own_mb", "pss_mb", "threads", "descriptors")]
            found.append(Growth(service, *figures))
    return found


def _medians(first: list[Weight], last: list[Weight], what: str) -> tuple[float, float]:
    before = statistics.median(getattr(one, what) / one.processes for one in first)
    return round(before, 2), round(statistics.median(getattr(one, what) / one.processes for one in last), 2)


def flat(causes: Causes) -> Iterator[Broken]:
    """Per process and service."""
    for one in growth(causes):
        before, after = one.own_mb
        grown: list[str] = []
        if after > before * (1 + GROWTH_MAX) + NOISE_MB:
            grown.append(f"{before:.1f} to {after:.1f} MB")
        if one.threads[1] > one.threads[0] + SPARE_THREADS:
            grown.append(f"{one.threads[0]:g} to {one.threads[1]:g} threads")
        if one.descriptors[1] > one.descriptors[0] + SPARE_DESCRIPTORS:
            grown.append(f"{one.descriptors[0]:g} to {one.descriptors[1]:g} descriptors")
        if grown:
            sentence = f"a process of {one.service} has grown from {', '.join(grown)}"
            yield Broken(FLAT, causes.history.ended, one.service, sentence)
