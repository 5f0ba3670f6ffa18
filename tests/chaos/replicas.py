"""The replicas of a chaos run as processes: started, killed, frozen, and ended by their ids."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy import leash
from shared.clock import CLOCK_VARIABLE, SystemClock
from shared.launch import INSTANCE_VARIABLE, LOG_DIRECTORY_VARIABLE
from tests.embedded_farm import ROOT

_LEAVE_SECONDS = 12.0


@dataclass
class Replica:
    """One instance of a service. Its process may come and go; its name, password and way to the broker stay."""

    service: str
    number: str
    environment: dict[str, str]
    directory: Path
    process: subprocess.Popen[bytes] | None = None
    frozen: bool = field(default=False)

    @property
    def instance(self) -> str:
        """As it calls itself on the bus."""
        return f"{self.service}-{self.number}"

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def start(self, skew_seconds: float = 0.0) -> None:
        """Starts a process where none runs. `skew_seconds`: by how much its clock is ahead."""
        if self.pid is not None:
            return
        (self.directory / "log").mkdir(parents=True, exist_ok=True)
        with (self.directory / "said").open("ab") as said:
            command = [sys.executable, "-m", f"services.{self.service}"]
            self.process = subprocess.Popen(
                [sys.executable, "-I", leash.__file__, str(os.getpid()), *command],
                cwd=self.directory,
                env=self._environment(skew_seconds),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the harness, which then ends everybody in order
            )
        self.frozen = False

    def kill(self) -> None:
        self._send(signal.SIGKILL)
        self._reap()

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        self._send(signal.SIGCONT)
        self.frozen = False

    def ask_to_leave(self) -> None:
        """It leaves in good order, in its own time."""
        self._send(signal.SIGTERM)

    def end(self) -> None:
        """It is gone when this returns; in good order where it can be."""
        if self.pid is None:
            return
        self.thaw()
        self.ask_to_leave()
        try:
            if self.process is not None:
                self.process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def _send(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _reap(self) -> None:
        if self.process is not None:
            self.process.wait(_LEAVE_SECONDS)

    def _environment(self, skew_seconds: float) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("SUNHERD")}
        own = {
            "PYTHONPATH": str(ROOT),
            "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
            INSTANCE_VARIABLE: self.number,
            LOG_DIRECTORY_VARIABLE: str(self.directory / "log"),
            **self.environment,
        }
        if skew_seconds:
            wrong = datetime.now(UTC) + timedelta(seconds=skew_seconds)
            own[CLOCK_VARIABLE] = SystemClock(start=wrong, anchor_seconds=time.monotonic()).to_variable()
        return {**inherited, **own}
