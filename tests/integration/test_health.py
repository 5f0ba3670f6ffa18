"""The health of a real service process, as whoever watches a container asks for it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import RunningBroker, start_broker
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
FARM = "miners:\n  s19-20: {driver: vnish, host: 192.168.88.20}\n"
SERVICE = """
import pathlib, threading
from shared.launch import launch

def build(context):
    service = context.service
    service.every(0.1, lambda: pathlib.Path("hang").exists() and threading.Event().wait(600))
    return True

launch("probe", build)
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    running = start_broker(tmp_path / "broker", port=0)
    yield running
    running.stop()


class Probe:
    """A service whose handler hangs when a file `hang` is there."""

    def __init__(self, directory: Path, broker: RunningBroker) -> None:
        (directory / "farm.yaml").write_text(FARM)
        self.directory = directory
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUNHERD", "HA_", "MQTT_"))}
        self.environment = kept | {
            "PYTHONPATH": str(ROOT),
            "SUNHERD_BROKER__URL": broker.url,
            "SUNHERD_BROKER__USERNAME": broker.username,
            "MQTT_PASSWORD": broker.password,
            "SUNHERD_HEALTH_FILE": str(directory / "health"),
            "SUNHERD_HANG_EXIT_SECONDS": "12",
        }
        self.log = directory / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVICE], cwd=directory, env=self.environment, stderr=log
            )

    def ask(self, question: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "shared.health", question]
        asked = subprocess.run(
            command, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        return asked.returncode, asked.stdout.strip()

    def is_ready(self) -> bool:
        return self.ask("ready")[0] == 0


@pytest.fixture
def probe(tmp_path: Path, broker: RunningBroker) -> Iterator[Probe]:
    running = Probe(tmp_path, broker)
    try:
        assert eventually(running.is_ready, 30), running.log.read_text()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()


def test_a_service_that_hears_no_broker_is_live_but_not_ready(probe: Probe, broker: RunningBroker) -> None:
    assert probe.ask("live")[0] == 0
    os.kill(broker.pid, signal.SIGKILL)
    assert eventually(lambda: not probe.is_ready(), 40)
    assert probe.ask("live") == (0, "not ready, but live: no connection to the broker")
    broker.restart()
    assert eventually(probe.is_ready, 40), "it comes back by itself"
    probe.process.send_signal(signal.SIGTERM)
    assert probe.process.wait(20) == 0


def test_a_main_thread_that_hangs_ends_the_process_and_says_where_it_hung(probe: Probe) -> None:
    (probe.directory / "hang").touch()
    assert eventually(lambda: probe.process.poll() is not None, 60)
    assert probe.process.returncode == 1, "not 0: whoever watches starts it again"
    log = probe.log.read_text()
    assert "Timeout (0:00:12)!" in log
    assert 'File "<string>", line 7 in <lambda>' in log, log


def test_a_frozen_process_is_not_live(probe: Probe) -> None:
    probe.process.send_signal(signal.SIGSTOP)
    assert eventually(lambda: probe.ask("live")[0] == 1, 60)
    assert probe.ask("live")[1].startswith("the main thread has not stirred for 2")
