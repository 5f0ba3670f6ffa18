"""Several loops in one thread: the parts of one physical unit, which bears one request at a time."""

from collections.abc import Callable, Mapping

from shared.clock import Clock
from shared.loops import RETRY_SECONDS, Loop, Turns


class Together:
    """A loop that steps its parts, each when it is due; a part that fails does not rob the others of their turns."""

    def __init__(self, parts: Mapping[str, Loop], clock: Clock) -> None:
        self._parts = dict(parts)
        self._clock = clock
        self._due_at = dict.fromkeys(parts, clock.seconds())
        self._woken: set[str] = set()

    def step(self) -> float:
        """Steps the part that has waited longest: one that is woken meanwhile waits for a single step."""
        while self._woken:
            self._due_at[self._woken.pop()] = 0.0
        name = min(self._due_at, key=lambda part: self._due_at[part])
        if self._due_at[name] <= self._clock.seconds():
            self._due_at[name] = self._clock.seconds() + RETRY_SECONDS  # where it stays if the step fails
            wait_seconds = self._parts[name].step()
            self._due_at[name] = self._clock.seconds() + wait_seconds
        return 0.0 if self._woken else max(0.0, min(self._due_at.values()) - self._clock.seconds())

    def close(self) -> None:
        for part in self._parts.values():
            part.close()

    def turns_of(self, name: str, turns: Turns) -> Turns:
        """The turns of one part, when the whole has been handed over for these."""
        return _PartTurns(lambda: self._woken.add(name), turns)


class _PartTurns:
    def __init__(self, mark: Callable[[], None], turns: Turns) -> None:
        self._mark = mark
        self._turns = turns

    def wake(self) -> None:
        self._mark()
        self._turns.wake()

    def retire(self) -> None:
        self._turns.retire()

    def is_over(self) -> bool:
        return self._turns.is_over()
