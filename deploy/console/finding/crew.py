"""Many jobs side by side: whoever is slow or dead delays nobody else."""

import queue
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.loops import Loop, ThreadRunner, Turns

R = TypeVar("R")

_DONE_SECONDS = 3600.0


@dataclass(frozen=True)
class Again:
    """What a job answers that is not done yet: it wants to be called again."""

    seconds: float


Job = Callable[[], R | Again]


class Crew(Generic[R]):
    """Gives each job a thread of its own, at most so many at once. Held by one thread."""

    def __init__(self, hands_max: int = 64) -> None:
        self._hands_max = hands_max
        self._waiting: deque[tuple[str, Job[R]]] = deque()
        self._at_work: dict[str, Turns] = {}
        self._done: queue.SimpleQueue[tuple[str, R | Exception]] = queue.SimpleQueue()
        self._runner = ThreadRunner()

    def give(self, name: str, job: Job[R]) -> None:
        """Takes on a job; `name` is its own."""
        self._waiting.append((name, job))
        self._begin()

    def take(self, seconds: float) -> tuple[str, R | Exception] | None:
        """The next job that is done, with what came of it; None where none is within this time."""
        try:
            name, result = self._done.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        self._at_work.pop(name).retire()
        self._begin()
        return name, result

    @property
    def unfinished(self) -> list[str]:
        """Whose result has not been taken yet."""
        return [*self._at_work, *(name for name, _job in self._waiting)]

    def dismiss(self) -> None:
        """Begins nothing more. What hangs is not waited for: it ends with the process."""
        self._waiting.clear()
        for turns in self._at_work.values():
            turns.retire()
        self._at_work.clear()

    def _begin(self) -> None:
        while self._waiting and len(self._at_work) < self._hands_max:
            name, job = self._waiting.popleft()
            self._at_work[name] = self._runner.spawn(name, _Hand(name, job, self._done))


class _Hand(Loop, Generic[R]):
    def __init__(self, name: str, job: Job[R], done: "queue.SimpleQueue[tuple[str, R | Exception]]") -> None:
        self._name = name
        self._job = job
        self._done = done

    def step(self) -> float:
        try:
            result = self._job()
        except Exception as error:  # noqa: BLE001 - a failure is what came of it: whoever takes it tells it
            self._done.put((self._name, error))
            return _DONE_SECONDS
        if isinstance(result, Again):
            return result.seconds
        self._done.put((self._name, result))
        return _DONE_SECONDS

    def close(self) -> None:
        """Nothing is held."""
