"""Shares, their difficulty, and uptime, as the firmware writes them."""

from typing import Any

import pytest

from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS
from services.vnish_agent.facts import uptime_seconds
from services.vnish_agent.pools import difficulty, share_difficulty, shares_accepted
from shared.clock import VirtualClock
from tests.farm import vnish_driver


def summary(*pools: Any) -> dict[str, Any]:
    return {"miner": {"pools": list(pools)}}


def pool(**said: Any) -> dict[str, Any]:
    return {"pool_type": "UserPool", "status": "active", "diff": "131K", "accepted": 40} | said


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("131K", 131_000.0),
        ("16.4K", 16_400.0),
        ("2.1M", 2_100_000.0),
        ("1G", 1e9),
        ("512", 512.0),
        ("512 k", 512_000.0),
        (8192, 8192.0),
        ("", None),
        ("0", None),
        (-1, None),
        (None, None),
        (True, None),
        ("K", None),
        ("1e9", None),
        ("12X", None),
        ("9" * 400, None),
    ],
)
def test_a_difficulty(said: Any, found: float | None) -> None:
    assert difficulty(said) == found


def test_the_difficulty_is_that_of_the_owners_pool_in_use() -> None:
    standby, developers = pool(status="working", diff="1K"), pool(pool_type="DevFee", diff="2K")
    assert share_difficulty(summary(standby, developers, pool())) == 131_000
    assert share_difficulty(summary(standby, developers)) is None
    assert share_difficulty(summary(pool(diff=""))) is None


def test_shares_of_all_pools_are_counted() -> None:
    assert shares_accepted(summary(pool(), pool(pool_type="DevFee", accepted=2), pool(accepted="x"))) == 42
    assert shares_accepted(summary(pool(accepted=0))) == 0, "none is not unknown"


@pytest.mark.parametrize(
    "said", [None, [], {}, {"miner": None}, {"miner": {"pools": None}}, summary(), summary(None, 7), summary({})]
)
def test_what_is_not_told_is_unknown(said: Any) -> None:
    assert (shares_accepted(said), share_difficulty(said)) == (None, None)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0:06", 360.0),
        (" 1:00", 3600.0),
        ("23:59", 86_340.0),
        ("1 day, 0:01", 86_460.0),
        ("9 days,  3:58", 791_880.0),
        ("", None),
        ("soon", None),
        (77, None),
    ],
)
def test_an_uptime(said: Any, seconds: float | None) -> None:
    assert uptime_seconds({"system": {"uptime": said}}) == seconds


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_telemetry_tells_shares_and_difficulty(generation: str, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(generation, clock=clock)
    driver = vnish_driver(stand_in, clock)
    before = driver.read()
    clock.advance(600)
    after = driver.read()
    assert before.shares_accepted == 0
    assert (after.shares_accepted or 0) > 10
    assert after.share_difficulty == 262_000
    assert (after.uptime_seconds is not None) == (generation == "1.2.0-beta10")
    stand_in.restart()
    clock.advance(1)
    assert driver.read().shares_accepted == 0
    stand_in.faults.miner_null = True
    unknown = driver.read()
    assert (unknown.shares_accepted, unknown.share_difficulty) == (None, None)
