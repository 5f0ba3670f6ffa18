"""Keeps the processes of an embedded farm alive: forks them from one warmed parent, restarts what dies.

The parent stays single-threaded, so that a fork is safe at any time; whatever needs threads runs in a child.
"""

import gc
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from deploy.broker import BrokerError
from deploy.leash import tie_to_parent
from deploy.pulse import Pulse
from shared.clock import Clock
from shared.launch import EXIT_BAD_INPUT
from shared.service import BEAT_SECONDS
from shared.spare_memory import give_back
from shared.watchdog import SOCKET_VARIABLE

log = logging.getLogger(__name__)

BACK_OFF_SECONDS = 0.5
BACK_OFF_MAX_SECONDS = 30.0
STEADY_SECONDS = 60.0
HEAD_START_SECONDS = 5.0
FROZEN_SECONDS = 4 * BEAT_SECONDS
_LOOK_SECONDS = 0.2
_HEAD_START_LOOK_SECONDS = 0.02
_STOP_SECONDS = 8.0
_EXIT_ENDED = 4


class Broker(Protocol):
    """The embedded broker, as far as the supervisor is concerned."""

    def alive(self) -> bool:
        """Whether its process runs."""

    def restart(self) -> None:
        """Starts it again on the same port, with its memory. Raises BrokerError."""

    def stop(self) -> None:
        """Ends it."""


@dataclass
class Child:
    """One service process and its history."""

    module: str
    process: BaseProcess | None = None
    pulse: Pulse | None = None
    started_at: float = 0.0
    start_again_at: float | None = 0.0
    back_off_seconds: float = BACK_OFF_SECONDS
    restarts: int = 0
    exit_codes: list[int] = field(default_factory=list)
    called_again: bool = False
    """It was needed anew while it ran, and may be about to end for having nothing to do."""


