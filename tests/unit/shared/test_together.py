"""Several loops in one thread."""

import pytest

from shared.clock import VirtualClock
from shared.loops import RETRY_SECONDS, SteppedTurns
from shared.together import Together


class Part:
    """Wants its turn every so many seconds."""

    def __init__(self, period_seconds: float) -> None:
        self.period_seconds = period_seconds
        self.steps = 0
        self.fails = False
        self.closed = False

    def step(self) -> float:
        self.steps += 1
        if self.fails:
            message = "a bug"
            raise RuntimeError(message)
        return self.period_seconds

    def close(self) -> None:
        self.closed = True


def run(together: Together, clock: VirtualClock, seconds: float) -> None:
    """Steps as a thread would: at once for 0, else after the wait, and after `RETRY_SECONDS` where a step raises."""
    end = clock.seconds() + seconds
    while clock.seconds() < end:
        try:
            wait = together.step()
        except RuntimeError:
            wait = RETRY_SECONDS
        clock.advance(wait)


def test_each_part_has_its_own_rhythm(clock: VirtualClock) -> None:
    quick, slow = Part(1), Part(10)
    run(Together({"quick": quick, "slow": slow}, clock), clock, 59.5)
    assert (quick.steps, slow.steps) == (60, 6)


def test_waking_one_part_wakes_no_other(clock: VirtualClock) -> None:
    one, other = Part(100), Part(100)
    together = Together({"one": one, "other": other}, clock)
    whole = SteppedTurns(together)
    turns = together.turns_of("one", whole)
    whole.step()
    whole.step()
    assert whole.due_in_seconds == 100
    turns.wake()
    assert whole.due_in_seconds == 0
    whole.step()
    assert (one.steps, other.steps) == (2, 1)


def test_a_part_that_fails_leaves_the_others_their_turns(clock: VirtualClock) -> None:
    bad, good = Part(1), Part(1)
    bad.fails = True
    together = Together({"bad": bad, "good": good}, clock)
    run(together, clock, 60)
    assert good.steps >= 10
    assert 2 <= bad.steps <= 13


def test_all_are_closed(clock: VirtualClock) -> None:
    parts = {"one": Part(1), "other": Part(1)}
    Together(parts, clock).close()
    assert all(part.closed for part in parts.values())


def test_nothing_is_stepped_before_it_is_due(clock: VirtualClock) -> None:
    part = Part(10)
    together = Together({"one": part}, clock)
    assert together.step() == pytest.approx(10)
    clock.advance(5)
    assert together.step() == pytest.approx(5)
    assert part.steps == 1
