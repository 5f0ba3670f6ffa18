"""What goes wrong in a chaos run, and when: everything from one seed. Pure."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.simulator.home_assistant import Fault
from tests.chaos.times import FULL_PERCENT

BROKER, SOURCE, ACTIVE = "broker", "home_assistant", "active_engine"
ENGINE, AGENT, BRIDGE = "policy_engine", "vnish_agent", "soc_bridge"
TOGETHER_MAX = 3
"""So many things are wrong at a time, at most."""

_SECONDS_BETWEEN = (2.0, 12.0)
_ROW = 9
_BREATH_SECONDS = 25.0
"""After each row of troubles nothing begins for so long: only where nothing is wrong do the tightest bounds hold."""
_SKEWS_SECONDS = (-20.0, -8.0, 8.0, 20.0)
_QUIET_AT_START_SECONDS = 3.0


class Blow(StrEnum):
    """What happens to a replica, the broker, a stand-in or the source of the state of charge."""

    KILL = "kill"
    """SIGKILL, and a new start at the end."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT at the end."""
    CUT = "cut"
    """Every connection to the broker is reset, and new ones are, too."""
    HOLD = "hold"
    """A black hole in both directions: nothing comes through, and nobody is told."""
    HOLD_UP = "hold_up"
    """What the replica sends is lost in it; it still hears."""
    HOLD_DOWN = "hold_down"
    """It is heard, and hears nothing."""
    SLOW = "slow"
    LEAVE = "leave"
    """SIGTERM: it leaves in good order, and is started again at the end."""
    JOIN = "join"
    """One more replica, which leaves in good order at the end."""
    SKEW = "skew"
    """It is started anew with a clock that is wrong by `detail` seconds; at the end with a right one."""
    FORGET = "forget"
    """The broker is killed, and comes back without its memory."""
    HANG = "hang"
    """The miner takes requests and answers none."""
    SOURCE = "source"
    """Home Assistant has the fault `detail`."""


PARTITIONS = frozenset({Blow.CUT, Blow.HOLD, Blow.HOLD_UP, Blow.HOLD_DOWN, Blow.SLOW})


@dataclass(frozen=True)
class Trouble:
    """Something wrong from one second to another. `whom`: a replica, `broker`, a miner, or `home_assistant`."""

    begins: float
    ends: float
    blow: Blow
    whom: str
    detail: str = ""


@dataclass(frozen=True)
class Cast:
    """Who is there: the instances of each service, those that may join, and the miners."""

    replicas: dict[str, tuple[str, ...]]
    joiners: tuple[str, ...]
    miners: tuple[str, ...]

    def service_of(self, whom: str) -> str | None:
        """The service of an instance; None for what is none."""
        for service, instances in self.replicas.items():
            if whom in instances:
                return service
        return AGENT if whom in self.joiners else None


@dataclass(frozen=True)
class SocStep:
    """The battery shows this from this second on."""

    begins: float
    percent: float


_LASTING = {
    Blow.KILL: (0.5, 20.0),
    Blow.FREEZE: (1.0, 40.0),
    Blow.LEAVE: (2.0, 20.0),
    Blow.JOIN: (12.0, 40.0),
    Blow.SKEW: (10.0, 40.0),
    Blow.FORGET: (0.2, 8.0),
    Blow.HANG: (3.0, 30.0),
    Blow.SOURCE: (2.0, 35.0),
    **dict.fromkeys(PARTITIONS, (1.0, 40.0)),
}
_OF_BROKER = {Blow.KILL: (0.2, 8.0), Blow.FREEZE: (0.5, 10.0), Blow.FORGET: (0.2, 8.0)}
_OF_REPLICA = (Blow.KILL, Blow.KILL, Blow.FREEZE, Blow.FREEZE, *sorted(PARTITIONS), Blow.LEAVE, Blow.SKEW)
_HANGING_AT_ONCE = 5