class Supervisor:
    """Starts modules that have a `main()`, each in a process of its own, until `stop` or a signal."""

    def __init__(
        self,
        modules: Iterable[str],
        clock: Clock,
        broker: Broker | None = None,
        *,
        frozen_seconds: float = FROZEN_SECONDS,
        head_start: Callable[[], bool] | None = None,
    ) -> None:
        """`head_start`: the first module runs alone until this is true, or for `HEAD_START_SECONDS`."""
        self.children = {module: Child(module) for module in modules}
        self._clock = clock
        self._broker = broker
        self._broker_again_at: float | None = None
        self._stopping = False
        self._frozen_seconds = frozen_seconds
        self._head_start = head_start
        self._looked_at = clock.seconds()
        self._sockets = Path()

    def run(self, until: Callable[[], bool] = lambda: False) -> int:
        """Supervises until SIGINT, SIGTERM or `until()`. Returns 2 when a child found its input bad, else 0."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request_stop)
        self._warm()
        # Not in the farm's own directory: the name of a socket may have about 100 characters only.
        with tempfile.TemporaryDirectory(prefix="sunherd-") as sockets:
            self._sockets = Path(sockets)
            try:
                while not (self._stopping or until() or self._bad_input() or self._all_done()):
                    look_seconds = _LOOK_SECONDS if self._start_due() else _HEAD_START_LOOK_SECONDS
                    self._mind_broker()
                    wait([child.process.sentinel for child in self._running()], timeout=look_seconds)
                    self._mind_frozen()
                    self._reap()
            finally:
                self._stop_children()
        return EXIT_BAD_INPUT if self._bad_input() else 0

    def need(self, modules: Iterable[str]) -> None:
        """What the farm needs from now on. What it needs no more ends by itself, as it follows the same farm file."""
        now = self._clock.seconds()
        for module in modules:
            child = self.children.setdefault(module, Child(module, start_again_at=now))
            child.called_again = child.process is not None
            if child.process is None and child.start_again_at is None:
                child.start_again_at, child.back_off_seconds = now, BACK_OFF_SECONDS

    def _request_stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _warm(self) -> None:
        """Imports once what all children need; frozen, its pages stay shared after the fork."""
        for module in self.children:
            importlib.import_module(module)
        give_back()
        gc.freeze()

    def _running(self) -> list["_Running"]:
        return [_Running(child, child.process) for child in self.children.values() if child.process is not None]

    def _start_due(self) -> bool:
        """Whether no child has to wait for the first one's head start."""
        now = self._clock.seconds()
        for child in self.children.values():
            if child.process is None and child.start_again_at is not None and now >= child.start_again_at:
                if child.started_at == 0.0 and not self._may_follow(child):
                    return False
                child.pulse = Pulse(self._sockets / child.module)
                child.process, child.started_at = _start(child.module, child.pulse.path), now
        return True

    def _may_follow(self, child: Child) -> bool:
        first = next(iter(self.children.values()))
        if child is first or self._head_start is None:
            return True
        return self._head_start() or self._clock.seconds() - first.started_at > HEAD_START_SECONDS

    def _mind_frozen(self) -> None:
        """A service whose main thread stands still tends nothing; a new one restores everything from the broker."""
        now = self._clock.seconds()
        elapsed_seconds, self._looked_at = now - self._looked_at, now
        for running in self._running():
            pulse = running.child.pulse
            if pulse is None:
                continue
            pulse.look(elapsed_seconds)
            if pulse.silent_seconds > self._frozen_seconds:
                log.error("%s has not stirred for %g s: killing it", running.child.module, self._frozen_seconds)
                pulse.silent_seconds = 0.0
                running.process.kill()

    def _reap(self) -> None:
        for running in self._running():
            code = running.process.exitcode
            if code is not None:
                running.process.close()
                self._ended(running.child, code)

    def _ended(self, child: Child, code: int) -> None:
        child.process = None
        if child.pulse is not None:
            child.pulse.close()
            child.pulse = None
        child.exit_codes.append(code)
        now = self._clock.seconds()
        if self._stopping or code in {0, EXIT_BAD_INPUT}:
            # It had nothing to do, or its input will not mend itself.
            child.start_again_at = now if code == 0 and child.called_again else None
            child.called_again = False
            return
        if now - child.started_at > STEADY_SECONDS:
            child.back_off_seconds = BACK_OFF_SECONDS
        child.restarts += 1
        child.start_again_at = now + child.back_off_seconds
        log.warning("%s ended with %s; it starts again in %g s", child.module, _told(code), child.back_off_seconds)
        child.back_off_seconds = min(child.back_off_seconds * 2, BACK_OFF_MAX_SECONDS)

    def _mind_broker(self) -> None:
        if self._broker is None or self._broker.alive():
            return
        now = self._clock.seconds()
        if self._broker_again_at is not None and now < self._broker_again_at:
            return
        log.warning("the broker has ended; starting it again with its memory")
        self._broker_again_at = now + 2.0
        try:
            self._broker.restart()
        except (BrokerError, OSError) as error:
            log.error("the broker does not start (%s); next try in 2 s", error)  # noqa: TRY400 - the cause is enough

    def _bad_input(self) -> bool:
        return any(EXIT_BAD_INPUT in child.exit_codes for child in self.children.values())

    def _all_done(self) -> bool:
        return all(child.process is None and child.start_again_at is None for child in self.children.values())

    def _stop_children(self) -> None:
        for running in self._running():
            running.process.terminate()
        deadline = self._clock.seconds() + _STOP_SECONDS
        for running in self._running():
            running.process.join(max(0.0, deadline - self._clock.seconds()))
            if running.process.exitcode is None:
                log.warning("%s does not stop; killing it", running.child.module)
                running.process.kill()
                running.process.join()


@dataclass(frozen=True)
class _Running:
    child: Child
    process: BaseProcess


def _start(module: str, socket: Path) -> BaseProcess:
    """A forked child shares the parent's warmed pages; the system libraries of macOS do not survive a fork."""
    arguments = (module, os.getpid(), str(socket))
    if "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin":
        forked = multiprocessing.get_context("fork").Process(target=_be, args=arguments, name=module)
        forked.start()
        return forked
    spawned = multiprocessing.get_context("spawn").Process(target=_be, args=arguments, name=module)
    spawned.start()
    return spawned


def _be(module: str, parent: int, socket: str) -> None:
    """What a child does: become one service."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    # A farm whose supervisor was killed must not go on half alive.
    tie_to_parent(parent)
    os.environ[SOCKET_VARIABLE] = socket
    main: Callable[[], None] = importlib.import_module(module).main
    main()
    # It was running and somebody told it to end; that is not the same as having nothing to do (exit code 0).
    sys.exit(_EXIT_ENDED)


def _told(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
