"""The history checker: which promises a chaos run has broken, and its figures. Pure functions of a history.

Each rule is a function from `Causes` to what is broken; a new one belongs in `RULES`.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos import ending, power, reign, tending
from tests.chaos.causes import Broken, Causes
from tests.chaos.ending import Growth
from tests.chaos.history import History

Rule = Callable[[Causes], Iterator[Broken]]

RULES: tuple[Rule, ...] = (
    power.starts,
    power.stops,
    tending.changes,
    tending.gaps,
    tending.two_hands,
    tending.outside_pauses,
    reign.obeyed,
    reign.writers,
    reign.led,
    reign.late_takeovers,
    ending.converged,
    ending.queues,
    ending.flat,
)
PROMISES: tuple[str, ...] = (
    power.STARTS,
    power.STOPS,
    tending.ONE_TENDER,
    tending.ALWAYS_TENDED,
    tending.TWO_HANDS,
    tending.CONFLICT,
    tending.OUTSIDE,
    reign.OBEYED,
    reign.ONE_WRITER,
    reign.REWRITTEN,
    reign.LED,
    reign.TAKEOVER,
    ending.CONVERGED,
    ending.QUEUES,
    ending.FLAT,
)


@dataclass(frozen=True)
class Spread:
    """Some times in seconds, in short."""

    count: int
    shortest: float
    median: float
    longest: float
    all: tuple[float, ...]


@dataclass(frozen=True)
class Verdict:
    """What a history comes to."""

    broken: tuple[Broken, ...]
    kept: dict[str, int]
    """Each promise, and how often it was broken."""
    takeovers: Spread
    tended_after_kills: Spread
    tended_after_silence: Spread
    shares_of_joiners: tuple[float, ...]
    starts: int
    stops: int
    growth: tuple[Growth, ...]


def check(history: History) -> Verdict:
    """Looks at every rule."""
    causes = Causes(history)
    broken = tuple(sorted((one for rule in RULES for one in rule(causes)), key=lambda one: one.at))
    counted = {promise: sum(one.rule == promise for one in broken) for promise in PROMISES}
    took = [one for one in history.controls if one.took and one.at >= 0]
    return Verdict(
        broken,
        counted,
        spread([one.seconds for one in reign.takeovers(causes)]),
        spread(tending.tended_after_kills(causes)),
        spread(tending.tended_after_silence(causes)),
        tuple(round(share, 3) for share in tending.shares_of_joiners(causes)),
        sum(one.starts for one in took),
        sum(not one.starts for one in took),
        tuple(ending.growth(causes)),
    )


def spread(seconds: Sequence[float]) -> Spread:
    """In short; zeros where there is nothing."""
    rounded = tuple(sorted(round(one, 2) for one in seconds))
    if not rounded:
        return Spread(0, 0.0, 0.0, 0.0, ())
    return Spread(len(rounded), rounded[0], round(statistics.median(rounded), 2), rounded[-1], rounded)
