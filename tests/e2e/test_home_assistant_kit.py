"""The dashboard in a real Home Assistant, with stand-ins for what the farm announces there.

Needs SUNHERD_E2E_HA_URL and SUNHERD_E2E_HA_TOKEN; the instance must be connected to a broker. All goes through its own
API: nothing else is told where that broker is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.home_assistant_kit.__main__ import text_of
from deploy.home_assistant_kit.names import FARM, miner
from tests.announced_farm import AnnouncedFarm, command_topic
from tests.home_assistant_api import NEEDS_HOME_ASSISTANT, HomeAssistantApi
from tests.named_entities import entities_in, markdown_in
from tests.waiting import eventually

pytestmark = [NEEDS_HOME_ASSISTANT, pytest.mark.timeout(300)]

COMMITTED = Path(__file__).parents[2] / "deploy" / "home-assistant" / "dashboard.yaml"
DASHBOARD = "sunherd-kit"
FIRST = miner("s19-20")


def yaml_of_home_assistant(text: str) -> Any:
    """Home Assistant reads YAML 1.1, in which a bare `on` is true."""
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    return reader.load(text)


@pytest.fixture(params=["the committed one", "one with rigs and pools"])
def dashboard(
    request: pytest.FixtureRequest, api: HomeAssistantApi, announced: AnnouncedFarm
) -> Iterator[dict[str, Any]]:
    """As Home Assistant has kept it."""
    text = COMMITTED.read_text(encoding="utf-8")
    if request.param != "the committed one":
        text = text_of(announced.farm, "farm.yaml")
    made = yaml_of_home_assistant(text)
    created = api.ask(
        "lovelace/dashboards/create", url_path=DASHBOARD, title="Sunherd", mode="storage", show_in_sidebar=True
    )
    try:
        api.ask("lovelace/config/save", url_path=DASHBOARD, config=made)
        kept = api.ask("lovelace/config", url_path=DASHBOARD, force=True)
        assert kept == made
        yield kept
    finally:
        api.ask("lovelace/dashboards/delete", dashboard_id=created["id"])


def test_every_entity_that_the_dashboard_names_exists(dashboard: dict[str, Any], farm: AnnouncedFarm) -> None:
    named = entities_in(dashboard)
    assert len(named) > 30
    assert named - set(farm.api.states()) == set()


def test_problems_are_told_with_their_reason_and_what_is_unknown_is_no_good_news(
    dashboard: dict[str, Any], farm: AnnouncedFarm
) -> None:
    (problems,) = [text for text in markdown_in(dashboard) if "_problem" in text]
    shown = sorted(name for name in farm.farm.miners if f'"{name}"' in problems)
    assert farm.api.rendered(problems).strip() == "No miner has a problem."

    farm.say(FIRST.entity("binary_sensor", "problem"), "on")
    farm.say(FIRST.entity("sensor", "why"), "chip 71 °C: held at its lowest point")
    assert farm.api.rendered(problems).strip() == "- **s19-20**: chip 71 °C: held at its lowest point"

    farm.say_sentence(FIRST.entity("binary_sensor", "problem"), "look whether its fan turns")
    assert farm.api.rendered(problems).strip() == "- **s19-20**: look whether its fan turns"

    for name in shown:
        farm.say(miner(name).entity("binary_sensor", "problem"), "None")
    whole = FARM.entity("binary_sensor", "problem")
    farm.say_sentence(whole, "no policy engine is heard; miners: s19-20, s19-21")
    first, *told = filter(None, farm.api.rendered(problems).splitlines())
    farm.say_sentence(whole, None)
    assert first == "no policy engine is heard"
    assert sorted(told) == [f"- **{name}**: nothing is known of it" for name in shown]


def test_the_button_of_the_dashboard_asks_back_and_then_stops_the_farm(
    dashboard: dict[str, Any], farm: AnnouncedFarm
) -> None:
    stop = FARM.entity("button", "emergency_stop")
    cards = [card for page in dashboard["views"] for part in page["sections"] for card in part["cards"]]
    (button,) = [card for card in cards if card["type"] == "button" and card["entity"] == stop]
    tap = button["tap_action"]
    assert tap["confirmation"]["text"]
    farm.api.call(tap["perform_action"], **tap["target"])
    assert eventually(lambda: farm.api.heard() == [(command_topic(stop), "press")])
