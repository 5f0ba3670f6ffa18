"""The farm as its owner runs it, with nobody listening while it is measured: an ear would take part of the machine."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.connection import STATE_DIRECTORY
from shared.bus import Bus, MqttLink, Received
from shared.clock import SystemClock
from shared.launch import address_of
from shared.messages import MinerTelemetry
from shared.topics import MINER_TELEMETRY
from tests.embedded_farm import ROOT
from tests.waiting import eventually

PATIENCE_SECONDS = 120.0


@contextmanager
def owners_farm(farm: str, **environment: str) -> Iterator[Path]:
    """Runs `deploy.embedded` in a directory of its own until the end of the block; yields the directory."""
    with tempfile.TemporaryDirectory() as name, (Path(name) / "said").open("w", encoding="utf-8") as said:
        directory = Path(name)
        (directory / "farm.yaml").write_text(farm, encoding="utf-8")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("SUNHERD")}
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.embedded"],
            cwd=directory,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            await_true(lambda: _connection(directory) or process.poll() is not None)
            if process.poll() is not None:
                raise RuntimeError((directory / "said").read_text(encoding="utf-8"))
            yield directory
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=30)


@contextmanager
def bus_of(directory: Path) -> Iterator[Bus]:
    """Speaks on the farm's broker until the end of the block."""
    details = _connection(directory)
    link = MqttLink(address_of(details["url"], details["username"], details["password"]), "bench")
    bus = Bus(link, SystemClock(), instance="bench")
    bus.start()
    try:
        await_true(bus.is_synced, "the broker did not answer")
        yield bus
    finally:
        bus.stop()


def _connection(directory: Path) -> dict[str, str]:
    """How to reach the farm's broker; empty until the file is there and wholly written."""
    try:
        found: dict[str, str] = json.loads(
            (directory / STATE_DIRECTORY / "connection.json").read_text(encoding="utf-8")
        )
    except (FileNotFoundError, ValueError):
        return {}
    return found


def await_settled(directory: Path, count: int) -> None:
    """Returns when so many miners have reported that they do what they shall; listens no longer than that."""
    settled: set[str] = set()

    def heard(received: Received[MinerTelemetry]) -> None:
        if received.message is not None and received.message.settled:
            settled.add(received.identifier)

    with bus_of(directory) as bus:
        bus.subscribe(MINER_TELEMETRY, heard)
        await_true(lambda: len(settled) == count)


def cpu_seconds_of(directory: Path) -> dict[str, float]:
    """Processor time so far of each service, by the name of its log, and of the broker."""
    found: dict[str, float] = {}
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(directory) or "mosquitto" in process.name():
                names = [Path(file.path).stem for file in process.open_files() if file.path.startswith(str(directory))]
                used = process.cpu_times()
                found["+".join(sorted(set(names))) or process.name()] = used.user + used.system
        except psutil.Error:
            continue
    return found


def await_true(predicate: Callable[[], object], what: str = "the farm did not get there") -> None:
    """Raises TimeoutError when it does not become true."""
    if not eventually(predicate, PATIENCE_SECONDS):
        message = f"{what} within {PATIENCE_SECONDS:g} s"
        raise TimeoutError(message)
