"""proto-fleet 565: a service showed "connected" although both brokers were dead.

Presence must come from the broker and from what is heard, never from memory: a service knows that it is cut off, and a
replica whose `online` is only remembered is not live.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import RunningBroker, start_broker
from shared.bus import BrokerAddress, Bus, MqttLink, Packet, Received
from shared.clock import SystemClock, VirtualClock
from shared.membership import Roster
from shared.messages import Presence
from shared.topics import SERVICE_PRESENCE
from tests.waiting import eventually


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    running = start_broker(tmp_path, port=0)
    yield running
    running.stop()


def bus_on(broker: RunningBroker, instance: str) -> Bus:
    address = BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password)
    return Bus(MqttLink(address, instance), SystemClock(), instance=instance)


def online(instance: str) -> Presence:
    return Presence(at=VirtualClock().now(), service="agent", instance=instance, status="online")


def test_a_service_whose_broker_died_knows_that_it_is_cut_off(broker: RunningBroker) -> None:
    bus = bus_on(broker, "one")
    bus.start()
    assert eventually(bus.is_synced)

    broker.process.kill()

    assert eventually(lambda: not bus.is_up())
    assert not bus.is_synced()
    assert bus.counts["disconnects"] == 1
    bus.tend()
    assert not bus.is_up(), "tending must not make a dead connection look alive"
    bus.stop()


def test_nobody_is_live_when_the_broker_has_been_silent_for_three_beats() -> None:
    roster = Roster().heard(online("one"), 100.0, retained=False).heard(online("two"), 104.0, retained=False)

    assert roster.live(115.0) == ("one", "two")
    assert roster.live(117.0) == ("two",)
    assert roster.live(119.1) == ()


def test_a_remembered_online_without_a_heartbeat_is_not_live(broker: RunningBroker) -> None:
    rosters = [Roster()]
    watcher, ghost = bus_on(broker, "watcher"), bus_on(broker, "ghost")
    ghost.start()
    assert eventually(ghost.is_synced)
    ghost.publish(SERVICE_PRESENCE, "ghost", online("ghost"))
    ghost.publish(SERVICE_PRESENCE, "alive", online("alive"))
    ghost.stop()

    def hear(got: Received[Presence]) -> None:
        assert got.message is not None
        rosters.append(rosters[-1].heard(got.message, 100.0, retained=got.retained))

    watcher.subscribe(SERVICE_PRESENCE, hear)

    watcher.start()
    assert eventually(watcher.is_synced)

    assert {member.presence.instance for member in rosters[-1].members} == {"alive", "ghost"}
    assert rosters[-1].live(100.0) == ()

    path = SERVICE_PRESENCE.path("sunherd", "alive")
    watcher.publish_raw(Packet(path, online("alive").model_dump_json().encode(), retain=True))

    assert eventually(lambda: rosters[-1].live(100.0) == ("alive",))
    watcher.stop()
