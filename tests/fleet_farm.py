"""Two replicas of an agent and an engine, each in a process of its own, on a real broker; and `deploy.fleet` beside."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.bus import Bus, MqttLink
from shared.clock import SystemClock
from tests.brokers import Real, start

ROOT = Path(__file__).parents[1]
NO_DOCKER = "unix:///no-such-socket"
_END_SECONDS = 20


class FleetCommand:
    """`python -m deploy.fleet` in a directory, without Docker."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def run(self, *words: str, **variables: str) -> tuple[int, str, str]:
        """Runs it as a person would; returns exit code, answer and complaints."""
        done = subprocess.run(
            [sys.executable, "-m", "deploy.fleet", *words],
            cwd=self._directory,
            env={**_environment(), "DOCKER_HOST": NO_DOCKER, **variables},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


class FleetFarm:
    """Everything, and a bus of the test's own on the same broker."""

    def __init__(self, directory: Path, miners: int = 6) -> None:
        self.directory = directory
        self.clock = SystemClock()
        self._stack = ExitStack()
        broker = start("mosquitto", directory / "broker")
        assert isinstance(broker, Real)
        self.broker = broker
        self._stack.callback(broker.stop)
        hosts = [
            self._stack.enter_context(HttpServer(VnishStandIn(clock=self.clock).handle)).port for _ in range(miners)
        ]
        lines = [f'  s19-{number}: {{driver: vnish, host: "127.0.0.1:{port}"}}' for number, port in enumerate(hosts)]
        farm = "\n".join(["miners:", *lines, "rules: {poll: 1 s}", ""])
        (directory / "farm.yaml").write_text(farm, encoding="utf-8")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.bus = Bus(MqttLink(broker.address(), "a-test"), self.clock, instance="a-test")
        self.bus.start()
        self._stack.callback(self.bus.stop)

    @property
    def url(self) -> str:
        running = self.broker.running
        return f"mqtt://{running.username}:{running.password}@127.0.0.1:{running.port}"

    def add(self, service: str, host: str) -> None:
        """A replica; its instance is `{service}-{host}`."""
        running = self.broker.running
        with (self.directory / f"{service}-{host}.log").open("wb") as log:
            self.processes[f"{service}-{host}"] = subprocess.Popen(
                [sys.executable, "-m", f"services.{service}"],
                cwd=self.directory,
                env={
                    **_environment(),
                    "SUNHERD_FARM": str(self.directory / "farm.yaml"),
                    "SUNHERD_INSTANCE": host,
                    "SUNHERD_BROKER__URL": f"mqtt://127.0.0.1:{running.port}",
                    "SUNHERD_BROKER__USERNAME": running.username or "",
                    "MQTT_PASSWORD": running.password or "",
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def fleet(self, *words: str, broker: str | None = None, **variables: str) -> tuple[int, str, str]:
        """As `FleetCommand.run`, of this farm's broker. `broker`: another one; empty, no option."""
        where = self.url if broker is None else broker
        return FleetCommand(self.directory).run(*words, *(["--broker", where] if where else []), **variables)

    def asked(self, *words: str) -> dict[str, Any]:
        """The answer to a command with --json."""
        _code, answer, complaints = self.fleet(*words, "--json")
        assert answer, complaints
        found = json.loads(answer)
        assert isinstance(found, dict)
        return found

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends one process."""
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(_END_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self.processes):
            self.end(name)
        self._stack.close()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUNHERD", "COMPOSE", "MQTT"))}
    return {**kept, "PYTHONPATH": str(ROOT)}
