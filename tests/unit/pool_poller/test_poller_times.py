"""When the poller asks: Retry-After, back-off, turns at a host, pages, and the wishes of miners."""

from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from services.pool_poller.providers import SPECS
from services.simulator.pool import PoolFaults, PoolManners, PoolStandIn
from shared.clock import VirtualClock
from shared.messages import PoolVerdict
from tests.pool_farm import Pool, PoolRig, rig_of

ONLINE, OFFLINE, UNKNOWN = PoolVerdict.ONLINE, PoolVerdict.OFFLINE, PoolVerdict.UNKNOWN


def asked_at(pool: PoolStandIn) -> list[float]:
    return [heard.at_seconds for heard in pool.heard]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(clock: VirtualClock, status: int, as_date: bool) -> None:
    pool = Pool(clock)
    pool.manners = PoolManners(ahead=timedelta(hours=-3))
    rig = rig_of(pool, clock)
    rig.run(30, pool.beat)
    pool.faults.status = status
    until = format_datetime(clock.now() + timedelta(hours=-3, seconds=30 + 1200), usegmt=True)
    pool.faults.retry_after = until if as_date else "1200"
    rig.run(1100, pool.beat)
    assert len(pool.heard) == 2
    assert rig.last("m7").verdict is UNKNOWN
    assert clock.now() - rig.last("m7").at <= timedelta(seconds=61)
    pool.faults = PoolFaults()
    rig.run(200, pool.beat)
    assert asked_at(pool)[2] - asked_at(pool)[1] >= 1199
    assert rig.last("m7").verdict is ONLINE


@pytest.mark.parametrize(
    "written", ["999999999", "99999999999999999999", "-5", "soon", "Thu, 01 Jan 2099 00:00:00 GMT"]
)
def test_a_pool_is_never_left_alone_for_more_than_an_hour(clock: VirtualClock, written: str) -> None:
    pool = Pool(clock)
    pool.faults = PoolFaults(status=429, retry_after=written)
    rig = rig_of(pool, clock)
    rig.run(3700, pool.beat, tick_seconds=5)
    assert len(pool.heard) >= 2


def test_failures_are_tried_again_less_and_less_often(clock: VirtualClock) -> None:
    pool = Pool(clock)
    pool.faults.status = 500
    rig = rig_of(pool, clock)
    rig.run(4 * 3600, tick_seconds=5)
    gaps = [later - earlier for earlier, later in pairwise(asked_at(pool))]
    assert min(gaps) >= 60
    assert 450 <= gaps[-1] <= 910


def test_accounts_of_one_host_share_its_spacing(clock: VirtualClock) -> None:
    pool = Pool(clock)
    pool.manners = PoolManners(bans_within_seconds=5)
    workers = {f"m{number}": f"mine/account{number}/rig7" for number in range(4)}
    rig = PoolRig({"mine": pool}, workers, clock, provider="braiins", secrets={"MINE_KEY": "key"})
    rig.run(600, pool.beat)
    assert {rig.last(name).verdict for name in workers} == {ONLINE}
    assert pool.closest_requests_seconds() >= 5
    assert len(pool.heard) >= 36


def test_pages_keep_their_distance_and_all_count(clock: VirtualClock) -> None:
    pool = Pool(clock)
    pool.alive = {f"rig{number}" for number in range(250)}
    rig = rig_of(pool, clock, provider="viabtc", secrets={"MINE_KEY": "key"})
    rig.run(60, pool.beat)
    assert len(pool.heard) == 3
    assert pool.closest_requests_seconds() >= 1
    assert rig.last("m7").others_online == 249


def test_wishes_of_miners_within_what_a_pool_bears(clock: VirtualClock) -> None:
    pool = Pool(clock)
    rig = rig_of(
        pool, clock, provider="public_pool", miner={"status_check_frequency": "30 s", "time_until_offline": "1 min"}
    )
    rig.run(600, pool.beat)
    floor = SPECS["public_pool"].timing
    assert rig.last("m7").offline_after_seconds == floor.floor_seconds == 1500
    gaps = [later - earlier for earlier, later in pairwise(asked_at(pool))]
    assert min(gaps) >= floor.poll_floor_seconds


def test_an_answer_out_of_a_cache_that_never_changes_is_no_good_one(clock: VirtualClock) -> None:
    """By its own clock nobody would ever grow old."""
    pool = Pool(clock)
    rig = rig_of(pool, clock)
    rig.run(61, pool.beat)
    pool.faults.frozen_at = clock.now()
    rig.run(1200)
    assert rig.last("m7").problem == "bad_answer"
    assert rig.verdicts("m7") == ["online", "unknown"]
