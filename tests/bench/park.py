"""A park of slow miners as the bench sees it: their process, their ports, and what they have heard."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from tests.embedded_farm import ROOT


@dataclass(frozen=True)
class Report:
    """How things stand at the stand-ins. Times are the machine's monotonic seconds, the same in every process."""

    stopped_at: list[float | None]
    requests_before_stop: list[int]
    hashing: int
    refused_unlocks: int
    readings: int
    """How often a `/summary` was asked for since the start: once in each reading."""
    requests: int
    """All that was asked since the start."""
    cpu_seconds: float

    def last_stop(self, silent: int = 0) -> float | None:
        """When the last one that answers got its stop; None while one has not."""
        times = [at for at in self.stopped_at[silent:] if at is not None]
        return max(times) if len(times) == len(self.stopped_at) - silent else None


class Park:
    """The stand-ins' process. The first ones of the list are those that may be made silent."""

    def __init__(self, pid: int, orders: IO[str], answers: IO[str]) -> None:
        self.pid = pid
        self._orders = orders
        self._answers = answers
        self.ports: list[int] = self._line()["ports"]

    def report(self, *, forget: bool = False, silent: int | None = None) -> Report:
        """Gives orders, if any, and asks how things stand."""
        self._orders.write(json.dumps({"forget": forget, "silent": silent}) + "\n")
        self._orders.flush()
        return Report(**self._line())

    def _line(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._answers.readline())
        return found


@contextmanager
def park(count: int, answer_seconds: float) -> Iterator[Park]:
    """So many stand-ins until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.stand_ins", str(count), str(answer_seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Park(process.pid, process.stdin, process.stdout)
        finally:
            process.stdin.close()
