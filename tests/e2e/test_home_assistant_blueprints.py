"""The blueprints in a real Home Assistant: imported, made into automations, and tried.

Needs SUNHERD_E2E_HA_URL and SUNHERD_E2E_HA_TOKEN; the instance must be connected to a broker.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.home_assistant_kit.names import FARM, miner
from services.simulator.http import Request, Response
from services.simulator.http_server import HttpServer
from tests.announced_farm import AnnouncedFarm, command_topic
from tests.home_assistant_api import NEEDS_HOME_ASSISTANT, HomeAssistantApi, waits
from tests.waiting import eventually

pytestmark = [NEEDS_HOME_ASSISTANT, pytest.mark.timeout(300)]

FOLDER = Path(__file__).parents[2] / "deploy" / "home-assistant" / "blueprints" / "automation" / "sunherd"
NEEDS_A_PERSON, ON_SURPLUS = "sunherd/miner_needs_a_person.yaml", "sunherd/start_on_surplus.yaml"
AUTOMATION = "sunherd_kit"
NOTE = "sunherd_needs_a_person"
GRID = "sensor.kit_grid_power"
SOON_MINUTES = 0.005
NO_REMEDY = "it does not answer, and has no outlet"
FIRST, SECOND = miner("s19-20"), miner("s19-21")
PROBLEM, WHY = FIRST.entity("binary_sensor", "problem"), FIRST.entity("sensor", "why")
FORCE_ON = FIRST.entity("select", "force_on")


@pytest.fixture(scope="module")
def blueprints(api: HomeAssistantApi) -> Iterator[None]:
    """Both imported and saved, as the import dialog does."""

    def download(asked: Request) -> Response:
        return Response(200, (FOLDER / Path(asked.path).name).read_bytes())

    server = HttpServer(download)
    port = server.start()
    try:
        for path in (NEEDS_A_PERSON, ON_SURPLUS):
            url = f"http://127.0.0.1:{port}/{path}"
            imported = api.ask("blueprint/import", url=url)
            assert not imported["validation_errors"]
            saved = {"domain": "automation", "path": path, "yaml": imported["raw_data"], "allow_override": True}
            api.ask("blueprint/save", **saved, source_url=url)
        yield
    finally:
        for path in (NEEDS_A_PERSON, ON_SURPLUS):
            api.ask("blueprint/delete", domain="automation", path=path)
        server.stop()


@pytest.fixture
def automation(api: HomeAssistantApi, blueprints: None) -> Iterator[Any]:
    """Makes one of a blueprint and inputs."""

    def make(blueprint: str, **inputs: Any) -> None:
        api.make_automation(AUTOMATION, blueprint, inputs)
        assert eventually(lambda: api.state(f"automation.{AUTOMATION}") == "on", 10)

    yield make
    api.remove_automation(AUTOMATION)
    assert eventually(lambda: api.state(f"automation.{AUTOMATION}") is None, 10)


# --- a miner needs a person


def told_by_default(api: HomeAssistantApi) -> list[dict[str, Any]]:
    return [note for note in api.ask("persistent_notification/get") if note["notification_id"] == NOTE]


def messages(api: HomeAssistantApi) -> list[str]:
    return [note["message"] for note in told_by_default(api)]


@pytest.fixture
def no_notes(api: HomeAssistantApi) -> Iterator[None]:
    api.call("persistent_notification.dismiss", notification_id=NOTE)
    yield
    api.call("persistent_notification.dismiss", notification_id=NOTE)


@pytest.mark.usefixtures("no_notes")
def test_a_problem_that_stays_is_told_with_its_reason(farm: AnnouncedFarm, automation: Any) -> None:
    automation(NEEDS_A_PERSON, problems=[PROBLEM], minutes=SOON_MINUTES)
    farm.say(WHY, "given up on: 3 tries in vain")
    farm.say(PROBLEM, "on")
    assert eventually(lambda: told_by_default(farm.api), 10)
    (note,) = told_by_default(farm.api)
    assert (note["title"], note["message"]) == ("A miner needs a person", "s19-20: given up on: 3 tries in vain")


@pytest.mark.usefixtures("no_notes")
def test_a_problem_that_passes_is_not_told(farm: AnnouncedFarm, automation: Any) -> None:
    automation(NEEDS_A_PERSON, problems=[PROBLEM], minutes=0.12)
    farm.say(PROBLEM, "on")
    waits(3.5)
    farm.say(PROBLEM, "off")
    waits(6)
    assert told_by_default(farm.api) == []


@pytest.mark.usefixtures("no_notes")
def test_what_is_unknown_for_so_long_is_told_also_when_it_had_a_problem_before(
    farm: AnnouncedFarm, automation: Any
) -> None:
    automation(NEEDS_A_PERSON, problems=[PROBLEM], minutes=0.03)
    farm.say(PROBLEM, "on")
    farm.say(PROBLEM, "None")
    assert eventually(lambda: told_by_default(farm.api), 10)
    (note,) = told_by_default(farm.api)
    assert note["message"] == "s19-20: nothing is known of it"


@pytest.mark.usefixtures("no_notes")
def test_a_problem_that_was_there_when_home_assistant_came_back_is_told(farm: AnnouncedFarm, automation: Any) -> None:
    farm.say(PROBLEM, "None")  # as after its start
    automation(NEEDS_A_PERSON, problems=[PROBLEM], minutes=SOON_MINUTES)
    farm.say(WHY, NO_REMEDY)
    farm.say(PROBLEM, "on")
    assert eventually(lambda: messages(farm.api) == [f"s19-20: {NO_REMEDY}"], 10)


@pytest.mark.usefixtures("no_notes")
def test_the_farms_own_problem_has_no_sentence_and_is_told_all_the_same(farm: AnnouncedFarm, automation: Any) -> None:
    problem = FARM.entity("binary_sensor", "problem")
    farm.say(problem, "off")
    automation(NEEDS_A_PERSON, problems=[problem], minutes=SOON_MINUTES)
    farm.say(problem, "on")
    assert eventually(lambda: messages(farm.api) == ["sunherd: it has a problem"], 10)


@pytest.mark.usefixtures("no_notes")
def test_what_a_person_is_needed_for_goes_before_the_decision(farm: AnnouncedFarm, automation: Any) -> None:
    automation(NEEDS_A_PERSON, problems=[PROBLEM], minutes=SOON_MINUTES)
    farm.say(WHY, "SoC 90 % > 75 % → mining")
    farm.say_sentence(PROBLEM, NO_REMEDY)
    farm.say(PROBLEM, "on")
    assert eventually(lambda: messages(farm.api) == [f"s19-20: {NO_REMEDY}"], 10)


def test_problems_that_begin_together_come_in_one_message_by_the_owners_own_action(
    farm: AnnouncedFarm, automation: Any
) -> None:
    topic = "sunherd-kit/told/set"
    tell = [{"action": "mqtt.publish", "data": {"topic": topic, "payload": "{{ title }}|{{ message }}"}}]
    problems = [PROBLEM, SECOND.entity("binary_sensor", "problem")]
    automation(NEEDS_A_PERSON, problems=problems, minutes=SOON_MINUTES, tell=tell)
    for shown in (FIRST, SECOND):
        farm.say(shown.entity("sensor", "why"), "no share for 40 min")
        farm.say(shown.entity("binary_sensor", "problem"), "on")
    assert eventually(farm.api.heard, 10)
    both = "2 miners need a person|s19-20: no share for 40 min\ns19-21: no share for 40 min"
    assert (topic, both) in farm.api.heard()


# --- start a miner on surplus


SOUND = {
    FIRST.entity("switch", "automatic"): "on",
    FORCE_ON: "off",
    FIRST.entity("sensor", "state"): "paused",
    FARM.entity("binary_sensor", "emergency_stop_active"): "off",
    FARM.entity("sensor", "state_of_charge"): "90",
}


@pytest.fixture
def surplus(farm: AnnouncedFarm) -> Iterator[Any]:
    """Says what the sensor at the grid connection shows."""
    topic = "homeassistant/sensor/sunherd-kit-grid/config"
    announced = (
        f'{{"unique_id": "kit_grid", "object_id": "kit_grid_power", "default_entity_id": "{GRID}", "name": "Grid",'
        f' "state_topic": "sunherd-kit/{GRID}", "device_class": "power", "unit_of_measurement": "kW"}}'
    )
    farm.api.publish(topic, announced)
    assert eventually(lambda: GRID in farm.api.states(), 10)
    for entity, state in SOUND.items():
        farm.say(entity, state)
    farm.say(GRID, "0.5")
    yield lambda kilowatts: farm.say(GRID, kilowatts)
    farm.api.publish(topic, "")


def started(api: HomeAssistantApi) -> bool:
    return (command_topic(FORCE_ON), "30 min") in api.heard()


def start_on_surplus(automation: Any, farm: AnnouncedFarm, **more: Any) -> None:
    automation(ON_SURPLUS, miner=farm.device("s19-20"), power=GRID, surplus=4000, minutes=SOON_MINUTES, **more)


def test_enough_surplus_forces_the_miner_on_for_a_while(farm: AnnouncedFarm, surplus: Any, automation: Any) -> None:
    start_on_surplus(automation, farm)
    surplus("-5.0")
    assert eventually(lambda: started(farm.api), 5)


@pytest.mark.parametrize("reading", ["-3.9", "5.0", "None"])
def test_too_little_or_bought_or_unknown_power_starts_nothing(
    farm: AnnouncedFarm, surplus: Any, automation: Any, reading: str
) -> None:
    start_on_surplus(automation, farm)
    surplus(reading)
    waits(1)
    assert not started(farm.api)
    surplus("-5.0")
    assert eventually(lambda: started(farm.api), 5), "it would have, with more"


def test_a_sensor_that_shows_export_as_positive(farm: AnnouncedFarm, surplus: Any, automation: Any) -> None:
    start_on_surplus(automation, farm, export_is="positive")
    surplus("-5.0")
    waits(1)
    assert not started(farm.api)
    surplus("5.0")
    assert eventually(lambda: started(farm.api), 5)


SPOILED = [
    (FIRST.entity("switch", "automatic"), ["off", "None"]),
    (FORCE_ON, ["1 h", "None"]),
    (FIRST.entity("sensor", "state"), ["hashing", "None"]),
    (FARM.entity("binary_sensor", "emergency_stop_active"), ["on", "None"]),
    (FARM.entity("sensor", "state_of_charge"), ["79.9", "None"]),
]


@pytest.mark.parametrize(("entity", "spoiled"), [(entity, state) for entity, states in SPOILED for state in states])
def test_whatever_does_not_hold_or_is_unknown_keeps_the_miner_off(
    farm: AnnouncedFarm, surplus: Any, automation: Any, entity: str, spoiled: str
) -> None:
    start_on_surplus(automation, farm)
    farm.say(entity, spoiled)
    surplus("-5.0")
    waits(1)
    assert not started(farm.api)
    surplus("0")
    farm.say(entity, SOUND[entity])
    surplus("-5.0")
    assert eventually(lambda: started(farm.api), 5), "with that in order it would have"
