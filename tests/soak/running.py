"""The soak itself: the farm, its stand-ins, the blows, and the samples."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from shared.clock import CLOCK_VARIABLE, SystemClock
from tests.bench.owners_farm import await_settled, owners_farm
from tests.embedded_farm import ROOT
from tests.footprint import footprint_of, roles_of
from tests.soak.findings import Sample, Verdict, growth, kept, restarts
from tests.soak.plan import Blow, Phases, Trouble, band, plan
from tests.soak.stand_ins import SENSOR, TOKEN, Share

MINERS_PER_PROCESS = 50
SAMPLE_SECONDS = 3.0
_PROGRESS_SECONDS = 30.0
_STEP_SECONDS = 0.1
_SETTLE_SECONDS = 20.0
_LOOK_SECONDS = 5.0
_PATIENCE_SECONDS = 90.0

# A farm's day in two minutes: each command remembers the starts of 24 hours, of which there are many here, so that on a
# real clock they would add up through the whole soak. In real seconds: minimum off 5, lease 20, grace 10, stale 15 and
# 25, so that everything happens often. The miners poll at a third of the default.
_RATE = 720.0
_FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}, poll: 5 s}}, unconfirmed_after: 3 h}}
rules:
  {{minimum_off: 1 h, starts_per_day: 1000, stagger_w: 1000000, poll: 3 s, lease: 4 h, grace: 2 h,
   stale_no_start: 3 h, stale_pause: 5 h}}
miners:
"""


class StandInProcess:
    """One process of stand-ins, as the soak sees it."""

    def __init__(self, orders: IO[str], answers: IO[str]) -> None:
        self._orders = orders
        self._answers = answers
        self.addresses: dict[str, Any] = json.loads(answers.readline())

    def ask(self, **order: float) -> int:
        """Gives an order, if any; returns how many of its miners hash."""
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        return int(json.loads(self._answers.readline())["hashing"])


@contextmanager
def stand_in_process(share: Share) -> Iterator[StandInProcess]:
    command = [sys.executable, "-m", "tests.soak.stand_ins", share.to_argument()]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield StandInProcess(process.stdin, process.stdout)
        finally:
            process.stdin.close()


def soak(seed: int, seconds: float, miners: int, say: Callable[[str], None]) -> Verdict:
    """Runs for so many seconds, and a little longer at both ends."""
    parts = -(-miners // MINERS_PER_PROCESS)
    with ExitStack() as until:
        shares = [Share(seed, seconds, miners, parts, part) for part in range(parts)]
        stand_ins = [until.enter_context(stand_in_process(share)) for share in shares]
        fast = {CLOCK_VARIABLE: SystemClock(rate=_RATE).to_variable()}
        farm = until.enter_context(owners_farm(farm_text(stand_ins), HA_TOKEN=TOKEN, **fast))
        say(f"{miners} stand-ins in {parts} processes; the farm runs in {farm}")
        await_settled(farm, miners)
        time.sleep(_SETTLE_SECONDS)
        return _Soak(seed, seconds, miners, farm, stand_ins, say).run()


def farm_text(stand_ins: list[StandInProcess]) -> str:
    text = _FARM.format(url=stand_ins[0].addresses["home_assistant"], sensor=SENSOR)
    ports = {int(number): port for one in stand_ins for number, port in one.addresses["ports"].items()}
    for number, port in sorted(ports.items()):
        stop, resume = band(number)
        text += f'  m{number}: {{driver: vnish, host: "127.0.0.1:{port}", stop_soc: {stop}, resume_soc: {resume}}}\n'
    return text


class _Soak:
    def __init__(
        self,
        seed: int,
        seconds: float,
        miners: int,
        farm: Path,
        stand_ins: list[StandInProcess],
        say: Callable[[str], None],
    ) -> None:
        self._phases = Phases(seconds)
        self._plan = plan(seed, seconds, miners)
        self._blows = [trouble for trouble in self._plan if isinstance(trouble.what, Blow)]
        self._frozen: list[tuple[Trouble, int]] = []
        self._miners = miners
        self._farm = farm
        self._stand_ins = stand_ins
        self._say = say
        self._samples: list[Sample] = []
        self._kills: Counter[str] = Counter()
        self._origin = time.monotonic()

    def run(self) -> Verdict:
        self._origin = time.monotonic()
        self._samples.append(self._sample())
        for one in self._stand_ins:
            one.ask(origin=self._origin)
        said_at, before = 0.0, self._samples[0]
        while (second := self._second()) < self._phases.seconds:
            self._strike(second)
            if second - self._samples[-1].second >= SAMPLE_SECONDS:
                self._samples.append(self._sample())
                before = self._samples[-1] if second < self._phases.compared else before
            if second - said_at >= _PROGRESS_SECONDS:
                said_at = second
                self._say(self._progress())
            time.sleep(_STEP_SECONDS)
        after = self._settled(before)
        return Verdict(
            growth=growth(self._samples, self._phases.compared, self._phases.calm),
            kept=kept(before, after),
            restarts=dict(restarts(self._samples)),
            kills=dict(self._kills),
            tracebacks=tracebacks_in(self._farm),
            troubles=dict(Counter(str(trouble.what) for trouble in self._plan)),
            hashing=(sum(one.ask() for one in self._stand_ins), self._miners),
        )

    def _second(self) -> float:
        return time.monotonic() - self._origin

    def _sample(self) -> Sample:
        processes = {role: (pid, footprint_of(pid)) for role, pid in roles_of(self._farm).items()}
        whole = {role: (pid, found) for role, (pid, found) in processes.items() if found is not None}
        return Sample(self._second(), whole)

    def _strike(self, second: float) -> None:
        for trouble, pid in [one for one in self._frozen if one[0].ends <= second]:
            self._frozen.remove((trouble, pid))
            _send(pid, signal.SIGCONT)
        while self._blows and self._blows[0].begins <= second:
            trouble = self._blows.pop(0)
            struck = roles_of(self._farm).get(trouble.whom)
            if struck is None:
                self._say(f"{trouble.whom} is not there to {trouble.what}")
            elif trouble.what is Blow.KILL:
                self._kills[trouble.whom] += 1
                _send(struck, signal.SIGKILL)
            else:
                self._frozen.append((trouble, struck))
                _send(struck, signal.SIGSTOP)

    def _settled(self, before: Sample) -> Sample:
        """What is open when all is well again; waits for slow back-offs to end."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            after = self._sample()
            hashing = sum(one.ask() for one in self._stand_ins)
            left = {role: one.left_behind() for role, one in kept(before, after).items() if one.left_behind()}
            if (hashing == self._miners and not left) or time.monotonic() > deadline:
                return after
            self._say(f"waiting: {hashing} miners hash; left open: {left or 'nothing'}")
            time.sleep(_LOOK_SECONDS)

    def _progress(self) -> str:
        last = self._samples[-1]
        pss = {role: found.pss_mb for role, (_, found) in last.processes.items()}
        parts = ", ".join(f"{role} {megabytes:.1f}" for role, megabytes in sorted(pss.items()))
        hashing = sum(one.ask() for one in self._stand_ins)
        return f"{last.second / 60:5.1f} min: {sum(pss.values()):.1f} MB PSS ({parts}); {hashing} miners hash"


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def tracebacks_in(farm: Path) -> dict[str, int]:
    """How many exceptions each log of the farm, and its terminal, tells of."""
    logs = [*(farm / ".sunherd" / "log").iterdir(), farm / "said"]
    counted = {log.name: log.read_text(encoding="utf-8", errors="replace").count("Traceback (most") for log in logs}
    return {name: count for name, count in counted.items() if count}
