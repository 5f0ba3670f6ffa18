"""A real Home Assistant with a farm announced in it, for the tests of what is shown there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from deploy.home_assistant_kit.names import miner
from shared.settings import FarmSettings
from tests.announced_farm import AnnouncedFarm
from tests.home_assistant_api import HomeAssistantApi

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
