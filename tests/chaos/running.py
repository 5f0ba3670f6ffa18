"""The run itself: troubles begin and end, the battery moves, and everything goes into the history."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from services.simulator.home_assistant import Fault
from tests.chaos.blows import Blows
from tests.chaos.field import Field, laid_out
from tests.chaos.history import Control, History, Look, Shown, Weight
from tests.chaos.plan import ACTIVE, BROKER, SOURCE, Trouble
from tests.chaos.recorder import Recorder
from tests.footprint import footprint_of
from tests.waiting import eventually

_STEP_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_WEIGH_SECONDS = 3.0
_PROGRESS_SECONDS = 30.0
_READY_SECONDS = 120.0
_SETTLE_SECONDS = 20.0
"""Back-offs of the beginning end, and each miner has been read a few times."""

Say = Callable[[str], None]


class Run:
    """One run on a field that is laid out. Everything is done in this thread; only the recorder has its own."""

    def __init__(self, history: History, field: Field, say: Say) -> None:
        self._history = history
        self._field = field
        self._say = say
        self._origin = time.monotonic()
        self._recorder = Recorder(field.address(), history, self._origin)
        self._blows = Blows(field, self._ask)
        self._waiting = list(history.planned)
        self._present: list[tuple[Trouble, float]] = []
        """Each with the second at which it is to end."""
        self._steps = list(history.battery)
        self._percent: float | None = None
        self._source_fails = False
        self._looked_at = self._weighed_at = self._said_at = float("-inf")

    def run(self) -> None:
        try:
            self._await_peace()
            self._origin = time.monotonic()
            self._recorder.begin(self._origin)
            self._say(f"the chaos begins: {len(self._waiting)} troubles in {self._history.seconds:g} s")
            while (second := self._second()) < self._history.ended:
                self._step(second)
                time.sleep(_STEP_SECONDS)
        finally:
            self._recorder.stop()
        self._history.tracebacks = self._field.tracebacks()

    def _second(self) -> float:
        return time.monotonic() - self._origin

    def _step(self, second: float) -> None:
        for trouble, ends in [one for one in self._present if one[1] <= second]:
            self._end(trouble, ends)
        while self._waiting and self._waiting[0].begins <= second:
            self._begin(self._waiting.pop(0))
        while self._steps and self._steps[0].begins <= second:
            self._percent = self._steps.pop(0).percent
            self._ask(soc=self._percent)
            self._show()
        if second - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = second
            self._ask()
        if second - self._weighed_at >= _WEIGH_SECONDS:
            self._weighed_at = second
            self._weigh()
        if second - self._said_at >= _PROGRESS_SECONDS:
            self._said_at = second
            self._tell_progress()

    # --- troubles

    def _begin(self, trouble: Trouble) -> None:
        ends = trouble.ends
        if trouble.whom == ACTIVE:
            trouble = replace(trouble, whom=self._recorder.active[1])
        begins = self._second()
        self._blows.begin(trouble)
        if trouble.whom == SOURCE:
            # One that is broken answers no question, and still tells of what changes.
            self._source_fails = trouble.detail != Fault.BROKEN
            self._show()
        self._present.append((replace(trouble, begins=begins), ends))

    def _end(self, trouble: Trouble, ends: float) -> None:
        self._blows.end(trouble)
        if trouble.whom == SOURCE:
            self._source_fails = False
            self._show()
        self._present.remove((trouble, ends))
        self._history.done.append(replace(trouble, ends=self._second()))

    # --- what is seen

    def _ask(self, **order: object) -> None:
        """Gives the stand-ins an order, if any, and writes down what they tell."""
        answer = self._field.stand_ins.ask(**order)
        self._history.looks.append(Look(answer["at"] - self._origin, frozenset(answer["busy"])))
        self._history.controls += [
            Control(one["at"] - self._origin, one["device"], one["by"], one["starts"], one["took"])
            for one in answer["controls"]
        ]

    def _show(self) -> None:
        self._history.shown.append(Shown(self._second(), None if self._source_fails else self._percent))

    def _weigh(self) -> None:
        pids: dict[str, list[int]] = {BROKER: [self._field.broker.pid]}
        for one in self._field.replicas.values():
            if one.pid is not None:
                pids.setdefault(one.service, []).append(one.pid)
        for service, held in pids.items():
            prints = [found for found in map(footprint_of, held) if found is not None]
            self._history.weights.append(
                Weight(
                    self._second(),
                    service,
                    len(prints),
                    round(sum(one.own_mb for one in prints), 3),
                    round(sum(one.pss_mb for one in prints), 3),
                    sum(one.threads for one in prints),
                    sum(one.descriptors for one in prints),
                    tuple(held),
                )
            )

    def _tell_progress(self) -> None:
        told = list(self._recorder.told.values())
        busy = len(self._history.looks[-1].busy) if self._history.looks else 0
        present = ", ".join(f"{trouble.blow} {trouble.whom}" for trouble, _ in self._present) or "nothing is wrong"
        self._say(
            f"{self._second():6.0f} s: SoC {self._percent}, {busy} draw power, "
            f"{sum(one.settled is True for one in told)} of {len(told)} settled; {present}"
        )

    # --- before it begins

    def _await_peace(self) -> None:
        """Everybody is there, and every miner does what it shall."""
        expected = {name for names in self._history.cast.replicas.values() for name in names}
        miners = set(self._history.cast.miners)

        def peaceful() -> bool:
            settled = {one.device for one in list(self._recorder.told.values()) if one.settled and not one.retained}
            online = {name for name, there in list(self._recorder.online.items()) if there}
            return settled >= miners and online >= expected

        if not eventually(peaceful, _READY_SECONDS):
            settled = sum(one.settled is True for one in self._recorder.told.values())
            message = f"after {_READY_SECONDS:g} s {settled} of {len(miners)} miners do what they shall; online: "
            message += ", ".join(sorted(name for name, there in self._recorder.online.items() if there)) or "nobody"
            raise TimeoutError(message)
        self._say(f"{len(miners)} miners and {len(expected)} replicas are there")
        time.sleep(_SETTLE_SECONDS)


def carry_out(history: History, say: Say, keep: Path | None = None) -> None:
    """Runs what is planned in a history, and completes it. `keep`: where logs are to stay."""
    with laid_out(history.cast, history.times, keep) as field:
        say(f"the farm runs in {field.directory}")
        Run(history, field, say).run()
