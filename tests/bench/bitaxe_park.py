"""Slow Bitaxes as the bench sees them: their processes, their ports, and what they were told to change."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from tests.bench.bitaxes import GENERATIONS
from tests.embedded_farm import ROOT

PROCESSES = 4


class Point(NamedTuple):
    """A voltage and a frequency."""

    voltage_mv: int
    frequency_mhz: int


@dataclass(frozen=True)
class Change:
    """One request that was to change something. Times are the machine's monotonic seconds, the same everywhere."""

    at_seconds: float
    route: str
    body: dict[str, Any] | None

    def lowers_below(self, point: Point) -> bool:
        """Whether it pauses, or takes the frequency below that point's."""
        frequency_mhz = (self.body or {}).get("frequency")
        return self.route == "pause" or (frequency_mhz is not None and frequency_mhz < point.frequency_mhz)


@dataclass(frozen=True)
class BitaxeReport:
    """How things stand at the stand-ins."""

    changes: dict[int, list[Change]]
    deaf: int
    """Web servers that have died of too many requests."""
    undervolted: int


class BitaxePark:
    """The stand-ins' processes."""

    def __init__(self, processes: list[tuple[IO[str], IO[str]]]) -> None:
        self._processes = processes
        found = {int(number): port for line in self._lines() for number, port in line.items()}
        self.ports: list[int] = [found[number] for number in sorted(found)]

    def silence(self, numbers: Collection[int]) -> None:
        """These accept and never answer; all others do."""
        self._ask({"silent": sorted(numbers)})

    def since(self, seconds: float) -> BitaxeReport:
        """What has come in from that moment on."""
        parts = self._ask({"since": seconds})
        return BitaxeReport(
            {
                int(number): [Change(*change) for change in changes]
                for part in parts
                for number, changes in part["changes"].items()
            },
            *(sum(part[name] for part in parts) for name in ("deaf", "undervolted")),
        )

    def _ask(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        for orders, _ in self._processes:
            orders.write(json.dumps(order) + "\n")
            orders.flush()
        return self._lines()

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(answers.readline()) for _, answers in self._processes]


def generation_of(number: int) -> str:
    """The firmware of a stand-in."""
    return GENERATIONS[number % len(GENERATIONS)]


@contextmanager
def bitaxe_park(count: int, answer_seconds: float, point: Point) -> Iterator[BitaxePark]:
    """So many stand-ins, all at this point, until the end of the block."""
    with ExitStack() as until:
        parts = min(PROCESSES, count)
        yield BitaxePark(
            [until.enter_context(_process(range(part, count, parts), answer_seconds, point)) for part in range(parts)]
        )


@contextmanager
def _process(numbers: range, answer_seconds: float, point: Point) -> Iterator[tuple[IO[str], IO[str]]]:
    arguments = [answer_seconds, *point, *numbers]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bitaxes", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdin, process.stdout
        finally:
            process.stdin.close()
