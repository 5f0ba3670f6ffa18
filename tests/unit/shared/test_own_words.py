"""What a service hears of its own words needs no decoding; what anybody else says does."""

import pytest

from shared.bus import Bus, MemoryBroker, Packet, Received
from shared.clock import VirtualClock
from shared.messages import Event, SiteTelemetry
from shared.topics import MINER_EVENT, SITE_TELEMETRY
from tests.unit.shared.commands import T0

PATH = SITE_TELEMETRY.path("sunherd", "home")


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def heard() -> list[Received[SiteTelemetry]]:
    return []


@pytest.fixture
def bus(broker: MemoryBroker, clock: VirtualClock, heard: list[Received[SiteTelemetry]]) -> Bus:
    bus = Bus(broker.link(), clock, instance="bridge")
    bus.subscribe(SITE_TELEMETRY, heard.append)
    bus.start()
    return bus


def site(percent: float) -> SiteTelemetry:
    return SiteTelemetry(at=T0, source="test", state_of_charge_percent=percent)


def test_they_come_back_as_they_were(bus: Bus, heard: list[Received[SiteTelemetry]]) -> None:
    said = site(50)
    bus.publish(SITE_TELEMETRY, "home", said)
    assert [(one.identifier, one.retained) for one in heard] == [("home", False)]
    assert heard[0].message is said


def test_the_same_bytes_from_the_brokers_memory_are_told_as_memory(
    bus: Bus, broker: MemoryBroker, heard: list[Received[SiteTelemetry]]
) -> None:
    bus.publish(SITE_TELEMETRY, "home", site(50))
    broker.kill()
    broker.revive()
    bus.tend()
    assert [one.retained for one in heard] == [False, True]
    assert heard[1].message == site(50)


def test_another_ones_words_on_the_same_topic_are_decoded(
    bus: Bus, broker: MemoryBroker, heard: list[Received[SiteTelemetry]]
) -> None:
    bus._said[PATH] = (site(50).model_dump_json(exclude_none=True).encode(), site(50))
    broker.publish(Packet(PATH, site(60).model_dump_json(exclude_none=True).encode()))
    broker.publish(Packet(PATH, site(50).model_dump_json(exclude_none=True).encode()))
    assert [one.message for one in heard] == [site(60), site(50)]


def test_malformed_words_on_our_own_topic_are_refused_and_counted(
    bus: Bus, broker: MemoryBroker, heard: list[Received[SiteTelemetry]]
) -> None:
    bus.publish(SITE_TELEMETRY, "home", site(50))
    broker.publish(Packet(PATH, b'{"at": 3}'))
    broker.publish(Packet(PATH, b""))
    assert [one.message for one in heard] == [site(50), None]
    assert bus.counts["refused_malformed"] == 1


def test_nothing_is_kept_of_what_is_not_heard_here(bus: Bus) -> None:
    bus.publish(MINER_EVENT, "s19", Event(at=T0, code="test", sentence="only for others"))
    bus.publish(SITE_TELEMETRY, "home", site(50))
    assert bus._said == {}
