"""Seed S2: the pool's time was compared with local time: at spring-forward every rig looked stale and was cycled.

Times are aware and in UTC: the night in which the clocks change, in either direction, is a night like any other.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from services.simulator.pool import PoolStandIn
from shared.clock import VirtualClock
from tests.pool_farm import ACCOUNT, PoolRig


@pytest.fixture
def in_lisbon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_lisbon")
@pytest.mark.parametrize("provider", ["ckpool", "public_pool", "f2pool_v1", "luxor"])
@pytest.mark.parametrize("night", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_the_night_in_which_the_clocks_change(provider: str, night: datetime) -> None:
    clock = VirtualClock(night)
    assert time.localtime(night.timestamp()).tm_gmtoff != time.localtime(night.timestamp() + 7200).tm_gmtoff
    pool = PoolStandIn(clock, ACCOUNT)
    pool.share("rig7")
    farm = {
        "mine": {"provider": provider, "url": "http://mine.test", "coin": "BTC" if provider == "luxor" else "bitcoin"}
    }
    worker = {"m7": f"mine/{ACCOUNT}/rig7"}
    rig = PoolRig({"mine": pool}, worker, clock, farm=farm, secrets={"MINE_KEY": "key"})
    rig.run(3 * 3600, lambda: pool.share("rig7"), tick_seconds=10)
    assert rig.verdicts("m7") == ["online"]
    ages = [(reading.at - (reading.last_seen_at or night)).total_seconds() for reading in rig.readings["m7"]]
    assert max(ages) <= 60
