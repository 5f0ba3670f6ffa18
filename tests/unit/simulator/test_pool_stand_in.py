"""The stand-in for pools: what it shows, and how it misbehaves."""

import json
from datetime import timedelta
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.simulator.http import Request
from services.simulator.pool import PoolFaults, PoolManners, PoolStandIn
from services.simulator.pool_shares import ShareLoop
from shared.clock import VirtualClock


def asked(pool: PoolStandIn, path: str = "/api/user/farm", **query: str) -> Any:
    return json.loads(pool.handle(Request("GET", path, query)).body)


@pytest.fixture
def pool(clock: VirtualClock) -> PoolStandIn:
    pool = PoolStandIn(clock)
    pool.share("rig7")
    return pool


def shown(pool: PoolStandIn) -> dict[str, int]:
    return {row["name"]: int(row["lastSubmission"]) for row in asked(pool)["workerData"]}


def test_a_worker_is_shown_with_its_last_share(pool: PoolStandIn, clock: VirtualClock) -> None:
    began = clock.now()
    clock.advance(100)
    assert shown(pool) == {"rig7": began.timestamp()}
    pool.share("rig7")
    assert shown(pool) == {"rig7": clock.now().timestamp()}


def test_late_and_bucketed_times(pool: PoolStandIn, clock: VirtualClock) -> None:
    clock.advance(400)
    pool.share("rig7")
    pool.faults = PoolFaults(late_seconds=90)
    assert shown(pool)["rig7"] == (clock.now() - timedelta(seconds=90)).timestamp()
    pool.faults, pool.manners = PoolFaults(), PoolManners(bucket_seconds=600)
    assert shown(pool)["rig7"] == clock.now().timestamp() - 400
    assert shown(pool)["rig7"] % 600 == 0


def test_who_is_silent_may_be_left_out(pool: PoolStandIn, clock: VirtualClock) -> None:
    pool.manners = PoolManners(leaves_out_after_seconds=1800)
    clock.advance(1800)
    assert shown(pool) != {}
    clock.advance(1)
    assert shown(pool) == {}


def test_its_clock_may_be_wrong_and_its_times_with_it(pool: PoolStandIn, clock: VirtualClock) -> None:
    pool.manners = PoolManners(ahead=timedelta(hours=2))
    answer = pool.handle(Request("GET", "/api/user/farm"))
    assert parsedate_to_datetime(answer.headers["Date"]) == clock.now() + timedelta(hours=2)
    assert shown(pool)["rig7"] == (clock.now() + timedelta(hours=2)).timestamp()


def test_it_refuses_who_asks_too_often_or_without_the_key(pool: PoolStandIn, clock: VirtualClock) -> None:
    pool.manners, pool.key = PoolManners(bans_within_seconds=5), "key"
    request = Request("GET", "/accounts/workers/json/btc/", headers={"pool-auth-token": "key"})
    assert [pool.handle(request).status for _ in range(2)] == [200, 429]
    clock.advance(5)
    assert pool.handle(Request("GET", "/accounts/workers/json/btc/")).status == 401


def test_a_page_is_a_hundred_workers(pool: PoolStandIn) -> None:
    for number in range(150):
        pool.share(f"rig{number:03}")
    path = "/res/openapi/v1/hashrate/worker"
    pages = [asked(pool, path, page=number)["data"] for number in ("1", "2")]
    assert [(len(page["data"]), page["has_next"]) for page in pages] == [(100, True), (51, False)]


def test_an_answer_may_be_huge_or_without_end(pool: PoolStandIn) -> None:
    pool.faults = PoolFaults(huge=True)
    huge = pool.handle(Request("GET", "/")).pieces
    assert huge is not None
    assert 200_000_000 <= sum(len(piece) for piece in huge()) <= 201_000_000
    pool.faults = PoolFaults(endless=True)
    endless = pool.handle(Request("GET", "/")).pieces
    assert endless is not None
    assert sum(len(piece) for piece, _ in zip(endless(), range(5000), strict=False)) > 300_000_000


def test_simulated_machines_send_shares_while_they_hash(clock: VirtualClock) -> None:
    pool = PoolStandIn(clock)
    works, rests = SimpleNamespace(hashing=True, power_w=15), SimpleNamespace(hashing=False, power_w=3)
    loop = ShareLoop(pool, {"works": works, "rests": rests})
    loop.step()
    assert set(shown(pool)) == {"works"}
    works.hashing = False
    clock.advance(60)
    loop.step()
    assert shown(pool)["works"] == clock.now().timestamp() - 60
