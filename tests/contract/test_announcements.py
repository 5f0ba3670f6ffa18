"""What Home Assistant is told changes only on purpose, has the names that were agreed, and shows what there is."""

import re
from typing import Any

import pytest

from deploy.home_assistant_kit.names import FARM, FORCE_ON_OPTIONS, SERVICE_KEYS, Shown, group, miner, plug, worker
from services.ha_discovery import happenings
from services.policy_engine.telling import _CARE_NOTABLE, _NOTABLE
from tests.contract.announcements import DIRECTORY, as_text, named_announcements, payloads
from tests.shown_farm import ShownFarm

HINT = "If the change is meant: python -m tests.contract.announcements, and read the difference."

AGREED = {
    "sunherd_home_axe-1": "switch automatic; sensor hashrate power energy efficiency chip_temperature"
    " regulator_temperature shares uptime last_seen state health why; number stop_soc resume_soc max_w;"
    " select profile force_on; button force_on_for_1_h restart identify clear_unstable; event happened;"
    " binary_sensor problem",
    "sunherd_home_s19-20": "button power_cycle; sensor worker worker_hashrate worker_last_seen",
    "sunherd_home_s19-20_plug": "binary_sensor plug_on; sensor plug_power plug_energy_today plug_voltage plug_current",
    "sunherd_home_garage": "switch automatic; number max_w; sensor power hashrate miners_hashing",
    "sunherd_home_vnish_agent-pi": "binary_sensor running; sensor version tends",
    "sunherd_home": "sensor hashrate power miners_covered miners_hashing state_of_charge mode;"
    " binary_sensor emergency_stop_active problem; button emergency_stop resume",
}
"""By device: each platform with its keys."""
_OWNERS = {
    "sunherd_home_axe-1": ("sunherd_home_axe-1", "axe_1"),
    "sunherd_home_s19-20": ("sunherd_home_s19-20", "s19_20"),
    "sunherd_home_s19-20_plug": ("sunherd_home_s19-20", "s19_20"),
    "sunherd_home_garage": ("sunherd_home_garage", "garage"),
    "sunherd_home_vnish_agent-pi": ("sunherd_home_vnish_agent-pi", "vnish_agent_pi"),
    "sunherd_home": ("sunherd_home", "sunherd"),
}
"""By device: how its unique ids and its entity ids begin."""


def slug(text: str) -> str:
    """As Home Assistant makes ids of names."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def all_components() -> list[tuple[str, dict[str, Any]]]:
    return [(device, each) for device, payload in payloads().items() for each in payload["components"].values()]


@pytest.mark.parametrize("name", sorted(payloads()))
def test_an_announcement_is_what_its_snapshot_says(name: str) -> None:
    snapshot = DIRECTORY / name
    assert snapshot.exists(), f"{name} has no snapshot. {HINT}"
    assert snapshot.read_text(encoding="utf-8") == as_text(payloads()[name]), HINT


def test_no_snapshot_is_left_over() -> None:
    assert {file.name for file in DIRECTORY.glob("*.json")} == set(payloads()), HINT


@pytest.mark.parametrize("device", sorted(AGREED))
def test_every_agreed_entity_is_there_under_its_agreed_ids(device: str) -> None:
    components = payloads()[f"{device}.json"]["components"]
    unique, entity = _OWNERS[device]
    for part in AGREED[device].split(";"):
        platform, *keys = part.split()
        for key in keys:
            found = components[f"{platform}_{key}"]
            assert found["unique_id"] == f"{unique}_{key}"
            assert found["default_entity_id"] == f"{platform}.{entity}_{key}"


def test_names_alone_give_the_same_entity_ids_to_a_home_assistant_that_is_older() -> None:
    for payload in payloads().values():
        for each in payload["components"].values():
            own = f"{each['platform']}.{slug(payload['device']['name'] + ' ' + each['name'])}"
            assert own == each["default_entity_id"]


def test_the_dashboard_knows_the_same_entities_and_choices_as_are_announced() -> None:
    known = {
        *(entity for name in ("axe-1", "s19-20", "rig-7") for entity in miner(name).entities()),
        *(entity for name in ("s19-20", "rig-7") for entity in plug(name).entities()),
        *worker("s19-20").entities(),
        *group("garage").entities(),
        *Shown("vnish_agent-pi", SERVICE_KEYS).entities(),
        *FARM.entities(),
    }
    announced = {each["default_entity_id"] for _, each in all_components()}
    assert announced - known == set()
    every_kind = {entity.replace("s19_20", "any").replace("rig_7", "any").replace("axe_1", "any") for entity in known}
    told = {entity.replace("s19_20", "any").replace("rig_7", "any").replace("axe_1", "any") for entity in announced}
    assert every_kind == told
    (options,) = {tuple(each["options"]) for _, each in all_components() if each["name"] == "Force on"}
    assert options == FORCE_ON_OPTIONS


def test_no_two_entities_of_a_platform_have_the_same_id() -> None:
    ids = [(each["platform"], each["unique_id"]) for _, each in all_components()]
    assert len(ids) == len(set(ids))


def test_every_entity_reads_a_value_that_its_mirror_has() -> None:
    farm = ShownFarm()
    farm.beat("vnish_agent-pi")
    farm.reading("axe-1")
    farm.pass_seconds(6)
    for name, announcement in named_announcements():
        shown = farm.values(name.mirror)
        for component in announcement.components:
            if component.platform not in {"button", "event"}:
                assert component.key in shown, f"{name.device}: {component.key}"
            assert set(component.attributes) <= shown.keys()


def test_nothing_is_shown_before_it_is_so() -> None:
    for device, each in all_components():
        if each["platform"] in {"switch", "number", "select"}:
            assert each["optimistic"] is False, f"{device}: {each['unique_id']}"


def test_orders_stay_only_where_an_order_holds_until_it_is_taken_back() -> None:
    kept = {each["command_topic"].split("/")[-1] for _, each in all_components() if each.get("retain")}
    passing = {each["command_topic"].split("/")[-1] for _, each in all_components() if each.get("retain") is False}
    assert (kept, passing) == ({"override", "emergency_stop"}, {"request"})


def test_an_automation_can_wait_for_whatever_the_engine_reports() -> None:
    assert {*_NOTABLE, *_CARE_NOTABLE} - {"grid_unknown_pause", "schedule_point_missing"} <= {*happenings.CODES}
