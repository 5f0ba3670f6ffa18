"""The embedded farm as its owner runs it: each service and the broker are killed, and the battery stays guarded."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deploy.broker import find_mosquitto
from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from tests.embedded_farm import ROOT, EmbeddedFarm, embedded_farm
from tests.waiting import eventually

SENSOR = "sensor.battery_soc"
TOKEN = "token-of-the-stand-in"

FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}, poll: 1 s}}}}
miners:
  s19-20: {{driver: vnish, host: "127.0.0.1:{port}", stop_soc: 73, resume_soc: 75}}
rules: {{minimum_off: 0 s, starts_per_day: 100, stagger_w: 100000, poll: 0.3 s}}
"""


class Site:
    """A battery and one miner, outside the farm's processes."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.home_assistant = HomeAssistantStandIn(token=TOKEN, clock=clock)
        self.home_assistant.start()
        self.miner = VnishStandIn("1.2.6", clock=clock)
        self.server = HttpServer(self.miner.handle)
        self.port = self.server.start()
        self.soc(80)

    def soc(self, percent: float) -> None:
        self.home_assistant.set_state(SENSOR, str(percent), {"unit_of_measurement": "%"})

    def stop(self) -> None:
        self.home_assistant.stop()
        self.server.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def farm(site: Site, tmp_path: Path) -> Iterator[EmbeddedFarm]:
    text = FARM.format(url=site.home_assistant.url, sensor=SENSOR, port=site.port)
    with embedded_farm(tmp_path, text, HA_TOKEN=TOKEN) as running:
        assert eventually(lambda: "s19-20" in running.ear.commands, 10)
        yield running


def reacts(site: Site) -> bool:
    """Whether the farm stops the miner when the battery is low, and starts it again when it is full."""
    site.soc(60)
    stopped = eventually(lambda: not site.miner.hashing, 15)
    site.soc(90)
    return stopped and eventually(lambda: site.miner.hashing, 15)


def test_each_service_may_be_killed(farm: EmbeddedFarm, site: Site) -> None:
    assert reacts(site)
    for service in ("policy_engine", "vnish_agent", "soc_bridge"):
        ordered = len(site.miner.controls())
        killed = farm.child(service)
        os.kill(killed, signal.SIGKILL)
        assert eventually(partial(_is_another, farm, service, killed), 10), service
        assert len(site.miner.controls()) == ordered, "a restart must not touch the miner"
        assert reacts(site), f"after {service} was killed"


def test_a_service_that_comes_back_while_the_farm_file_is_edited_lives_by_the_old_one(
    farm: EmbeddedFarm, site: Site
) -> None:
    (farm.state.parent / "farm.yaml").write_text("miners: [", encoding="utf-8")
    killed = farm.child("policy_engine")
    os.kill(killed, signal.SIGKILL)
    assert eventually(partial(_is_another, farm, "policy_engine", killed), 10)
    assert reacts(site)


def test_the_broker_may_be_killed(farm: EmbeddedFarm, site: Site) -> None:
    assert reacts(site)
    ordered = len(site.miner.controls())
    os.kill(farm.broker(), signal.SIGKILL)
    assert eventually(lambda: not farm.ear.bus.is_up())
    assert eventually(farm.ear.bus.is_up, 15)
    assert len(site.miner.controls()) == ordered
    assert reacts(site)


def test_control_c_ends_everything_in_good_order(farm: EmbeddedFarm) -> None:
    # A service for which nothing is configured is not started.
    assert eventually(lambda: len(farm.children()) == 5, 15), "three services, the terminal and the broker"
    children = farm.children()
    out = farm.stop()
    assert farm.process.returncode == 0
    assert "nobody watches the battery until the next start" in out
    assert "Traceback" not in out
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert "offline" in {presence.status for presence in farm.ear.presence.values()}


def test_a_second_farm_in_the_same_place_is_refused(farm: EmbeddedFarm, site: Site) -> None:
    second = _beside(farm, "deploy.embedded")
    assert second.returncode == 2
    assert "already running" in second.stderr
    assert reacts(site)


def test_a_person_is_obeyed_and_an_emergency_stop_needs_no_engine(farm: EmbeddedFarm, site: Site) -> None:
    assert eventually(lambda: site.miner.hashing)
    assert _say(farm, "override", "s19-20", "pause", "--for", "2h").returncode == 0
    assert eventually(lambda: not site.miner.hashing)
    assert _say(farm, "override", "s19-20", "automatic").returncode == 0
    assert eventually(lambda: site.miner.hashing, 15)

    os.kill(farm.child("policy_engine"), signal.SIGSTOP)
    assert _say(farm, "stop", "--all", "--reason", "smoke").returncode == 0
    assert eventually(lambda: not site.miner.hashing), "the agent obeys by itself"
    os.kill(farm.child("policy_engine"), signal.SIGCONT)
    assert not eventually(lambda: site.miner.hashing, 2), "and the engine does not undo it"
    assert (farm.state / "emergency_stop").exists(), "where its agents look"
    os.kill(farm.child("vnish_agent"), signal.SIGKILL)
    assert not eventually(lambda: site.miner.hashing, 3)
    assert _say(farm, "resume").returncode == 0
    assert not (farm.state / "emergency_stop").exists()
    assert eventually(lambda: site.miner.hashing, 15)


@pytest.mark.skipif(find_mosquitto() is None, reason="only mosquitto saves so rarely that it has to be told")
def test_an_emergency_stop_is_on_disk_before_the_power_can_fail(farm: EmbeddedFarm) -> None:
    assert _say(farm, "stop", "--all").returncode == 0
    database = farm.state / "broker" / "mosquitto.db"
    assert eventually(lambda: database.exists() and b"emergency_stop" in database.read_bytes())


def _beside(farm: EmbeddedFarm, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=farm.state.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HA_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def _say(farm: EmbeddedFarm, *words: str) -> subprocess.CompletedProcess[str]:
    return _beside(farm, "deploy.console", *words)


def _is_another(farm: EmbeddedFarm, service: str, old: int) -> bool:
    try:
        return farm.child(service) != old
    except LookupError:
        return False
