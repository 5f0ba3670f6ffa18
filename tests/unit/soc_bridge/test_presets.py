"""Known MQTT sources, and places in JSON."""

import pytest

from services.soc_bridge.json_path import PAYLOAD_BYTES_MAX, parse_path, read_payload
from services.soc_bridge.presets import plan
from services.soc_bridge.site_state import Quantity
from services.soc_bridge.values import Unknown
from shared.messages import UnknownReason
from shared.settings import MqttSourceSettings


def topics(**settings: object) -> dict[str, str]:
    places = plan(MqttSourceSettings.model_validate(settings)).places
    return {quantity.value: place.topic for quantity, place in places.items()}


def test_victron_waits_for_its_portal_unless_it_is_given() -> None:
    assert plan(MqttSourceSettings(preset="victron")).needs_portal
    known = plan(MqttSourceSettings(preset="victron", portal_id="c0ffee"))
    assert not known.needs_portal
    assert known.places[Quantity.STATE_OF_CHARGE].topic == "N/c0ffee/system/0/Dc/Battery/Soc"
    assert known.alive == "N/c0ffee/system/0/#"


def test_the_base_can_be_moved() -> None:
    moved = topics(preset="solar_assistant", base="site/solar_assistant")
    assert moved["state_of_charge"] == "site/solar_assistant/total/battery_state_of_charge/state"


def test_own_values_stand_above_the_preset() -> None:
    settings = MqttSourceSettings.model_validate(
        {"preset": "evcc", "load_power": {"topic": "meter", "path": "p", "scale": 1000}, "grid_available": "ats/grid"}
    )
    places = plan(settings).places
    assert places[Quantity.STATE_OF_CHARGE].topic == "evcc/site/battery/soc"
    assert places[Quantity.BATTERY_POWER].scale == -1
    assert (places[Quantity.LOAD_POWER].topic, places[Quantity.LOAD_POWER].scale) == ("meter", 1000)
    assert places[Quantity.GRID_AVAILABLE].topic == "ats/grid"


def test_statestream_turns_entity_ids_into_topics_and_leaves_topics_alone() -> None:
    assert topics(preset="statestream", state_of_charge="sensor.soc") == {
        "state_of_charge": "homeassistant/sensor/soc/state"
    }
    assert topics(preset="statestream", state_of_charge="ha/sensor/soc/state") == {
        "state_of_charge": "ha/sensor/soc/state"
    }


def test_the_sign_of_life_can_be_named() -> None:
    assert plan(MqttSourceSettings(preset="evcc")).alive == "evcc/updated"
    assert plan(MqttSourceSettings(state_of_charge="soc")).alive is None
    assert plan(MqttSourceSettings(state_of_charge="soc", alive="bms/#")).alive == "bms/#"


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        ("soc", ("soc",)),
        ("battery.soc", ("battery", "soc")),
        ("packs[1].soc", ("packs", 1, "soc")),
        ("[0][2]", (0, 2)),
        ("a b.c-d", ("a b", "c-d")),
    ],
)
def test_paths(path: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(path) == steps


@pytest.mark.parametrize("path", [".soc", "a..b", "a[", "a[x]", "a[-1]", "a.", "]"])
def test_paths_that_are_none(path: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        parse_path(path)


@pytest.mark.parametrize(
    ("payload", "path", "value"),
    [
        (b"72.9", "", "72.9"),
        (b'{"battery": {"soc": 72.9}}', "battery.soc", 72.9),
        (b'{"packs": [{"soc": 1}, {"soc": 2}]}', "packs[1].soc", 2),
        (b'{"1": {"soc": 5}}', "[1].soc", 5),
    ],
)
def test_payloads(payload: bytes, path: str, value: object) -> None:
    assert read_payload(payload, parse_path(path)) == value


@pytest.mark.parametrize(
    ("payload", "path", "reason"),
    [
        (b"", "", UnknownReason.UNAVAILABLE),
        (b"{", "soc", UnknownReason.NOT_A_NUMBER),
        (b"[" * 60_000, "soc", UnknownReason.NOT_A_NUMBER),
        (b"9" * 10_000, "soc", UnknownReason.NOT_A_NUMBER),
        (b"\xff", "", UnknownReason.NOT_A_NUMBER),
        (b" " * (PAYLOAD_BYTES_MAX + 1), "", UnknownReason.NOT_A_NUMBER),
        (b'{"a": 1}', "soc", UnknownReason.UNKNOWN),
        (b"[1]", "[1]", UnknownReason.UNKNOWN),
        (b'"soc"', "soc", UnknownReason.UNKNOWN),
    ],
)
def test_payloads_without_a_value_say_why(payload: bytes, path: str, reason: UnknownReason) -> None:
    value = read_payload(payload, parse_path(path))
    assert isinstance(value, Unknown)
    assert value.reason is reason
    assert len(value.detail) < 200
