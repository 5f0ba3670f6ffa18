import sys
import threading
from functools import partial

import pytest

from shared import loops
from shared.loops import SteppedRunner, ThreadRunner
from tests.waiting import eventually


class Counter:
    """A loop that counts its steps, and fails where it is told to."""

    def __init__(self, delay: float = 3600.0, *, fails: bool = False) -> None:
        self.delay = delay
        self.fails = fails
        self.steps = 0
        self.closed = 0

    def step(self) -> float:
        self.steps += 1
        if self.fails:
            message = "a bug"
            raise RuntimeError(message)
        return self.delay

    def close(self) -> None:
        self.closed += 1


class Slow(Counter):
    """A loop whose steps last until they may end."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_end = threading.Event(), threading.Event()

    def step(self) -> float:
        self.began.set()
        self.may_end.wait(10)
        return super().step()


def test_a_loop_steps_again_when_its_time_has_come() -> None:
    runner, loop = ThreadRunner(), Counter(0.001)
    runner.spawn("quick", loop)
    assert eventually(lambda: loop.steps > 3)
    runner.stop()
    assert loop.closed == 1


def test_waking_ends_the_wait() -> None:
    runner, loop = ThreadRunner(), Counter()
    turns = runner.spawn("sleeper", loop)
    assert eventually(lambda: loop.steps == 1)

    turns.wake()

    assert eventually(lambda: loop.steps == 2)
    runner.stop()


def test_each_wake_is_answered_and_not_the_first_alone() -> None:
    runner, loop = ThreadRunner(), Counter()
    turns = runner.spawn("sleeper", loop)
    for steps in range(1, 6):
        assert eventually(partial(lambda wanted: loop.steps == wanted, steps))
        turns.wake()
    assert eventually(lambda: loop.steps == 6)
    runner.stop()


def test_who_is_woken_in_the_middle_of_a_step_looks_once_more() -> None:
    runner, loop = ThreadRunner(), Slow()
    turns = runner.spawn("slow", loop)
    assert eventually(loop.began.is_set)
    turns.wake()
    loop.may_end.set()
    assert eventually(lambda: loop.steps == 2)
    runner.stop()


def test_a_loop_outlives_its_failures(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(loops, "RETRY_SECONDS", 0.001)
    crashes: list[str] = []
    runner, loop = ThreadRunner(lambda name, error: crashes.append(f"{name}: {error}")), Counter(fails=True)

    runner.spawn("buggy", loop)

    assert eventually(lambda: loop.steps >= 3)
    runner.stop()
    assert crashes[0] == "buggy: a bug"
    assert "buggy failed" in caplog.text


def test_stopping_waits_for_the_loops_and_closes_them() -> None:
    runner, loops_made = ThreadRunner(), [Counter(), Counter()]
    for number, loop in enumerate(loops_made):
        runner.spawn(f"loop {number}", loop)
    runner.stop()
    assert [loop.closed for loop in loops_made] == [1, 1]


def test_a_loop_that_hangs_is_named_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loops, "_JOIN_SECONDS", 0.01)
    release, entered = threading.Event(), threading.Event()

    class Hanging(Counter):
        def step(self) -> float:
            entered.set()
            release.wait(10)
            return 0.0

    runner = ThreadRunner()
    runner.spawn("stuck", Hanging())
    assert entered.wait(5)

    runner.stop()

    assert "stuck still runs" in caplog.text
    release.set()


def test_many_threads_look_up_less_often_whether_it_is_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_MANY_THREADS", 3)
    before = sys.getswitchinterval()
    runner = ThreadRunner()
    try:
        for number in range(2):
            runner.spawn(f"loop {number}", Counter())
        assert sys.getswitchinterval() == before
        runner.spawn("one more", Counter())
        assert sys.getswitchinterval() > before
    finally:
        sys.setswitchinterval(before)
        runner.stop()


def test_a_stepped_runner_leaves_the_steps_to_whoever_holds_it() -> None:
    runner, loop = SteppedRunner(), Counter(30.0)
    turns = runner.spawn("held", loop)
    assert (loop.steps, runner.loops["held"].due_in_seconds) == (0, 0.0)

    runner.loops["held"].step()
    assert (loop.steps, runner.loops["held"].due_in_seconds) == (1, 30.0)

    turns.wake()
    assert runner.loops["held"].due_in_seconds == 0.0
    runner.stop()
    assert loop.closed == 1


def test_a_wake_during_a_step_counts_for_the_next() -> None:
    runner = SteppedRunner()

    class Waking(Counter):
        def step(self) -> float:
            runner.loops["waking"].wake()
            return 30.0

    runner.spawn("waking", Waking())
    runner.loops["waking"].step()
    assert runner.loops["waking"].due_in_seconds == 0.0
