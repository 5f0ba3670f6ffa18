"""Whatever a source says, the bridge does not fall over, and what it calls known is a percentage."""

import json
import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.soc_bridge.json_path import parse_path, read_payload
from services.soc_bridge.site_state import Quantity, Said, Silent, SiteState, StandsBy, Word, fold, recall, tell
from services.soc_bridge.sources.entities import Entity, apply_event, full_state
from services.soc_bridge.values import Unknown, parse_on_off, parse_percent, parse_power
from shared.messages import SiteTelemetry, UnknownReason

START = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)
LIMIT = timedelta(minutes=5)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
number_texts = st.floats().map(str) | st.integers().map(str) | st.text(alphabet="0123456789.,+-eE_ ", max_size=12)
things_said = json_values | number_texts


@given(things_said)
def test_a_percentage_is_within_0_to_100_or_unknown(said: object) -> None:
    value = parse_percent(said)
    if isinstance(value, Unknown):
        assert value.detail
        assert len(value.detail) < 200
    else:
        assert 0 <= value <= 100


@given(st.floats(allow_nan=False).filter(lambda number: not 0 <= number <= 100))
def test_a_number_outside_is_never_clipped(number: float) -> None:
    for said in (number, repr(number)):
        value = parse_percent(said)
        assert isinstance(value, Unknown)
        assert value.reason is UnknownReason.OUT_OF_RANGE or "inf" in repr(number)


@given(st.floats(0, 100))
def test_a_number_inside_is_itself(number: float) -> None:
    assert parse_percent(repr(number)) == number
    assert parse_percent(number) == number


@given(things_said, st.sampled_from(["W", "kW", "MW", "mW"]) | json_values)
def test_a_power_is_finite_or_unknown(said: object, unit: object) -> None:
    value = parse_power(said, unit)
    assert isinstance(value, Unknown) or math.isfinite(value)


@given(things_said)
def test_a_switch_is_on_off_or_unknown(said: object) -> None:
    assert isinstance(parse_on_off(said), bool | Unknown)


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()), st.text(max_size=20))
def test_no_payload_and_no_path_is_too_much(payload: bytes, path: str) -> None:
    try:
        steps = parse_path(path)
    except ValueError:
        steps = ("value", 0)
    parse_percent(read_payload(payload, steps))


@given(json_values)
def test_any_answer_of_home_assistant_is_a_state_or_none(answer: object) -> None:
    assert isinstance(full_state(answer), Entity | None)
    assert isinstance(full_state({"state": answer, "attributes": answer}), Entity | None)


@given(st.dictionaries(st.sampled_from("acr"), json_values) | json_values)
def test_any_event_is_understood_or_refused(event: object) -> None:
    try:
        changed = apply_event({"sensor.soc": Entity("80", "%")}, event)
    except ValueError:
        return
    assert all(isinstance(entity, Entity) for entity in changed.values())


values = st.floats(0, 100) | st.builds(Unknown, st.sampled_from(UnknownReason), st.just("says so"))
words = st.one_of(
    st.builds(Said, st.sampled_from([Quantity.STATE_OF_CHARGE, Quantity.PV_POWER]), values, st.booleans()),
    st.just(StandsBy()),
    st.builds(Silent, st.builds(Unknown, st.just(UnknownReason.UNREACHABLE), st.just("does not answer."))),
)


@given(st.lists(st.tuples(st.floats(0, 1000), words), max_size=12), st.booleans())
def test_what_is_told_is_known_or_says_why_and_is_never_younger_than_it_is(
    history: list[tuple[float, Word]], restarts: bool
) -> None:
    state, now = SiteState("test"), START
    told = tell(state, now, LIMIT)
    for seconds, word in history:
        if restarts:
            state = recall(SiteState("test"), told, now)
        before, now = state, now + timedelta(seconds=seconds)
        state = fold(state, word, now)
        told = tell(state, now, LIMIT)
        assert (told.state_of_charge_percent is None) == (told.unknown is not None)
        SiteTelemetry.model_validate_json(told.model_dump_json())
        soc, confirmed_at = state.of(Quantity.STATE_OF_CHARGE), before.of(Quantity.STATE_OF_CHARGE).confirmed_at
        if soc.confirmed_at != confirmed_at:
            assert soc.confirmed_at == now
            assert soc.unknown is None
        if told.state_of_charge_percent is not None and told.confirmed_at is not None:
            assert now - told.confirmed_at <= LIMIT
