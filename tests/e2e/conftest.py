"""A real Home Assistant, with a farm announced in it, or with a broker of the test's own and a farm that acts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from deploy.broker import RunningBroker, find_mosquitto, start_broker
from deploy.home_assistant_kit.names import miner
from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from shared.settings import FarmSettings
from tests.announced_farm import AnnouncedFarm
from tests.embedded_farm import EmbeddedFarm, embedded_farm
from tests.home_assistant_api import HomeAssistantApi
from tests.home_assistant_client import TOKEN, URL, HomeAssistantClient

EXAMPLE = Path(__file__).parents[2] / "farm.example.yaml"


@pytest.fixture(scope="module")
def api() -> Iterator[HomeAssistantApi]:
    api = HomeAssistantApi()
    yield api
    api.close()


@pytest.fixture(scope="module")
def announced(api: HomeAssistantApi) -> Iterator[AnnouncedFarm]:
    """The example's miners, a worker, and a rig with worker and plug."""
    described = YAML(typ="safe", pure=True).load(EXAMPLE.read_text(encoding="utf-8"))
    described["miners"]["s19-21"]["worker"] = "braiins/me/s19-21"
    described["miners"]["rig-7"] = {
        "driver": "plug",
        "nominal_w": 1100,
        "worker": "ckpool/bc1qexample/rig-7",
        "plug": {"host": "127.0.0.1", "outlet": "Rig 7"},
    }
    farm = AnnouncedFarm(api, FarmSettings.model_validate(described))
    try:
        farm.announce()
        api.listen("sunherd-kit/+/set")
        yield farm
    finally:
        farm.take_back()


@pytest.fixture
def farm(announced: AnnouncedFarm) -> AnnouncedFarm:
    """No miner has a problem, and nothing has been heard yet."""
    for name in announced.farm.miners:
        announced.say(miner(name).entity("binary_sensor", "problem"), "off")
        announced.say_sentence(miner(name).entity("binary_sensor", "problem"), None)
    announced.api.forget()
    return announced


# --- with a broker of its own: afterwards it listens to none


@pytest.fixture(scope="module")
def home_assistant() -> Iterator[HomeAssistantClient]:
    client = HomeAssistantClient()
    yield client
    client.disconnect()
    client.close()


@pytest.fixture
def broker(tmp_path: Path, home_assistant: HomeAssistantClient) -> Iterator[RunningBroker]:
    running = start_broker(tmp_path / "broker", port=0, mosquitto=find_mosquitto())
    home_assistant.connect_to(running.port, running.username, running.password)
    yield running
    home_assistant.disconnect()
    running.stop()


ACTING = """\
broker: {{url: "{url}", username: {username}}}
battery:
  home_assistant: {{url: "{home_assistant}", state_of_charge: sensor.solis_s6_eh1p_battery_soc, poll: 1 s}}
miners:
  s19-20: {{driver: vnish, host: "127.0.0.1:{port}", stop_soc: 73, resume_soc: 75}}
groups:
  garage: {{members: [s19-20], max_w: 6000}}
rules: {{minimum_off: 1 s, starts_per_day: 100, stagger_w: 100000, poll: 0.5 s}}
home_assistant: {{discovery: true}}
"""


@pytest.fixture
def acting_farm(tmp_path: Path, broker: RunningBroker, home_assistant: HomeAssistantClient) -> Iterator[EmbeddedFarm]:
    home_assistant.do("input_boolean.turn_off", "input_boolean.fake_soc_unavailable")
    home_assistant.do("input_number.set_value", "input_number.fake_battery_soc", value=80)
    server = HttpServer(VnishStandIn("1.3.4", clock=SystemClock()).handle)
    text = ACTING.format(url=broker.url, username=broker.username, home_assistant=URL, port=server.start())
    try:
        with embedded_farm(tmp_path, text, HA_TOKEN=TOKEN, MQTT_PASSWORD=broker.password) as running:
            yield running
    finally:
        server.stop()
        home_assistant.do("input_number.set_value", "input_number.fake_battery_soc", value=80)
