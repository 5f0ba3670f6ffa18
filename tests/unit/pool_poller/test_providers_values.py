"""Numbers, units, times and places as pools write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.pool_poller.places import all_at, at, parse_place
from services.pool_poller.provider import Answer, PoolAnswerError
from services.pool_poller.providers.ocean import Ocean
from services.pool_poller.values import hashrate_of, time_of, unit_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "hashrate_hs"),
    [
        ("1.84T", 1.84e12),
        ("999", 999),
        ("1e+03T", 1e15),
        ("1.5E", 1.5e18),
        ("1.5e3", 1500),
        ("85.4g", 85.4e9),
        ("90.75 TH/s", 90.75e12),
        ("0 H/s", 0),
        ("2 Ph", 2e15),
        (" 12 ", 12),
        (12.5, 12.5),
        (-1, None),
        ("5 apples", None),
        ("5 X", None),
        ("T", None),
        (True, None),
        (None, None),
        (1e25, None),
    ],
)
def test_hashrates(said: Any, hashrate_hs: float | None) -> None:
    found = hashrate_of(said, 1.0)
    assert found == (None if hashrate_hs is None else pytest.approx(hashrate_hs))


def test_a_unit_that_is_none_makes_the_hashrate_unknown() -> None:
    assert [unit_of(unit) for unit in ("Gh/s", "TH/s", "T", "H/s", "", "hash/s")] == [1e9, 1e12, 1e12, 1, 1, 1]
    assert unit_of("Sol/s") is None
    assert unit_of(None) is None
    assert hashrate_of(5, unit_of("Sol/s")) is None


@pytest.mark.parametrize(
    "said",
    [
        1795176000,
        "1795176000",
        1795176000000,
        "1795176000000",
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00.000+00:00",
        "2026-11-20T14:00:00+02:00",
        1795176000.0,
    ],
)
def test_one_time_written_in_many_ways(said: Any) -> None:
    assert time_of(said) == NOW


@pytest.mark.parametrize(
    "said", [0, "0", -5, 86400, "2026-11-20T12:00:00", "1970-01-01T00:00:00Z", "never", 1e30, True]
)
def test_what_is_no_time(said: Any) -> None:
    assert time_of(said) is None


def test_places() -> None:
    value = {"a": [{"b": 1}, {"b": 2}, 3], "7": {"c": None}}
    assert all_at(value, "a[*].b") == [1, 2]
    assert at(value, "a[1].b") == at(value, "a.[1].b") == 2
    assert at(value, "[7].c") is None
    assert all_at(value, "[7].c") == [None]
    assert all_at(value, "") == [value]
    assert all_at(value, "a[9].b") == all_at(value, "x.y") == all_at(value, "a.b") == []


@pytest.mark.parametrize("place", [".a", "a..b", "a[", "a[x]", "a[-1]", "a."])
def test_places_that_are_none(place: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        parse_place(place)


@pytest.mark.parametrize(
    ("windows", "age_seconds"),
    [
        ({"hashrate_60s": "5", "hashrate_300s": "5"}, 0),
        ({"hashrate_60s": "0", "hashrate_300s": "5"}, 60),
        ({"hashrate_60s": "0", "hashrate_300s": "0", "hashrate_600s": "0", "hashrate_1800s": "7"}, 600),
        ({"hashrate_1800s": "0", "hashrate_600s": "0", "hashrate_3600s": "7"}, 1800),
        ({"hashrate_60s": "0", "hashrate_86400s": "0"}, 86400),
        ({"hashrate_60s": "?", "hashrate_300s": "5"}, None),
        ({"hashrate_60s": "0", "hashrate_300s": None, "hashrate_600s": "5"}, None),
        ({}, None),
        ({"hashrate_day": "5"}, None),
    ],
)
def test_ocean_is_never_older_than_its_windows_prove(windows: dict[str, Any], age_seconds: float | None) -> None:
    (worker,) = _ocean({"rig7": [windows]})
    assert worker.last_seen_at == (None if age_seconds is None else NOW - timedelta(seconds=age_seconds))


def test_ocean_must_say_of_when_its_figures_are() -> None:
    with pytest.raises(PoolAnswerError, match="of when it is"):
        Ocean().parse([Answer(200, '{"result": {"workers": {"rig7": [{"hashrate_60s": "5"}]}}}')], NOW)


def _ocean(workers: dict[str, Any]) -> Any:
    body = str({"result": {"snap_ts": "1795176000", "workers": workers}}).replace("'", '"').replace("None", "null")
    return Ocean().parse([Answer(200, body)], NOW).workers
