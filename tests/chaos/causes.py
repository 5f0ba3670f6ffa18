"""What explains what: which troubles were near, and whether tender and engine were the same all the time.

Pure. A rule names the whom and the when; everything that is not explained by a trouble is judged by the calm bound.
"""

import bisect
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.chaos.history import History, Told
from tests.chaos.plan import AGENT, BRIDGE, BROKER, ENGINE, PARTITIONS, SOURCE, Blow, Trouble

Span = tuple[float, float]

FRESH_SECONDS = 3.0
"""A telemetry that is older than this has waited for a connection: it tells of the past."""


@dataclass(frozen=True)
class Broken:
    """One promise that was not kept."""

    rule: str
    at: float
    whom: str
    sentence: str


class Causes:
    """The troubles of a history, and who tended what, made ready to be asked."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.times = history.times
        self._skews = [one for one in history.done if one.blow is Blow.SKEW]
        self.fresh: dict[str, list[Told]] = {name: [] for name in history.cast.miners}
        for told in history.told:
            if told.device in self.fresh and not told.retained and self._is_fresh(told):
                self.fresh[told.device].append(told)
        self._at = {name: [told.at for told in found] for name, found in self.fresh.items()}
        self._reigns = [(one.at, one.engine) for one in history.proclaimed if not one.retained]

    def _is_fresh(self, told: Told) -> bool:
        return abs(told.age + self.skew_seconds(told.by, told.at)) <= FRESH_SECONDS

    def skew_seconds(self, whom: str, at: float) -> float:
        """By how much the clock of a replica is ahead."""
        known = (one for one in self._skews if one.whom == whom and one.begins <= at <= one.ends)
        return next((float(one.detail) for one in known), 0.0)

    def between(self, device: str, begins: float, ends: float) -> list[Told]:
        """The fresh telemetry of a device in this time."""
        times = self._at[device]
        return self.fresh[device][bisect.bisect_left(times, begins) : bisect.bisect_right(times, ends)]

    def near(self, begins: float, ends: float, whom: Iterable[str]) -> list[Trouble]:
        """The troubles of these, or of the broker, that can be felt in this time: until some time after their end."""
        names = {*whom, BROKER}
        felt = self.times.recovery
        return [
            one for one in self.history.done if one.whom in names and one.begins <= ends and begins <= one.ends + felt
        ]

    # --- who matters

    def agents(self, device: str, begins: float, ends: float) -> Sequence[str]:
        """Whose troubles matter to a device: its tender's alone where it had one and the same all the time."""
        found = self.between(device, begins, ends)
        tenders = {told.by for told in found}
        gap = 2 * self.times.poll + self.times.request
        edges = [begins, *(told.at for told in found), ends]
        steady = all(after - before <= gap for before, after in itertools.pairwise(edges))
        return list(tenders) if len(tenders) == 1 and steady else self.all_agents()

    def all_agents(self) -> list[str]:
        return [*self.history.cast.replicas[AGENT], *self.history.cast.joiners]

    def engines(self, begins: float, ends: float) -> Sequence[str]:
        """The engine's that was in charge all the time; else all of them."""
        reigning = {engine for at, engine in self._reigns if begins <= at <= ends}
        before = [engine for at, engine in self._reigns if at < begins]
        reigning.update(before[-1:])
        return list(reigning) if len(reigning) == 1 else self.history.cast.replicas[ENGINE]

    def bridges(self) -> list[str]:
        return [*self.history.cast.replicas[BRIDGE], SOURCE]

    def everybody(self, device: str) -> list[str]:
        """All whose troubles could ever matter to a device."""
        return [*self.all_agents(), *self.history.cast.replicas[ENGINE], *self.bridges(), device]

    # --- when it is over

    def first_calm(self, begins: float, lasting: float, relevant: Callable[[float, float], list[Span]]) -> float:
        """The first time from `begins` on at which nothing is felt for so long. `relevant`: the spans that count."""
        at = begins
        while True:
            blocking = [end for start, end in relevant(at, at + lasting) if start < at + lasting and at < end]
            if not blocking:
                return at
            at = max(blocking)

    def felt(self, trouble: Trouble, *, hearing: bool = True) -> list[Span]:
        """The times in which a trouble can be felt: until it ends, or somebody else has taken over; and at its end.

        `hearing`: felt by whoever needs the broker; else by the process alone.
        """
        times, after = self.times, trouble.ends + self._tail(trouble, hearing=hearing)
        if trouble.blow in {Blow.SKEW, Blow.JOIN}:  # in between it works
            began = min(trouble.begins + times.start + times.settle + times.request, trouble.ends)
            return [(trouble.begins, began), (trouble.ends, after)]
        service = self.history.cast.service_of(trouble.whom)
        if service is None or len(self.history.cast.replicas[service]) == 1:
            return [(trouble.begins, after)]
        # Whoever was cut off, or stood still, doubts the others for a settle time before it takes up anything.
        over = trouble.begins + times.untended + (times.takeover if service == ENGINE else times.settle) + times.margin
        if trouble.ends > over:
            # Others have long taken over: a return moves shares, after the last request to each device has ended.
            after = min(after, trouble.ends + times.settle + times.request + times.margin)
        return [(trouble.begins, min(trouble.ends, over)), (trouble.ends, after)]

    def _tail(self, trouble: Trouble, *, hearing: bool) -> float:
        """How long the end of a trouble is felt."""
        times, length = self.times, trouble.ends - trouble.begins
        if trouble.blow is Blow.HANG or (trouble.blow is Blow.FREEZE and not hearing):
            return times.request + times.poll
        if trouble.blow is Blow.SOURCE or trouble.whom == BROKER or trouble.blow in {*PARTITIONS, Blow.FREEZE}:
            # Attempts to connect come at doubling distances: the last pause is at most as long as all before it.
            return min(times.reconnect, length + 2.0) + times.settle + times.request
        return times.start + times.settle + times.request

    # --- which troubles count

    def of_source(self) -> list[Span]:
        return self._spans(self.bridges())

    def of_engine(self, begins: float, ends: float) -> list[Span]:
        return self._spans(self.engines(begins, ends))

    def of_hearing_agent(self, device: str, begins: float, ends: float) -> list[Span]:
        """The tender, its way to the broker, and the device."""
        return self._spans([*self.agents(device, begins, ends), device])

    def of_agent_alone(self, device: str, begins: float, ends: float) -> list[Span]:
        """The tender as a process, and the device: whoever is cut off from the broker can still stop its miner."""
        whom = {*self.agents(device, begins, ends), device}
        mine = [one for one in self.history.done if one.whom in whom and one.blow not in PARTITIONS]
        return [span for one in mine for span in self.felt(one, hearing=False)]

    def _spans(self, whom: Iterable[str]) -> list[Span]:
        names = {*whom, BROKER}
        return [span for one in self.history.done if one.whom in names for span in self.felt(one)]


def told_of(troubles: Iterable[Trouble]) -> str:
    """Troubles as a part of a sentence."""
    found = [f"{one.blow} {one.whom} {one.begins:.1f} to {one.ends:.1f} s" for one in troubles]
    return "; ".join(found) or "nothing was wrong"
