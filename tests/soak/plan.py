"""What goes wrong in a soak, and when: everything from one seed. Pure."""

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.simulator.home_assistant import Fault
from tests.footprint import BROKER

STRUCK = ("policy_engine", "soc_bridge", "vnish_agent", "watch", BROKER)

_SOC_MIDDLE_PERCENT = 55.0
_SOC_SWING_PERCENT = 42.0
_SOC_PERIOD_SECONDS = 150.0
_BANDS = 10


class Ill(StrEnum):
    """How a miner misbehaves."""

    SILENT = "silent"
    HALF = "half"
    RESET = "reset"
    ERROR_500 = "error_500"
    LIES = "lies"
    GARBAGE = "garbage"
    SLOW = "slow"
    LOCKED_OUT = "locked_out"
    FLOODED = "flooded"


class Blow(StrEnum):
    """What happens to a process of the farm."""

    KILL = "kill"
    FREEZE = "freeze"


@dataclass(frozen=True)
class Trouble:
    """Something wrong from one second of the soak to another. `whom`: a miner's number, or a process."""

    begins: float
    ends: float
    what: Ill | Fault | Blow
    whom: str = ""


@dataclass(frozen=True)
class Phases:
    """The seconds of a soak at which its parts begin."""

    seconds: float

    @property
    def kills(self) -> float:
        """Services and the broker are killed, and everything else goes wrong, too."""
        return self.seconds * 0.02

    @property
    def rest(self) -> float:
        """All is well for a while; at its end, what is open is counted."""
        return self.seconds * 0.14

    @property
    def compared(self) -> float:
        """Everything but kills goes wrong. A killed process would have fresh memory: nothing could be compared."""
        return self.seconds * 0.20

    @property
    def calm(self) -> float:
        """From here on all is well again, and what is open is counted once more."""
        return self.seconds * 0.95

    def troubled(self, begins: float, ends: float) -> bool:
        """Whether something may be wrong for all of this time."""
        return (self.kills <= begins and ends < self.rest) or (self.compared <= begins and ends < self.calm)


def soc_percent(second: float) -> float:
    """The state of charge swings over all bands, and never quite the same way."""
    slow = 0.15 * math.sin(second / 97.0)
    return round(
        _SOC_MIDDLE_PERCENT + _SOC_SWING_PERCENT * math.sin(2 * math.pi * second / _SOC_PERIOD_SECONDS + slow), 1
    )


def band(miner: int) -> tuple[int, int]:
    """`stop_soc` and `resume_soc` of a miner."""
    stop = 25 + 6 * (miner % _BANDS)
    return stop, stop + 3


def plan(seed: int, seconds: float, miners: int) -> list[Trouble]:
    """All troubles of a soak, in order."""
    phases = Phases(seconds)
    chance = random.Random(seed)
    found = [
        *_kills(chance, phases),
        *_freezes(chance, phases),
        *_row(chance, phases, list(Fault), "", lasting=(4, 30), pause=(15, 60)),
    ]
    for miner in range(miners):  # about one in eight is ill at any time
        found += _row(chance, phases, list(Ill), str(miner), lasting=(5, 40), pause=(30, 270))
    return sorted(found, key=lambda trouble: (trouble.begins, trouble.whom))


def _kills(chance: random.Random, phases: Phases) -> list[Trouble]:
    """Everybody in turn, in random order, and again in another."""
    whom = [*chance.sample(STRUCK, len(STRUCK)), *chance.sample(STRUCK, len(STRUCK))]
    room = (phases.rest - phases.kills) / len(whom)
    times = [phases.kills + room * (number + 0.5 * chance.random()) for number in range(len(whom))]
    return [Trouble(at, at, Blow.KILL, one) for at, one in zip(times, whom, strict=True)]


def _freezes(chance: random.Random, phases: Phases) -> list[Trouble]:
    """One process at a time."""
    row = _row(chance, phases, [Blow.FREEZE], "", lasting=(2, 8), pause=(15, 60))
    found = [replace(trouble, whom=chance.choice(STRUCK)) for trouble in row]
    return [trouble for trouble in found if trouble.begins >= phases.compared]


def _row(
    chance: random.Random,
    phases: Phases,
    kinds: Sequence[Ill | Fault | Blow],
    whom: str,
    *,
    lasting: tuple[float, float],
    pause: tuple[float, float],
) -> list[Trouble]:
    """Troubles that follow one another, with pauses, wherever trouble is allowed."""
    found: list[Trouble] = []
    each = itertools.cycle(chance.sample(kinds, len(kinds)))
    at = phases.kills + chance.uniform(0, pause[1])
    while at < phases.calm:
        trouble = Trouble(at, at + chance.uniform(*lasting), next(each), whom)
        if phases.troubled(trouble.begins, trouble.ends):
            found.append(trouble)
        at = trouble.ends + chance.uniform(*pause)
    return found
