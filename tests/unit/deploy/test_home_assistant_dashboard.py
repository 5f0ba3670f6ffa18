"""The dashboard that is made of a farm file."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from deploy.home_assistant_kit.__main__ import main
from deploy.home_assistant_kit.names import FARM, FORCE_ON_OPTIONS, group, miner, plug, worker
from deploy.home_assistant_kit.views import SHOWN_SINGLY, dashboard
from shared.settings import FarmSettings
from tests.named_entities import entities_in, markdown_in

ROOT = Path(__file__).parents[3]
KIT = ROOT / "deploy" / "home-assistant"
BATTERY = {"home_assistant": {"url": "http://127.0.0.1:8123", "state_of_charge": "sensor.soc"}}

BUILT_IN_CARDS = {"heading", "tile", "button", "markdown", "history-graph", "entities", "grid"}
"""Those of Home Assistant 2025.4 that are used; a custom card would begin with `custom:`."""
BUILT_IN_FEATURES = {"toggle", "numeric-input", "select-options"}


def read(text: str, version: tuple[int, int] = (1, 1)) -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


def dashboard_of(miners: dict[str, Any], **more: Any) -> Any:
    return dashboard(FarmSettings.model_validate({"miners": miners, **more}))


def vnish(number: int, **more: Any) -> dict[str, Any]:
    return {"driver": "vnish", "host": f"192.168.{number // 250}.{number % 250 + 1}", **more}


def cards_of(dashboard: Any) -> list[dict[str, Any]]:
    return [card for page in dashboard["views"] for part in page["sections"] for card in part["cards"]]


def paths_of(dashboard: Any) -> list[str]:
    return [page["path"] for page in dashboard["views"]]


def test_the_committed_one_is_that_of_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--farm", str(ROOT / "farm.example.yaml")]) == 0
    committed = (KIT / "dashboard.yaml").read_text(encoding="utf-8")
    fresh = "Fix: python -m deploy.home_assistant_kit --farm farm.example.yaml > deploy/home-assistant/dashboard.yaml"
    assert capsys.readouterr().out == committed, fresh


def test_it_needs_no_secret_and_says_what_is_wrong_with_a_farm_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "farm.yaml"
    assert main(["--farm", str(file)]) == 2
    assert "Fix: " in capsys.readouterr().err
    file.write_text("miners: {a: {driver: vnsh, host: 192.168.1.2}}\n", encoding="utf-8")
    assert main(["--farm", str(file)]) == 2
    assert "miners.a.driver" in capsys.readouterr().err
    text = "miners: {a: {driver: vnish, host: 192.168.1.2, worker: braiins/me/a}}\n"
    file.write_text(text, encoding="utf-8")
    assert main(["--farm", str(file)]) == 0, "BRAIINS_KEY is not here"


def test_help_teaches_where_to_put_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert "Raw configuration editor" in told
    assert "Example: " in told


def test_home_assistant_and_its_editor_read_the_same() -> None:
    text = (KIT / "dashboard.yaml").read_text(encoding="utf-8")
    assert read(text, (1, 1)) == read(text, (1, 2))
    assert '"off"' in text


def test_problems_come_first_and_count_what_is_unknown() -> None:
    first = dashboard_of({"a": vnish(1)})["views"][0]["sections"][0]
    assert first["cards"][0]["heading"] == "Problems"
    (told,) = markdown_in(first)
    assert "not is_state('binary_sensor.' ~ slug ~ '_problem', 'off')" in told


def test_stop_resume_and_power_cycle_ask_back() -> None:
    rig = {"driver": "plug", "nominal_w": 1100, "plug": {"host": "192.168.1.50"}}
    buttons = [card for card in cards_of(dashboard_of({"rig": rig})) if card["type"] == "button"]
    wanted = {
        *(FARM.entity("button", key) for key in ("emergency_stop", "resume")),
        *(miner("rig").entity("button", key) for key in ("power_cycle", "clear_unstable")),
    }
    assert {card["entity"] for card in buttons} == wanted
    for card in buttons:
        assert card["tap_action"]["confirmation"]["text"]
        assert card["tap_action"]["target"]["entity_id"] == card["entity"]
        assert card["hold_action"] == {"action": "none"}


def test_resume_is_hidden_only_while_certainly_nothing_is_stopped() -> None:
    (resume,) = [card for card in cards_of(dashboard_of({"a": vnish(1)})) if card.get("name") == "Resume"]
    (condition,) = resume["visibility"]
    assert condition["entity"] == "binary_sensor.sunherd_emergency_stop_active"
    assert condition["state_not"] == "off"


def test_only_pages_that_the_farm_needs() -> None:
    assert paths_of(dashboard_of({"a": vnish(1)})) == ["farm", "miners", "history"]
    whole = dashboard_of(
        {"a": vnish(1, worker="ckpool/bc1q/a", plug={"host": "192.168.1.50"})},
        groups={"garage": {"members": ["a"]}},
    )
    assert paths_of(whole) == ["farm", "groups", "miners", "rigs", "pools", "history"]


def test_a_farm_without_battery_has_no_tile_for_one() -> None:
    soc = FARM.entity("sensor", "state_of_charge")
    assert soc not in entities_in(dashboard_of({"a": vnish(1)}))
    assert soc in entities_in(dashboard_of({"a": vnish(1)}, battery=BATTERY))


def test_a_rig_without_interface_is_shown_by_outlet_and_pool() -> None:
    rig = {"driver": "plug", "nominal_w": 1100, "worker": "ckpool/bc1q/r", "plug": {"host": "192.168.1.50"}}
    named = entities_in(dashboard_of({"rig-7": rig}))
    assert {"sensor.rig_7_plug_power", "sensor.rig_7_worker_hashrate", "sensor.rig_7_state"} <= named
    assert not {"sensor.rig_7_hashrate", "sensor.rig_7_chip_temperature", "sensor.rig_7_power"} & named


def test_what_only_a_meter_tells_is_hidden_where_an_outlet_has_none() -> None:
    made = dashboard_of({"a": vnish(1, plug={"host": "192.168.1.50"})})
    metered = [
        card for card in cards_of(made) if card.get("entity") in {"sensor.a_plug_power", "sensor.a_plug_energy_today"}
    ]
    assert len(metered) == 2
    for card in metered:
        assert card["visibility"] == [{"condition": "numeric_state", "entity": card["entity"], "above": -1}]
    (outlet,) = [card for card in cards_of(made) if card.get("entity") == "binary_sensor.a_plug_on"]
    assert "visibility" not in outlet, "whether power is on is always shown"


def test_hundreds_of_miners_fold_into_groups() -> None:
    miners = {
        f"m-{number}": vnish(number, plug={"host": f"10.0.{number // 250}.{number % 250 + 1}"}) for number in range(300)
    }
    groups = {"north": {"members": [f"m-{number}" for number in range(200)]}, "south": {"members": ["m-199", "m-200"]}}
    many = dashboard_of(miners, groups=groups)
    assert paths_of(many) == ["farm", "groups", "group-north", "group-south", "miners", "rigs", "history"]
    states = [card["entity"] for card in cards_of(many) if card.get("entity", "").endswith("_state")]
    assert sorted(states) == sorted(miner(name).entity("sensor", "state") for name in miners), "each once"
    assert len(cards_of(many)) < 2 * len(miners)
    assert max(len(part["cards"]) for page in many["views"] for part in page["sections"]) < 30
    few = {name: miners[name] for name in list(miners)[:SHOWN_SINGLY]}
    assert paths_of(dashboard_of(few)) == ["farm", "miners", "rigs", "history"]


IDS = st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(names=st.lists(IDS, unique_by=lambda name: name.replace("-", "_"), min_size=1, max_size=30), rng=st.randoms())
def test_whatever_the_farm_only_announced_entities_and_built_in_cards_are_used(names: list[str], rng: Any) -> None:
    miners = {}
    for number, name in enumerate(names):
        parts: dict[str, Any] = {"worker": f"ckpool/account{rng.randrange(3)}/{name}"} if rng.random() < 0.5 else {}
        if rng.random() < 0.5:
            parts["plug"] = {"host": f"10.0.0.{number + 1}"}
        rig = "plug" in parts and rng.random() < 0.5
        miners[name] = {"driver": "plug", "nominal_w": 900, **parts} if rig else vnish(number, **parts)
    members = rng.sample(names, rng.randrange(1, len(names) + 1))
    made = dashboard(FarmSettings.model_validate({"miners": miners, "groups": {"the-group": {"members": members}}}))
    announced = {*FARM.entities(), *group("the-group").entities()}
    for name, described in miners.items():
        announced |= set(miner(name).entities())
        announced |= set(plug(name).entities()) if "plug" in described else set()
        announced |= set(worker(name).entities()) if "worker" in described else set()
    assert entities_in(made) <= announced
    for name in names:
        assert miner(name).entity("sensor", "state") in entities_in(made), "no miner is left out"
    assert {card["type"] for card in cards_of(made)} <= BUILT_IN_CARDS
    features = {feature["type"] for card in cards_of(made) for feature in card.get("features", [])}
    assert features <= BUILT_IN_FEATURES
    paths = paths_of(made)
    assert len(paths) == len(set(paths))


def test_a_name_that_is_not_announced_is_refused() -> None:
    with pytest.raises(KeyError):
        miner("a").entity("sensor", "hash_rate")


def test_the_blueprint_offers_the_durations_that_are_announced() -> None:
    text = (KIT / "blueprints" / "automation" / "sunherd" / "start_on_surplus.yaml").read_text(encoding="utf-8")
    offered = re.search(r'options: \[("30 min".*)\]', text)
    assert offered is not None
    assert tuple(re.findall(r'"([^"]+)"', offered[1])) == FORCE_ON_OPTIONS[1:]
