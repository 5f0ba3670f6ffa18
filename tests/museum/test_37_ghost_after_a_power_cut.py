"""mosquitto with persistence: after a power cut the retained `online` of a dead client stayed, its devices with nobody.

A replica that is only remembered keeps its units for three beats, in which it may still be heard. Then they are tended.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import RunningBroker, find_mosquitto, start_broker
from shared.bus import BrokerAddress, Bus, MqttLink
from shared.clock import SystemClock, VirtualClock
from shared.loops import SteppedRunner
from shared.replicas import Replicas
from shared.service import Service
from shared.tenure import Tenure
from shared.topics import SERVICE_PRESENCE
from tests.waiting import eventually

UNITS = [f"192.168.1.{number}:80" for number in range(20)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    if find_mosquitto() is None:
        pytest.skip("MOSQUITTO IS NOT INSTALLED: its memory after a power cut is not looked at")
    running = start_broker(tmp_path, port=0)
    yield running
    running.stop()


class Agent:
    """A replica on the real broker, by a clock that the test moves."""

    def __init__(self, name: str, broker: RunningBroker) -> None:
        self.clock = VirtualClock()
        address = BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password)
        bus = Bus(MqttLink(address, name), self.clock, instance=name)
        self.service = Service("an_agent", bus, self.clock, runner=SteppedRunner())
        self.replicas = Replicas(self.service, dict.fromkeys(UNITS, _wire), settle_seconds=2.0)
        self.replicas.begin()
        self.service.start()

    def tends_all_within(self, seconds: float) -> bool:
        """Lets this time pass, and what is on the wire arrive meanwhile."""
        for _ in range(int(seconds)):
            self.clock.advance(1.0)
            self.service.step()
            eventually(lambda: False, 0.01)
        return set(self.replicas.tended) == set(UNITS)


def _wire(_tenure: Tenure) -> None:
    """Who tends is all that matters here."""


def remembered(broker: RunningBroker, instance: str) -> list[str]:
    """What a new client is told of a replica."""
    told: list[str] = []
    address = BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password)
    watcher = Bus(MqttLink(address, "watcher"), SystemClock(), instance="watcher")
    path = SERVICE_PRESENCE.path("sunherd", instance)
    watcher.subscribe_raw(path, lambda arrival: told.append(json.loads(arrival.payload)["status"]))
    watcher.start()
    assert eventually(watcher.is_synced)
    watcher.stop()
    return told


def test_the_devices_of_a_ghost_are_tended_after_three_beats(broker: RunningBroker) -> None:
    ghost = Agent("ghost", broker)
    assert eventually(ghost.service.bus.is_synced)
    assert ghost.tends_all_within(4)
    os.kill(broker.pid, signal.SIGUSR1)  # mosquitto saves its memory
    assert eventually((broker.pid_file.parent / "mosquitto.db").exists)
    eventually(lambda: False, 0.3)

    os.kill(broker.pid, signal.SIGKILL)  # the power cut: nobody says goodbye, no will is published
    ghost.service.bus.link.stop(None)
    broker.restart()
    assert remembered(broker, "ghost") == ["online"]

    heir = Agent("heir", broker)
    assert eventually(heir.service.bus.is_synced)
    assert not heir.tends_all_within(13), "it may be alive, and about to be heard"
    assert heir.tends_all_within(6)
    heir.service.stop()
