"""What the poller remembers over a restart, and pools that have closed."""

import pytest

from services.simulator.pool import PoolManners
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.messages import PoolReading, PoolVerdict, Severity
from shared.topics import MINER_POOL
from tests.pool_farm import Pool, PoolRig, rig_of

ONLINE, OFFLINE, UNKNOWN = PoolVerdict.ONLINE, PoolVerdict.OFFLINE, PoolVerdict.UNKNOWN


def test_a_restart_says_nothing_again_and_changes_nothing(clock: VirtualClock) -> None:
    pool, broker = Pool(clock), MemoryBroker()
    pool.manners = PoolManners(leaves_out_after_seconds=1800)
    first = rig_of(pool, clock, provider="public_pool", broker=broker)
    first.run(300, pool.beat)
    pool.alive = {"rig8"}
    first.run(5000, pool.beat, tick_seconds=5)
    offline = first.last("m7")
    assert offline.verdict is OFFLINE
    first.close()
    clock.advance(60)
    again = rig_of(pool, clock, provider="public_pool", broker=broker)
    again.run(400, pool.beat)
    assert again.verdicts("m7") == ["offline"]
    assert again.last("m7").since == offline.since
    assert again.events == []
    again.close()


def test_an_outage_is_said_once_over_restarts_and_when_it_is_over(clock: VirtualClock) -> None:
    pool, broker = Pool(clock), MemoryBroker()
    pool.faults.web_page = True
    first = rig_of(pool, clock, broker=broker)
    first.run(600, pool.beat)
    assert first.codes() == ["bad_answer"]
    first.close()
    again = rig_of(pool, clock, broker=broker)
    again.run(600, pool.beat)
    assert again.codes() == []
    pool.faults.web_page = False
    again.run(900, pool.beat)
    assert again.codes() == ["pool_answers"]
    again.close()


def test_a_worker_that_was_never_seen_is_said_once_over_restarts_and_when_it_is_found(clock: VirtualClock) -> None:
    pool, broker = Pool(clock), MemoryBroker()
    pool.alive = {"rig8"}
    pool.workers.clear()
    first = rig_of(pool, clock, broker=broker)
    first.run(300, pool.beat)
    assert first.codes("m7") == ["worker_never_seen"]
    first.close()
    again = rig_of(pool, clock, broker=broker)
    again.run(300, pool.beat)
    assert again.codes("m7") == []
    pool.alive = {"rig7", "rig8"}
    again.run(120, pool.beat)
    assert again.codes("m7") == ["worker_known"]
    again.close()


def test_without_a_broker_it_asks_all_the_same(clock: VirtualClock) -> None:
    pool, broker = Pool(clock), MemoryBroker()
    broker.kill()
    rig = rig_of(pool, clock, broker=broker)
    rig.run(30, pool.beat)
    assert len(pool.heard) == 1
    broker.revive()
    rig.run(60, pool.beat)
    # Once it is back, it hears what has been found meanwhile.
    late = Bus(broker.link(), clock, instance="late")
    late.start()
    assert any(path.endswith("/m7/pool") for path in broker.retained)


# --- pools that have closed


@pytest.mark.parametrize("pool", ["flexpool", "ethermine", "hiveon"])
def test_a_pool_that_has_closed_is_not_asked_and_nothing_follows(clock: VirtualClock, pool: str) -> None:
    rig = PoolRig({}, {"m7": f"{pool}/0xabc/rig7"}, clock)
    rig.run(3600, tick_seconds=5)
    told = rig.last("m7")
    assert (told.verdict, told.retired, told.problem) == (UNKNOWN, True, "retired")
    assert rig.codes() == ["retired"]
    assert rig.events[0][1].severity is Severity.WARNING


def test_what_a_pool_said_while_it_was_open_does_not_count(clock: VirtualClock) -> None:
    broker = MemoryBroker()
    told = PoolReading(
        at=clock.now(),
        pool="flexpool",
        worker="rig7",
        verdict=ONLINE,
        since=clock.now(),
        confirmed_at=clock.now(),
        offline_after_seconds=600,
    )
    bus = Bus(broker.link(), clock, instance="before")
    bus.start()
    bus.publish(MINER_POOL, "m7", told)
    rig = PoolRig({}, {"m7": "flexpool/0xabc/rig7"}, clock, broker=broker)
    rig.run(120)
    assert [reading.verdict for reading in rig.readings["m7"] if reading.retired][:1] == [UNKNOWN]
    assert rig.last("m7").verdict is UNKNOWN


def test_whoever_takes_over_keeps_the_distance_that_the_pool_wants(clock: VirtualClock) -> None:
    pool, broker = Pool(clock), MemoryBroker()
    first = rig_of(pool, clock, provider="braiins", broker=broker)
    first.run(1, pool.beat)
    asked = len(pool.heard)
    first.close()
    again = rig_of(pool, clock, provider="braiins", broker=broker)
    again.run(30, pool.beat)
    again.close()
    assert len(pool.heard) > asked > 0
    assert pool.closest_requests_seconds() >= 5
