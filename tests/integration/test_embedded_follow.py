"""An owner edits the farm file of the whole farm on one machine, and lives on without a restart."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_server import AxeOsServer
from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from tests.embedded_farm import EmbeddedFarm, embedded_farm
from tests.waiting import eventually

SENSOR, TOKEN = "sensor.battery_soc", "token-of-the-stand-in"
PATIENT_SECONDS = 30.0
FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}, poll: 1 s}}}}
miners:
  s19-20: {{driver: vnish, host: "127.0.0.1:{port}", stop_soc: 73, resume_soc: 75}}
{more}
rules: {{minimum_off: 0 s, starts_per_day: 100, stagger_w: 100000, poll: 0.3 s}}
"""


class Site:
    """A battery, an Antminer and a Bitaxe."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.home_assistant = HomeAssistantStandIn(token=TOKEN, clock=clock)
        self.home_assistant.start()
        self.soc(80)
        self.miner, self.bitaxe = VnishStandIn("1.2.6", clock=clock), AxeOsStandIn(clock=clock)
        self._servers = (HttpServer(self.miner.handle), AxeOsServer(self.bitaxe))
        self.ports = [server.start() for server in self._servers]

    def soc(self, percent: float) -> None:
        self.home_assistant.set_state(SENSOR, str(percent), {"unit_of_measurement": "%"})

    def farm(self, more: str = "") -> str:
        return FARM.format(url=self.home_assistant.url, sensor=SENSOR, port=self.ports[0], more=more)

    def stop(self) -> None:
        self.home_assistant.stop()
        for server in self._servers:
            server.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def farm(site: Site, tmp_path: Path) -> Iterator[EmbeddedFarm]:
    with embedded_farm(tmp_path, site.farm(), HA_TOKEN=TOKEN) as running:
        assert eventually(lambda: "s19-20" in running.ear.commands, PATIENT_SECONDS)
        assert eventually(lambda: _log(running, "soc_bridge"), PATIENT_SECONDS)
        yield running


def test_a_service_begins_with_the_first_miner_that_needs_it_and_ends_with_the_last(
    farm: EmbeddedFarm, site: Site
) -> None:
    file = farm.state.parent / "farm.yaml"
    ordered, children = len(site.miner.controls()), set(farm.children())
    for _ in range(2):
        file.write_text(site.farm(f'  axe: {{driver: bitaxe, host: "127.0.0.1:{site.ports[1]}"}}'), encoding="utf-8")
        assert eventually(lambda: _is_read(farm, "axe"), PATIENT_SECONDS), _log(farm, "embedded")
        assert eventually(lambda: _known(farm) == ["s19-20", "axe"])
        assert len(set(farm.children()) - children) == 1, "the agent, and nobody for a Home Assistant elsewhere"

        file.write_text(site.farm(), encoding="utf-8")
        assert eventually(lambda: set(farm.children()) == children, PATIENT_SECONDS), "it ends, the others live on"
        assert eventually(lambda: _known(farm) == ["s19-20"])
        farm.ear.telemetry.pop("axe")
    assert len(site.miner.controls()) == ordered
    site.soc(60)
    assert eventually(lambda: not site.miner.hashing, PATIENT_SECONDS)


def test_a_wrong_file_is_called_out_once_and_broken_services_come_back_by_the_last_sound_one(
    farm: EmbeddedFarm, site: Site
) -> None:
    file = farm.state.parent / "farm.yaml"
    file.write_text(site.farm().replace("stop_soc: 73", "stop_soc: 78").replace("resume_soc: 75", "resume_soc: 85"))
    site.soc(79)
    assert eventually(lambda: "changed" in _log(farm, "policy_engine"), PATIENT_SECONDS)
    file.write_text(site.farm("  axe: {driver: bitax}"), encoding="utf-8")
    services = ("policy_engine", "vnish_agent", "soc_bridge")
    assert eventually(lambda: all("did you mean" in _log(farm, name) for name in services), PATIENT_SECONDS)

    killed = farm.child("policy_engine")
    psutil.Process(killed).kill()
    assert eventually(lambda: _log(farm, "policy_engine").count("is in charge") == 3, PATIENT_SECONDS)
    site.soc(77)
    assert eventually(lambda: not site.miner.hashing, PATIENT_SECONDS), "by the band of the last sound file"
    assert not eventually(lambda: len(farm.children()) != 5, 5), "and nobody ends; time enough to say it twice"
    assert farm.stop().count("did you mean") == 1, "said once, for all services"


def test_a_farm_on_its_own_broker_says_that_another_one_needs_a_restart(farm: EmbeddedFarm, site: Site) -> None:
    text = site.farm() + 'broker: {url: "mqtt://127.0.0.1:9"}\n'
    (farm.state.parent / "farm.yaml").write_text(text, encoding="utf-8")
    assert not eventually(lambda: not farm.ear.bus.is_up(), 8)
    site.soc(60)
    assert eventually(lambda: not site.miner.hashing, PATIENT_SECONDS)
    assert "until then it keeps its own" in farm.stop()


def _is_read(farm: EmbeddedFarm, name: str) -> bool:
    told = farm.ear.telemetry.get(name)
    return told is not None and told.reachable


def _known(farm: EmbeddedFarm) -> list[str]:
    known: list[str] = json.loads((farm.state / "connection.json").read_text(encoding="utf-8"))["miners"]
    return known


def _log(farm: EmbeddedFarm, name: str) -> str:
    file = farm.state / "log" / f"{name}.log"
    return file.read_text(encoding="utf-8") if file.exists() else ""
