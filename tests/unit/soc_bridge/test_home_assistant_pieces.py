"""The pieces of the Home Assistant source that need no socket."""

import random

import pytest

from services.soc_bridge.site_state import Quantity, Said
from services.soc_bridge.sources.entities import MISSING, Entity, apply_event, full_state, wanted
from services.soc_bridge.sources.push import websocket_url
from services.soc_bridge.sources.token import TokenGate
from services.soc_bridge.values import Unknown
from shared.backoff import BackOff
from shared.clock import VirtualClock
from shared.messages import UnknownReason
from shared.settings import HomeAssistantSettings

URL = "http://ha.lan:8123"


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://ha.lan:8123", "ws://ha.lan:8123/api/websocket"),
        ("http://ha.lan:8123/", "ws://ha.lan:8123/api/websocket"),
        ("https://ha.example/home/", "wss://ha.example/home/api/websocket"),
    ],
)
def test_the_push_stands_beside_the_base(base: str, url: str) -> None:
    assert websocket_url(base) == url


def test_a_compressed_event_changes_what_it_names_and_no_more() -> None:
    known = apply_event({}, {"a": {"sensor.pv": {"s": "4", "a": {"unit_of_measurement": "kW"}, "lc": 1.5}}})
    assert known == {"sensor.pv": Entity("4", "kW")}
    assert apply_event(known, {"c": {"sensor.pv": {"+": {"s": "5", "lc": 2.5}}}}) == {"sensor.pv": Entity("5", "kW")}
    converted = {"c": {"sensor.pv": {"+": {"s": "5000", "a": {"unit_of_measurement": "W"}}, "-": {"a": ["icon"]}}}}
    assert apply_event(known, converted) == {"sensor.pv": Entity("5000", "W")}
    assert apply_event(known, {"r": ["sensor.pv"]}) == {"sensor.pv": MISSING}


@pytest.mark.parametrize("event", [None, [], "a", {"a": []}, {"c": {"x": 5}}, {"a": {"x": {"s": 5}}}])
def test_an_event_of_another_shape_is_refused(event: object) -> None:
    with pytest.raises(ValueError, match=r"an event|a state"):
        apply_event({}, event)


@pytest.mark.parametrize("answer", [None, [], {}, {"state": None}, {"state": 5}, "80"])
def test_an_answer_that_is_no_state(answer: object) -> None:
    assert full_state(answer) is None


def test_one_entity_may_tell_two_quantities() -> None:
    entities = wanted(
        HomeAssistantSettings(
            url=URL,
            state_of_charge="sensor.soc",
            battery_power="sensor.flow",
            grid_power="sensor.flow",
            grid_power_sign="export_positive",
        )
    )
    assert entities.ids == ["sensor.soc", "sensor.flow"]
    assert entities.words("sensor.flow", Entity("1.5", "kW")) == [
        Said(Quantity.BATTERY_POWER, 1500),
        Said(Quantity.GRID_POWER, -1500),
    ]


def test_an_entity_that_is_missing_is_named() -> None:
    entities = wanted(HomeAssistantSettings(url=URL, state_of_charge="sensor.soc"))
    [word] = entities.words("sensor.soc", MISSING)
    assert isinstance(word.value, Unknown)
    assert word.value.reason is UnknownReason.NO_SUCH_SENSOR
    assert word.value.detail == "sensor.soc does not exist in Home Assistant."


def test_waits_double_up_to_a_limit_and_are_spread() -> None:
    random.seed(7)
    back_off = BackOff(1.0, 30.0)
    waits = [back_off.failed() for _ in range(40)]
    for whole, wait in zip((1, 2, 4, 8, 16, 30, 30), waits, strict=False):
        assert whole / 2 <= wait <= whole
    assert len(set(waits)) == len(waits)
    back_off.succeeded()
    assert back_off.failed() <= 1
    random.seed(7)
    again = BackOff(1.0, 30.0)
    assert [again.failed() for _ in range(40)] == waits, "the seed decides"


def test_a_refused_token_is_tried_rarely_and_an_accepted_one_at_once(clock: VirtualClock) -> None:
    gate = TokenGate("secret", clock)
    assert gate.wait_seconds() == 0
    tries = 0
    for _ in range(3600):
        if gate.wait_seconds() == 0:
            tries += 1
            gate.refused()
        clock.advance(1)
    assert 5 <= tries <= 20, "in an hour"
    gate.accepted()
    assert gate.wait_seconds() == 0
    gate.refused()
    assert gate.wait_seconds() <= 10
