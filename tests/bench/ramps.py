"""A farm of Bitaxes by the hour: the evening's switch, the same with silent ones, a stop in the midst of it."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import requests

from shared.bus import Bus
from shared.clock import CLOCK_VARIABLE, SystemClock
from shared.messages import EmergencyStop
from shared.topics import EMERGENCY_STOP
from tests.bench.bitaxe_park import BitaxePark, Change, Point, bitaxe_park, generation_of
from tests.bench.bitaxes import GENERATIONS
from tests.bench.owners_farm import await_settled, bus_of, owners_farm

ANSWER_SECONDS = 0.1
DAY, NIGHT = Point(1150, 450), Point(1250, 550)
STEPS, DELAY_SECONDS = 5, 10.0
RAMP_SECONDS = (2 * STEPS - 1) * DELAY_SECONDS / 2
"""From the first setting sent to the last: each step is one of voltage and one of frequency, half a delay apart."""

_EVENING = datetime(2026, 6, 21, 20, 0, tzinfo=UTC)
_FIRST_MINUTE = 20 * 60
_ROUND_MINUTES = 7
_NIGHTS = (0, 2, 4)
"""Minutes of a round in which it is night: all healthy, some silent, a stop in mid-ramp."""
_LEAD_SECONDS = 60.0
_LOOKED_AT_SECONDS = 57.0
_MID_RAMP_SECONDS = (5.0, 40.0)
_STOP_SECONDS = 5.0
_SITE = "home"

_SEED_WORKERS = 5
_SEED_PATIENCE_SECONDS = 10.0
_MINER = '  b{number}: {{driver: bitaxe, host: "127.0.0.1:{port}", schedule: hours}}\n'
_WINDOW = (
    '    - {{from: "{begin}", to: "{end}", voltage_mv: {point.voltage_mv}, frequency_mhz: {point.frequency_mhz}}}\n'
)


@dataclass
class Ramps:
    """Several rounds in one farm, in seconds."""

    switch: list[float] = field(default_factory=list)
    """From the window's beginning to the last healthy one's last setting."""
    switch_with_silent: list[float] = field(default_factory=list)
    stops: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in GENERATIONS})
    """From the stop to each healthy one's first lowering request, by firmware."""
    undervolted: int = 0
    """How often a chip was clocked faster than its voltage carries."""
    deaf: int = 0
    """Web servers that have died of too many requests."""

    def so_far(self) -> str:
        """The newest of each, for who waits."""
        stops = ", ".join(f"{max(took):.2f} s with {firmware}" for firmware, took in self.stops.items())
        return f"switch {self.switch[-1]:.2f} s, some silent {self.switch_with_silent[-1]:.2f} s, slowest stop {stops}"


def measure(count: int, *, silent: int, rounds: int, say: Callable[[str], None]) -> Ramps:
    """The embedded farm: real processes, a real broker, real sockets. `say`: is told what each round has shown."""
    with bitaxe_park(count, ANSWER_SECONDS, DAY) as park:
        clock = SystemClock(start=_EVENING - timedelta(seconds=_LEAD_SECONDS))
        evening = clock.seconds() + _LEAD_SECONDS
        with owners_farm(_farm(park.ports, rounds), **{CLOCK_VARIABLE: clock.to_variable()}) as directory:
            await_settled(directory, count)
            if clock.seconds() > evening:
                message = f"the farm was not settled within {_LEAD_SECONDS:g} s"
                raise TimeoutError(message)
            evenings = [evening + 60 * _ROUND_MINUTES * number for number in range(rounds)]
            with bus_of(directory) as bus:
                return _Rounds(park, bus, clock, frozenset(range(silent))).play(evenings, say)


def sequential(count: int) -> float:
    """As the third seed does it: five at a time; each in steps, first its voltage, then its frequency."""
    clock = SystemClock()
    with bitaxe_park(count, ANSWER_SECONDS, DAY) as park, ThreadPoolExecutor(_SEED_WORKERS) as workers:
        began = clock.seconds()
        for done in [workers.submit(_visit, f"http://127.0.0.1:{port}/api/system") for port in park.ports]:
            done.result()
        return clock.seconds() - began


