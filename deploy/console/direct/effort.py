"""All stops at once: a thread for each physical unit, so that a dead device delays nobody."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from shared.clock import Clock
from shared.device import DeviceError
from shared.loops import ThreadRunner

LOOK_SECONDS = 1.0
TRIES = 2
"""How often a device that does not answer is told; after that it counts as not reached."""
PATIENT_SECONDS = 5.0
"""One that asks to be left alone for longer (a wrong password) is not waited for either."""
_DONE_SECONDS = 3600.0


class Outcome(StrEnum):
    """What is known of one miner."""

    CONFIRMED = "confirmed"
    """Read back: it stands still, or as low as it can."""
    SENT = "sent, not confirmed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Result:
    """What has come of one miner so far. `words`: for people."""

    outcome: Outcome
    words: str
    sent_at_seconds: float | None = None
    """When the device had taken the stop, on the clock's real seconds."""
    is_final: bool = False


@dataclass(frozen=True)
class Look:
    """What one look has shown. `told`: the device was given an order in it."""

    words: str
    stands: bool = False
    told: bool = False
    look_again_seconds: float = LOOK_SECONDS


class Target(Protocol):
    """One miner that can be stopped without anybody's help. Called by one thread only; each call is bounded."""

    def send(self) -> bool:
        """The stop, without a look before. False: it has no word for it that needs no look. Raises DeviceError."""

    def look(self) -> Look:
        """Reads it back, and tells it again where that is needed. Raises DeviceError."""

    def close(self) -> None:
        """Lets go of its connection."""


@dataclass(frozen=True)
class Unit:
    """The miners of one physical unit: one, but for the outlets of a strip."""

    names: tuple[str, ...]
    make: Callable[[], Mapping[str, Target]]
    """Called in the unit's own thread: what it takes may take its time."""


class Effort:
    """Begins at once and goes on until `close`; what has come of it is asked from another thread."""

    def __init__(self, units: Iterable[Unit], clock: Clock) -> None:
        units = list(units)
        self._results = {name: Result(Outcome.NOT_REACHED, "no answer yet") for unit in units for name in unit.names}
        runner = ThreadRunner()
        self._turns = [
            runner.spawn("stop " + " ".join(unit.names), _Attempts(unit, self._results, clock)) for unit in units
        ]

    def results(self) -> dict[str, Result]:
        """The newest of each miner."""
        return dict(self._results)

    def is_over(self) -> bool:
        """Whether nothing more is to be expected of any of them."""
        return all(result.is_final for result in self._results.values())

    def close(self) -> None:
        """Begins nothing more. Does not wait for devices that hang: their threads end with the process."""
        for turns in self._turns:
            turns.retire()


class _Attempts:
    """The loop of one unit: one miner after another."""

    def __init__(self, unit: Unit, results: dict[str, Result], clock: Clock) -> None:
        self._unit = unit
        self._attempts: dict[str, _Attempt] | None = None
        self._results = results
        self._clock = clock

    def step(self) -> float:
        waits = []
        for name, attempt in self._begun().items():
            if not attempt.result.is_final:
                waits.append(attempt.step())
                self._results[name] = attempt.result
        return min(waits, default=_DONE_SECONDS)

    def close(self) -> None:
        for attempt in (self._attempts or {}).values():
            attempt.close()

    def _begun(self) -> "dict[str, _Attempt]":
        if self._attempts is None:
            try:
                targets = self._unit.make()
            except Exception as error:  # noqa: BLE001 - whatever it is, a person must hear that nobody has told it
                failed = Result(Outcome.NOT_REACHED, f"cannot be told from here: {error}", is_final=True)
                self._results.update(dict.fromkeys(self._unit.names, failed))
                targets = {}
            self._attempts = {name: _Attempt(target, self._clock) for name, target in targets.items()}
        return self._attempts


class _Attempt:
    """Tells one miner, and looks until it stands still."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._sent_at_seconds: float | None = None
        self._failures = 0
        self.result = Result(Outcome.NOT_REACHED, "no answer yet")

    def step(self) -> float:
        try:
            if self._sent_at_seconds is None and self._target.send():
                self._told("told to stop")
                return LOOK_SECONDS
            look = self._target.look()
        except DeviceError as error:
            return self._failed(error.sentence, error.retry_seconds or LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001 - a bug in a driver must not leave its miner unnamed
            return self._failed(f"the driver failed: {type(error).__name__}", LOOK_SECONDS)
        self.result = replace(self.result, words=look.words)
        if look.told or self._sent_at_seconds is not None:
            self._told(look.words)
        if look.stands:
            self.result = replace(self.result, outcome=Outcome.CONFIRMED, words=look.words, is_final=True)
        return look.look_again_seconds

    def close(self) -> None:
        """Lets go of the device."""
        self._target.close()

    def _told(self, words: str) -> None:
        if self._sent_at_seconds is None:
            self._sent_at_seconds = self._clock.seconds()
        self.result = Result(Outcome.SENT, words, self._sent_at_seconds)

    def _failed(self, cause: str, wait_seconds: float) -> float:
        self._failures += 1
        in_vain = self._failures >= TRIES or wait_seconds > PATIENT_SECONDS
        self.result = replace(self.result, words=cause, is_final=in_vain and self._sent_at_seconds is None)
        return wait_seconds
