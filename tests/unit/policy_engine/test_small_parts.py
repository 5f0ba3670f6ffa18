"""Words, epochs, priorities."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.policy_engine.reign import Reign, Word
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from services.policy_engine.state import empty_farm, fold
from services.policy_engine.wording import percent, plain, span, time_of_day
from shared.messages import Barrier, EmergencyStop
from shared.topics import GROUP_OVERRIDE, MINER_TELEMETRY, SERVICE_BARRIER
from tests.engine_core import START, reading

NOON = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (272, "4 min 32 s"),
        (7500, "2 h 5 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_spans_are_said_by_their_two_largest_units(seconds: float, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text


def test_a_value_never_looks_equal_to_what_it_is_not() -> None:
    assert percent(72.96, 73) == "72.96 %"
    assert percent(73, 73) == "73.0 %"
    assert percent(72.94, 73) == "72.9 %"


def test_times_are_the_owners() -> None:
    lisbon = timezone(timedelta(hours=1))
    assert time_of_day(NOON, NOON, lisbon) == "13:00"
    assert time_of_day(NOON + timedelta(days=3), NOON, lisbon) == "2026-06-24 13:00"


def test_a_text_from_outside_is_one_short_line() -> None:
    assert plain("a\n[s19-20] SoC\x1b[31m  b") == "a [s19-20] SoC [31m b"
    assert len(plain("x" * 500)) == 80


def test_an_epoch_is_above_all_seen_and_at_least_the_time() -> None:
    reign = Reign("me").hear("old", 5, NOON)
    assert reign.begin(NOON).epoch == int(NOON.timestamp() * 1000)
    far_ahead = int(NOON.timestamp() * 1000) + 10**9
    assert Reign("me").hear("old", far_ahead, NOON).begin(NOON).epoch == far_ahead + 1


def test_two_engines_of_one_epoch_agree_on_who_is_in_charge() -> None:
    assert not Reign("a").begin(NOON).may_begin(NOON + timedelta(days=1), timedelta())
    first, second = Reign("a").begin(NOON), Reign("b").begin(NOON)
    assert (first.epoch, second.epoch) == (second.epoch, first.epoch)
    assert first.epoch is not None
    assert first.judge("b", first.epoch) is Word.HIGHER
    assert second.judge("a", first.epoch) is Word.LOWER


def test_priority_is_the_order_of_the_groups_then_of_the_file() -> None:
    rules = Rules(
        miners={name: MinerRules() for name in "abcd"},
        groups={"g": GroupRules(("c", "a"), 1), "h": GroupRules(("a", "d"), 1), "loose": GroupRules(("b", "c"))},
    )
    assert rules.order == ("c", "a", "d", "b")
    assert rules.together_with(frozenset("d")) == ("c", "a", "d")
    assert rules.together_with(frozenset("b")) == ("b",)


def test_what_is_not_configured_changes_nothing() -> None:
    farm = empty_farm(["s19"], ["shed"], START)
    for topic, identifier, message in (
        (MINER_TELEMETRY, "stranger", reading(START, None)),
        (GROUP_OVERRIDE, "stranger", None),
        (SERVICE_BARRIER, "s19", Barrier(at=START, nonce="")),
        (MINER_TELEMETRY, "s19", EmergencyStop(at=START, active=True)),
        (MINER_TELEMETRY, "s19", None),
    ):
        assert fold(farm, topic, identifier, message, START, retained=False) is farm