def plan(seed: int, seconds: float, cast: Cast) -> list[Trouble]:
    """All troubles, in order. Never two on the same one, and at most `TOGETHER_MAX` at a time."""
    chance = random.Random(seed)
    kinds = _kinds(chance, cast)
    found: list[Trouble] = []
    at, count = _QUIET_AT_START_SECONDS, 0
    while at < seconds:
        busy = [one for one in found if one.ends > at]
        if len({(one.blow, one.ends) for one in busy}) >= TOGETHER_MAX:
            at = min(one.ends for one in busy)
            continue
        found += _next(chance, next(kinds), cast, at, seconds, {one.whom for one in busy})
        count += 1
        at += chance.uniform(*_SECONDS_BETWEEN)
        if count % _ROW == 0:
            at = max([at, *(one.ends for one in found)]) + _BREATH_SECONDS
    return sorted(found, key=lambda one: (one.begins, one.whom))


def _kinds(chance: random.Random, cast: Cast) -> Iterator[str]:
    """Whom the next one strikes. Every service in turn, so that a short run, too, has some of everything."""
    row = [ENGINE, AGENT, BRIDGE, AGENT, BROKER, ENGINE, AGENT, SOURCE, AGENT, "miners"]
    if cast.joiners:
        row.append("joiners")
    return itertools.cycle(chance.sample(row, len(row)))


def _next(chance: random.Random, kind: str, cast: Cast, at: float, seconds: float, busy: set[str]) -> list[Trouble]:
    if kind == "miners":
        free = [name for name in cast.miners if name not in busy]
        hanging = chance.sample(free, min(_HANGING_AT_ONCE, len(free)))
        ends = _end(chance, _LASTING[Blow.HANG], at, seconds)
        return [Trouble(at, ends, Blow.HANG, name) for name in hanging]
    whom = {BROKER: (BROKER,), SOURCE: (SOURCE,), "joiners": cast.joiners}.get(kind) or cast.replicas.get(kind, ())
    free = [name for name in whom if name not in busy]
    if not free:
        return []
    one = chance.choice(free)
    blow, lasting, detail = _blow(chance, kind)
    return [Trouble(at, _end(chance, lasting, at, seconds), blow, one, detail)]


def _blow(chance: random.Random, kind: str) -> tuple[Blow, tuple[float, float], str]:
    if kind == BROKER:
        blow = chance.choice(list(_OF_BROKER))
        return blow, _OF_BROKER[blow], ""
    if kind == SOURCE:
        fault = chance.choice([Fault.UNAVAILABLE, Fault.RESTARTING, Fault.FROZEN, Fault.BROKEN])
        return Blow.SOURCE, _LASTING[Blow.SOURCE], str(fault)
    blow = Blow.JOIN if kind == "joiners" else chance.choice(_OF_REPLICA)
    detail = f"{chance.choice(_SKEWS_SECONDS):g}" if blow is Blow.SKEW else ""
    return blow, _LASTING[blow], detail


def _end(chance: random.Random, lasting: tuple[float, float], at: float, seconds: float) -> float:
    """Short ones are more frequent; none outlasts the chaos."""
    shortest, longest = lasting
    return min(at + shortest + (longest - shortest) * chance.random() ** 2, seconds)


def battery(seed: int, seconds: float, *, swings: bool = True) -> list[SocStep]:
    """The state of charge in steps over all bands. Some last longer than any bound, so that each bound is tried."""
    chance = random.Random(f"battery {seed}")
    found = [SocStep(0.0, FULL_PERCENT)]
    at = chance.uniform(5.0, 10.0)
    while swings and at < seconds:
        low = found[-1].percent > 50
        found.append(SocStep(at, chance.choice(range(10, 45) if low else range(55, 99)) + 0.5))
        at += chance.uniform(80.0, 130.0) if low and chance.random() < 0.25 else chance.uniform(8.0, 40.0)
    return [*found, SocStep(seconds, FULL_PERCENT)]


def drill(blow: Blow, whom: Sequence[str], times: int, lasting: float, apart: float) -> list[Trouble]:
    """The same thing again and again, in turn to each of `whom`, with nothing else wrong."""
    begins = [_QUIET_AT_START_SECONDS + number * apart for number in range(times)]
    return [Trouble(at, at + lasting, blow, one) for at, one in zip(begins, itertools.cycle(whom), strict=False)]