def _visit(base: str) -> None:
    requests.get(f"{base}/info", timeout=_SEED_PATIENCE_SECONDS)
    for step in range(1, STEPS + 1):
        if step > 1:
            time.sleep(DELAY_SECONDS)
        for name, begin, end in (("coreVoltage", DAY[0], NIGHT[0]), ("frequency", DAY[1], NIGHT[1])):
            setting = {name: begin + (end - begin) * step // STEPS}
            requests.patch(base, json=setting, timeout=_SEED_PATIENCE_SECONDS)


class _Rounds:
    def __init__(self, park: BitaxePark, bus: Bus, clock: SystemClock, mute: frozenset[int]) -> None:
        self._park = park
        self._bus = bus
        self._clock = clock
        self._mute = mute
        self._found = Ramps()

    def play(self, evenings: list[float], say: Callable[[str], None]) -> Ramps:
        """Plays a round from each of these real seconds on."""
        for evening in evenings:
            well, some_silent, stopped = (evening + 60 * minute for minute in _NIGHTS)
            self._found.switch.append(self._switched(well, frozenset()))
            _sleep_until(some_silent - 1)
            self._park.silence(self._mute)
            self._found.switch_with_silent.append(self._switched(some_silent, self._mute))
            _sleep_until(stopped + random.uniform(*_MID_RAMP_SECONDS))
            self._stop_and_resume(stopped + 60)
            say(self._found.so_far())
        told = self._park.since(self._clock.seconds())
        self._found.undervolted, self._found.deaf = told.undervolted, told.deaf
        return self._found

    def _switched(self, begins: float, mute: frozenset[int]) -> float:
        """Seconds until the last healthy one was told the last of its new setting. Raises TimeoutError."""
        _sleep_until(begins + _LOOKED_AT_SECONDS)
        arrived = [_arrived_at(changes) for changes in self._healthy_since(begins, mute).values()]
        times = [at for at in arrived if at is not None]
        if len(times) < len(arrived):
            late = len(arrived) - len(times)
            message = f"{late} of {len(arrived)} had not arrived after {_LOOKED_AT_SECONDS:g} s"
            raise TimeoutError(message)
        return max(times) - begins

    def _stop_and_resume(self, day_begins: float) -> None:
        began, stop = self._clock.seconds(), EmergencyStop(at=self._clock.now(), active=True, by="bench")
        self._bus.publish(EMERGENCY_STOP, _SITE, stop)
        time.sleep(_STOP_SECONDS)
        for number, changes in self._healthy_since(began, self._mute).items():
            at = next((change.at_seconds for change in changes if change.lowers_below(DAY)), None)
            if at is None:
                message = f"a stop did not reach b{number} within {_STOP_SECONDS:g} s"
                raise TimeoutError(message)
            self._found.stops[generation_of(number)].append(at - began)
        self._park.silence(frozenset())
        _sleep_until(day_begins)
        resume = EmergencyStop(at=self._clock.now(), active=False, by="bench", lifts=stop.at)
        self._bus.publish(EMERGENCY_STOP, _SITE, resume)

    def _healthy_since(self, seconds: float, mute: frozenset[int]) -> dict[int, list[Change]]:
        changes = self._park.since(seconds).changes
        return {number: changes[number] for number in sorted(changes) if number not in mute}


def _arrived_at(changes: list[Change]) -> float | None:
    told: dict[str, Any] = {}
    for change in changes:
        told |= change.body or {}
        if (told.get("coreVoltage"), told.get("frequency")) == NIGHT:
            return change.at_seconds
    return None


def _sleep_until(seconds: float) -> None:
    time.sleep(max(0.0, seconds - SystemClock().seconds()))


def _farm(ports: list[int], rounds: int) -> str:
    nights = [_FIRST_MINUTE + number * _ROUND_MINUTES + minute for number in range(rounds) for minute in _NIGHTS]
    edges = [0, *(edge for minute in nights for edge in (minute, minute + 1)), 24 * 60]
    windows = "".join(
        _WINDOW.format(begin=_hour(begin), end=_hour(end), point=NIGHT if begin in nights else DAY)
        for begin, end in pairwise(edges)
    )
    miners = "".join(_MINER.format(number=number, port=port) for number, port in enumerate(ports))
    rules = "rules: {minimum_off: 1 s, starts_per_day: 1000, stagger_w: 1000000}\n"
    return f"site: {{id: {_SITE}, time_zone: UTC}}\n{rules}schedules:\n  hours:\n{windows}miners:\n{miners}"


def _hour(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
