"""zigbee2mqtt 21030: 150 MB became 1.67 GB within a day, because what nobody fetched was kept.

A service that stands still, or whose broker is gone, keeps the newest value of each topic and a bounded number of
events; what goes is counted. The same holds for hours of handing units over: nothing stays of a unit that was given up.
"""

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import Event, PoolReading, PoolVerdict
from shared.service import Service
from shared.topics import MINER_EVENT, MINER_POOL
from tests.replica_farm import ReplicaFarm

KIB = 1024
MINERS = 10
ROUNDS = 150


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def grown_kib(since: int) -> float:
    gc.collect()  # as every service does once a minute
    return (tracemalloc.get_traced_memory()[0] - since) / KIB


def reading(clock: VirtualClock, number: int) -> PoolReading:
    return PoolReading(
        at=clock.now(),
        pool="ckpool",
        worker="w",
        verdict=PoolVerdict.ONLINE,
        since=clock.now(),
        detail=f"{number} " + "x" * 400,
        offline_after_seconds=600,
        poll_seconds=60,
    )


def say(bus: Bus, clock: VirtualClock, number: int) -> None:
    for miner in range(MINERS):
        bus.publish(MINER_POOL, f"m{miner}", reading(clock, number))
        event = Event(at=clock.now(), code="told", sentence=f"{number} " + "x" * 400)
        bus.publish(MINER_EVENT, f"m{miner}", event)


@pytest.mark.usefixtures("traced")
def test_a_service_that_stands_still_keeps_a_bounded_part_of_what_comes() -> None:
    clock, broker = VirtualClock(), MemoryBroker()
    service = Service("stands_still", Bus(broker.link(), clock, instance="s"), clock, runner=SteppedRunner())
    service.on(MINER_POOL, lambda _received: None)
    service.on(MINER_EVENT, lambda _received: None)
    service.start()
    service.step()
    sender = Bus(broker.link(), clock, instance="sender")
    sender.start()
    for number in range(210):  # until its bound is reached
        say(sender, clock, number)
    before = tracemalloc.get_traced_memory()[0]
    for number in range(ROUNDS):
        say(sender, clock, number)
    assert grown_kib(before) < 200, "1,500 events of half a kilobyte have come"
    assert service._inbox.dropped > 0
    service.step()


@pytest.mark.usefixtures("traced")
def test_an_outage_of_the_broker_fills_a_bounded_part() -> None:
    clock, broker = VirtualClock(), MemoryBroker()
    bus = Bus(broker.link(), clock, instance="cut-off")
    bus.start()
    broker.kill()
    for number in range(ROUNDS):
        say(bus, clock, number)
    before = tracemalloc.get_traced_memory()[0]
    for number in range(ROUNDS):
        say(bus, clock, number)
    assert grown_kib(before) < 400
    assert bus.counts["outbox_dropped"] > 0


@pytest.mark.usefixtures("traced")
def test_nothing_stays_of_units_that_have_changed_hands() -> None:
    farm = ReplicaFarm(units=60)
    farm.add("a")
    farm.pass_seconds(4)
    comings_and_goings(farm, 3)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    comings_and_goings(farm, 12)
    assert grown_kib(before) < 150, "hundreds of tenures have begun and ended"
    assert farm.is_whole()


def comings_and_goings(farm: ReplicaFarm, times: int) -> None:
    for _ in range(times):
        farm.add("b")
        farm.pass_seconds(4)
        farm.replicas.pop("b").leave()
        farm.pass_seconds(4)
