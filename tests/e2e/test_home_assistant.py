"""The whole loop against a real Home Assistant: its sensor moves, and miners stop, stay safe and resume.

Needs SUNHERD_E2E_HA_URL and SUNHERD_E2E_HA_TOKEN; the instance must have the template sensor and the inputs that are
named below. Says so loudly where it is skipped.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from shared.messages import UnknownReason
from tests.embedded_farm import EmbeddedFarm, embedded_farm
from tests.waiting import eventually

URL = os.environ.get("SUNHERD_E2E_HA_URL", "")
TOKEN = os.environ.get("SUNHERD_E2E_HA_TOKEN", "")

pytestmark = [
    pytest.mark.skipif(not (URL and TOKEN), reason="NO REAL HOME ASSISTANT: set SUNHERD_E2E_HA_URL and _TOKEN"),
]

GENERATIONS = ("1.2.6", "1.3.4", "1.2.0-rc5")

FARM = """\
battery:
  home_assistant: {{url: "{url}", state_of_charge: sensor.solis_s6_eh1p_battery_soc, poll: 1 s}}
miners:
  s19-20: {{driver: vnish, host: "127.0.0.1:{ports[0]}", stop_soc: 73, resume_soc: 75}}
  s19-21: {{driver: vnish, host: "127.0.0.1:{ports[1]}", stop_soc: 75, resume_soc: 78}}
  s19-22: {{driver: vnish, host: "127.0.0.1:{ports[2]}", stop_soc: 75, resume_soc: 78}}
rules: {{minimum_off: 1 s, starts_per_day: 100, stagger_w: 100000, poll: 0.5 s, stale_no_start: 2 s, stale_pause: 6 s}}
"""


class RealHomeAssistant:
    """The inputs behind the sensor."""

    def soc(self, percent: float) -> None:
        self._call("input_number/set_value", entity_id="input_number.fake_battery_soc", value=percent)

    def available(self, *, yes: bool) -> None:
        self._call(f"input_boolean/turn_{'off' if yes else 'on'}", entity_id="input_boolean.fake_soc_unavailable")

    def _call(self, service: str, **data: object) -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        requests.post(f"{URL}/api/services/{service}", json=data, headers=headers, timeout=10).raise_for_status()


@pytest.fixture
def home_assistant() -> Iterator[RealHomeAssistant]:
    real = RealHomeAssistant()
    real.available(yes=True)
    real.soc(80)
    yield real
    real.available(yes=True)
    real.soc(80)


@pytest.fixture
def miners() -> list[VnishStandIn]:
    clock = SystemClock()
    return [VnishStandIn(generation, clock=clock) for generation in GENERATIONS]


@pytest.fixture
def farm(tmp_path: Path, home_assistant: RealHomeAssistant, miners: list[VnishStandIn]) -> Iterator[EmbeddedFarm]:
    servers = [HttpServer(miner.handle) for miner in miners]
    ports = [server.start() for server in servers]
    try:
        with embedded_farm(tmp_path, FARM.format(url=URL, ports=ports), HA_TOKEN=TOKEN) as running:
            yield running
    finally:
        for server in servers:
            server.stop()


def test_80_70_unavailable_90(
    farm: EmbeddedFarm,
    home_assistant: RealHomeAssistant,
    miners: list[VnishStandIn],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert eventually(lambda: all(miner.hashing for miner in miners), 20), "80 %: all hash"
    assert eventually(lambda: all(reading.settled for reading in farm.ear.telemetry.values()))

    began = time.monotonic()
    home_assistant.soc(70)
    assert eventually(lambda: not any(miner.hashing for miner in miners), 15), "70 %: all are stopped"
    with capsys.disabled():
        print(f"\n70 % in Home Assistant: all {len(miners)} miners stopped {time.monotonic() - began:.2f} s later")
    assert eventually(lambda: farm.ear.codes() == {"soc_low"})

    home_assistant.available(yes=False)
    assert eventually(lambda: farm.ear.site is not None and farm.ear.site.unknown is UnknownReason.UNAVAILABLE)
    ordered = [len(miner.controls()) for miner in miners]
    assert not eventually(lambda: any(miner.hashing for miner in miners), 8), "unavailable: nothing starts"
    assert [len(miner.controls()) for miner in miners] == ordered, "unavailable: nothing was even asked of a miner"

    home_assistant.available(yes=True)
    home_assistant.soc(90)
    assert eventually(lambda: all(miner.hashing for miner in miners), 20), "90 %: all resume"


def test_unavailable_while_hashing_pauses_after_the_stale_time(
    farm: EmbeddedFarm, home_assistant: RealHomeAssistant, miners: list[VnishStandIn]
) -> None:
    assert eventually(lambda: all(miner.hashing for miner in miners), 20)
    home_assistant.available(yes=False)
    assert not eventually(lambda: not all(miner.hashing for miner in miners), 3), "a short gap costs nothing"
    assert eventually(lambda: not any(miner.hashing for miner in miners), 15), "a long one pauses"
    assert eventually(lambda: farm.ear.codes() == {"soc_stale_pause"})
