"""Where threads are made: a loop is stepped over and over, by its own thread or by a simulation.

Code that has something to do again and again is a `Loop`: one bounded, straight-line step that says in how many
seconds it wants the next. It never sleeps and never starts a thread, so a simulation can drive it by hand.
"""

import contextlib
import logging
import queue
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from shared.clock import Clock, SystemClock

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
_JOIN_SECONDS = 10.0
_MANY_THREADS = 100
_PATIENT_SECONDS = 0.05
"""A thread that waits for the interpreter looks up every 5 ms; hundreds of them would leave no time for the work."""


class Loop(Protocol):
    """One thing that is done again and again."""

    def step(self) -> float:
        """Does one round and returns how many real seconds may pass before the next."""

    def close(self) -> None:
        """Lets go of sockets and files."""


class Turns(Protocol):
    """A loop that has been handed over: it can be woken before its time."""

    def wake(self) -> None:
        """Runs the next step at once. Callable from any thread."""

    def retire(self) -> None:
        """No step begins any more; the loop is closed when the last has ended. Does not wait for that."""

    def is_over(self) -> bool:
        """Whether a retired loop's last step has ended."""


class Runner(Protocol):
    """Who gives loops their turns."""

    def spawn(self, name: str, loop: Loop) -> Turns:
        """Takes a loop over and steps it until `stop`."""

    def busy_seconds(self) -> float:
        """How long the longest of the steps under way will last: as long as it has, or as its loop's last one did."""

    def stop(self) -> None:
        """Ends all loops and closes them."""

    def is_over(self) -> bool:
        """Whether, after `stop`, the last step of each loop has ended."""


class ThreadRunner:
    """One thread per loop. A step that raises is logged and tried again after `RETRY_SECONDS`."""

    def __init__(self, on_crash: Callable[[str, Exception], None] = lambda _name, _error: None) -> None:
        self._threads: list[_LoopThread] = []
        self._on_crash = on_crash
        self._clock = SystemClock()

    def spawn(self, name: str, loop: Loop) -> Turns:
        thread = _LoopThread(name, loop, self._on_crash, self._clock)
        self._threads = [each for each in self._threads if not each.is_over()]
        self._threads.append(thread)
        if len(self._threads) >= _MANY_THREADS:
            sys.setswitchinterval(_PATIENT_SECONDS)
        thread.start()
        return thread

    def busy_seconds(self) -> float:
        return max((thread.busy_seconds() for thread in self._threads), default=0.0)

    def stop(self) -> None:
        for thread in self._threads:
            thread.retire()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)
            if thread.is_alive():
                log.warning("%s still runs %g s after it was asked to stop", thread.name, _JOIN_SECONDS)

    def is_over(self) -> bool:
        return all(thread.is_over() for thread in self._threads)


class _LoopThread(threading.Thread):
    def __init__(self, name: str, loop: Loop, on_crash: Callable[[str, Exception], None], clock: Clock) -> None:
        # Daemon: a device that hangs in a system call must not keep the process from ending.
        super().__init__(name=name, daemon=True)
        self._loop = loop
        self._on_crash = on_crash
        self._clock = clock
        self._step_began_seconds: float | None = None
        self._last_step_seconds = 0.0
        self._over = False
        self._stopping = False
        # An eighth of an Event's memory, and a farm may have a thousand of these.
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._rung = False

    def wake(self) -> None:
        if not self._rung:
            self._rung = True
            self._bell.put(None)

    def retire(self) -> None:
        self._stopping = True
        self._bell.put(None)

    def is_over(self) -> bool:
        return self._over

    def busy_seconds(self) -> float:
        began_seconds = self._step_began_seconds  # read once: it may end meanwhile
        if began_seconds is None:
            return 0.0
        return max(self._clock.seconds() - began_seconds, self._last_step_seconds)

    def run(self) -> None:
        while not self._stopping:
            self._hear_rings()
            self._wait(self._step_safely())
        try:
            self._loop.close()
        finally:
            self._over = True

    def _hear_rings(self) -> None:
        """All rings up to now are answered by the step that follows."""
        while not self._bell.empty():
            self._bell.get()
        self._rung = False  # last: a ring that comes meanwhile at worst causes one step too many, and is never lost

    def _wait(self, seconds: float) -> None:
        # Asked once more: `retire` may have rung before its ring was taken for an old one.
        with contextlib.suppress(queue.Empty):
            self._bell.get(timeout=0.0 if self._stopping else min(seconds, threading.TIMEOUT_MAX))

    def _step_safely(self) -> float:
        self._step_began_seconds = began_seconds = self._clock.seconds()
        try:
            return max(0.0, self._loop.step())
        except Exception as error:
            # A loop must outlive its bugs: a device thread that dies in silence would leave its miner untended.
            log.exception("%s failed; next try in %g s", self.name, RETRY_SECONDS)
            self._on_crash(self.name, error)
            return RETRY_SECONDS
        finally:
            self._last_step_seconds = self._clock.seconds() - began_seconds
            self._step_began_seconds = None


class SteppedRunner:
    """Gives no turns by itself: whoever holds it steps the loops in one thread, in a chosen order."""

    def __init__(self) -> None:
        self.loops: dict[str, SteppedTurns] = {}

    def spawn(self, name: str, loop: Loop) -> Turns:
        turns = SteppedTurns(loop)
        self.loops[name] = turns
        return turns

    def busy_seconds(self) -> float:
        return 0.0

    def stop(self) -> None:
        for turns in self.loops.values():
            turns.retire()

    def is_over(self) -> bool:
        return all(turns.is_over() for turns in self.loops.values())


class SteppedTurns:
    """A loop in the hands of a simulation. `due_in_seconds` 0 means: now."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.due_in_seconds = 0.0
        self._over = False

    def wake(self) -> None:
        self.due_in_seconds = 0.0

    def retire(self) -> None:
        if not self._over:
            self._over = True
            self.loop.close()

    def is_over(self) -> bool:
        return self._over

    def step(self) -> None:
        if self._over:
            return
        self.due_in_seconds = float("inf")  # a wake during the step counts for the next one
        delay = self.loop.step()
        self.due_in_seconds = min(self.due_in_seconds, delay)
