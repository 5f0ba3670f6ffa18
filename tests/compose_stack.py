"""The stack as its owner runs it: a fresh copy of the checkout, `.env` by the documented command, `docker compose`."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).parents[1]
PATIENT_SECONDS = 500


@dataclass(frozen=True)
class Stack:
    """One project of docker compose in a directory of its own."""

    directory: Path
    project: str
    variables: dict[str, str]

    def compose(self, *arguments: str, check: bool = True) -> str:
        """The output of `docker compose ...`. Raises AssertionError when it fails."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("SUNHERD", "COMPOSE"))}
        command = ["docker", "compose", "--project-name", self.project, *arguments]
        environment = inherited | self.variables
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENT_SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stdout}\n{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    def containers(self, service: str = "") -> list[str]:
        """The names of the containers, of one service or of all."""
        label = f"label=com.docker.compose.service={service}" if service else "label=com.docker.compose.service"
        return docker("ps", "-a", "--filter", self._mine, "--filter", label, "--format", "{{.Names}}").split()

    def leftovers(self) -> str:
        """Containers, volumes and networks of the project."""
        found = [docker("ps", "-aq", "--filter", self._mine)]
        found += [docker(kind, "ls", "-q", "--filter", self._mine) for kind in ("volume", "network")]
        return "".join(found)

    @property
    def _mine(self) -> str:
        return f"label=com.docker.compose.project={self.project}"


def docker(*arguments: str, check: bool = True) -> str:
    """The output of `docker ...`, both streams. Raises AssertionError when it fails."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=PATIENT_SECONDS, check=False)
    assert done.returncode == 0 or not check, f"docker {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def health_of(container: str) -> str:
    """As Docker sees it; `none` while it is not running."""
    return docker("inspect", "--format", "{{.State.Health.Status}}", container).strip()


def ready_after_seconds(container: str) -> float | None:
    """How long after the start of the container its service was ready. None: not yet."""
    started = docker("inspect", "--format", "{{.State.StartedAt}}", container).strip()
    line = docker("exec", container, "cat", "/tmp/health", check=False).split(" ", 2)
    if len(line) != 2:
        return None
    # Containers share the monotonic clock of the machine.
    wall_minus_monotonic = time.time() - time.monotonic()
    since = float(line[1]) + wall_minus_monotonic
    return since - datetime.fromisoformat(started).timestamp()


def free_port() -> int:
    """A port of this machine that nobody has now."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def passwords(directory: Path) -> dict[str, str]:
    """What `.env` holds."""
    return {key: value for key, value in dotenv_values(directory / ".env").items() if value}


@contextmanager
def fresh_stack(directory: Path, name: str, **variables: str) -> Iterator[Stack]:
    """A copy of what git would hand out, with `.env`; at the end nothing is left of it."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for file in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        target = directory / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / file).is_file():
            shutil.copy(ROOT / file, target)
    subprocess.run([sys.executable, "-m", "deploy.environment"], cwd=directory, check=True, capture_output=True)
    ports = {"SUNHERD_BROKER_PORT": str(free_port()), "SUNHERD_BROKER_TLS_PORT": str(free_port())}
    stack = Stack(directory, f"sunherd-{name}-{os.getpid()}", ports | variables)
    try:
        yield stack
    finally:
        stack.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)
