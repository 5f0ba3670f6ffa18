"""From texts to values."""

import pytest

from services.soc_bridge.values import Unknown, parse_on_off, parse_percent, parse_power
from shared.messages import UnknownReason as Why


@pytest.mark.parametrize(
    ("said", "percent"), [("72.9", 72.9), (" 73 ", 73), (73, 73), (".5", 0.5), ("7.3e1", 73), ("-0", 0), ("+5", 5)]
)
def test_percentages(said: object, percent: float) -> None:
    assert parse_percent(said) == percent


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("unavailable", Why.UNAVAILABLE),
        ("Unavailable ", Why.UNAVAILABLE),
        ("unknown", Why.UNKNOWN),
        ("", Why.UNKNOWN),
        ("None", Why.UNKNOWN),
        (None, Why.UNKNOWN),
        ("full", Why.NOT_A_NUMBER),
        ("72,9", Why.NOT_A_NUMBER),
        ("7_3", Why.NOT_A_NUMBER),
        ("٧٣", Why.NOT_A_NUMBER),
        ("73 %", Why.NOT_A_NUMBER),
        ("nan", Why.NOT_A_NUMBER),
        (True, Why.NOT_A_NUMBER),
        ([73], Why.NOT_A_NUMBER),
        ("9" * 500, Why.NOT_A_NUMBER),
        (10**400, Why.OUT_OF_RANGE),
        ("-3", Why.OUT_OF_RANGE),
        ("100.01", Why.OUT_OF_RANGE),
        (float("inf"), Why.OUT_OF_RANGE),
    ],
)
def test_what_is_no_percentage_says_why(said: object, reason: Why) -> None:
    value = parse_percent(said)
    assert isinstance(value, Unknown)
    assert value.reason is reason
    assert value.of("sensor.x").detail.startswith("sensor.x ")


@pytest.mark.parametrize(
    ("said", "unit", "watts"), [("1500", "W", 1500), ("-1.5", "kW", -1500), ("0.002", "MW", 2000), ("2000", "mW", 2)]
)
def test_powers(said: str, unit: str, watts: float) -> None:
    assert parse_power(said, unit) == watts


@pytest.mark.parametrize(("said", "unit"), [("1500", None), ("1500", "kWh"), ("1500", ""), ("unavailable", "W")])
def test_powers_that_nobody_can_tell(said: str, unit: str | None) -> None:
    assert isinstance(parse_power(said, unit), Unknown)


@pytest.mark.parametrize("said", ["on", "On", "true", "1", "home", True, 1])
def test_there(said: object) -> None:
    assert parse_on_off(said) is True


@pytest.mark.parametrize("said", ["off", "FALSE", "0", "not_home", False, 0])
def test_not_there(said: object) -> None:
    assert parse_on_off(said) is False


@pytest.mark.parametrize("said", ["unavailable", "unknown", "", None, "maybe", "2", 2, 0.5, [], {}])
def test_neither_is_unknown_and_not_off(said: object) -> None:
    assert isinstance(parse_on_off(said), Unknown)
