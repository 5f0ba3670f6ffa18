"""A farm as its owner runs it: `deploy.embedded` in a process of its own, and an ear on its broker."""

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from shared.bus import Bus, MqttLink, Received
from shared.clock import SystemClock
from shared.launch import address_of
from shared.messages import Event, MinerCommand, MinerTelemetry, Presence, SiteTelemetry
from shared.topics import MINER_COMMAND, MINER_EVENT, MINER_TELEMETRY, SERVICE_PRESENCE, SITE_TELEMETRY
from tests.waiting import eventually

ROOT = Path(__file__).parents[1]


@dataclass
class Ear:
    """What has been heard on the farm's topics. Written in the link's thread, only read elsewhere."""

    bus: Bus
    site: SiteTelemetry | None = None
    commands: dict[str, MinerCommand] = field(default_factory=dict)
    telemetry: dict[str, MinerTelemetry] = field(default_factory=dict)
    presence: dict[str, Presence] = field(default_factory=dict)
    events: deque[tuple[str, Event]] = field(default_factory=lambda: deque(maxlen=1000))

    def listen(self) -> None:
        def site(received: Received[SiteTelemetry]) -> None:
            self.site = received.message

        def command(received: Received[MinerCommand]) -> None:
            if received.message is not None:
                self.commands[received.identifier] = received.message

        def telemetry(received: Received[MinerTelemetry]) -> None:
            if received.message is not None:
                self.telemetry[received.identifier] = received.message

        def presence(received: Received[Presence]) -> None:
            if received.message is not None:
                self.presence[received.message.service] = received.message

        def event(received: Received[Event]) -> None:
            if received.message is not None:
                self.events.append((received.identifier, received.message))

        self.bus.subscribe(SITE_TELEMETRY, site)
        self.bus.subscribe(MINER_COMMAND, command)
        self.bus.subscribe(MINER_TELEMETRY, telemetry)
        self.bus.subscribe(SERVICE_PRESENCE, presence)
        self.bus.subscribe(MINER_EVENT, event)
        self.bus.start()

    def codes(self) -> set[str]:
        """The codes of all commands that stand."""
        return {command.code for command in self.commands.values()}


@dataclass
class EmbeddedFarm:
    """The running process and what is heard of it."""

    process: subprocess.Popen[str]
    ear: Ear
    state: Path

    def children(self) -> list[int]:
        """The process ids of the services, the terminal and the broker."""
        return children_of(self.process.pid)

    def child(self, service: str) -> int:
        """The process id of a service, which alone has its log open. Raises LookupError while there is none."""
        return self._holder_of(f"{service}.log")

    def broker(self) -> int:
        """The process id of the broker."""
        return self._holder_of("/broker/")

    def _holder_of(self, name: str) -> int:
        for pid in self.children():
            if name in _open_files(pid):
                return pid
        message = f"no child has {name} open"
        raise LookupError(message)

    def stop(self) -> str:
        """Ctrl-C; returns what was printed."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=20)
        return out


def children_of(pid: int) -> list[int]:
    """The process ids of a process's children."""
    return [child.pid for child in psutil.Process(pid).children()]


def _open_files(pid: int) -> str:
    try:
        return " ".join(file.path for file in psutil.Process(pid).open_files())
    except psutil.Error:  # it has ended while we looked
        return ""


@contextmanager
def embedded_farm(
    directory: Path, farm: str, module: str = "deploy.embedded", **environment: str
) -> Iterator[EmbeddedFarm]:
    """Runs a farm in a directory until the end of the block."""
    (directory / "farm.yaml").write_text(farm, encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SUNHERD")}
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=directory,
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    state = directory / ".sunherd"
    try:
        assert eventually(lambda: (state / "connection.json").exists() or process.poll() is not None, 15)
        assert process.poll() is None, process.communicate()[0]
        details = json.loads((state / "connection.json").read_text(encoding="utf-8"))
        link = MqttLink(address_of(details["url"], details["username"], details["password"]), "ear")
        ear = Ear(Bus(link, SystemClock(), instance="ear"))
        ear.listen()
        try:
            yield EmbeddedFarm(process, ear, state)
        finally:
            ear.bus.stop()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
