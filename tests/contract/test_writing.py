"""Who writes what we publish: its own thread, or paho's. Either way all of it arrives, once and in order."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.bus import Arrival, Bus, MqttLink, Packet
from shared.bus.thrifty import APART_SECONDS, ThriftyClient
from shared.clock import SystemClock
from tests.brokers import Real, start
from tests.waiting import eventually

THREADS, EACH = 12, 100
PATIENCE_SECONDS = 60.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Real]:
    running = start("mosquitto", tmp_path)
    assert isinstance(running, Real)
    yield running
    running.stop()


@pytest.fixture
def got() -> list[Arrival]:
    return []


@pytest.fixture
def bus(broker: Real, got: list[Arrival]) -> Iterator[Bus]:
    """One that speaks; another one listens, so that nothing but acknowledgements comes back."""
    ear = Bus(broker.link("ear"), SystemClock(), instance="ear")
    ear.subscribe_raw("writing/#", got.append)
    mouth = Bus(broker.link("mouth"), SystemClock(), instance="mouth")
    for one in (ear, mouth):
        one.start()
        assert eventually(one.is_synced, PATIENCE_SECONDS)
    yield mouth
    mouth.stop()
    ear.stop()


class CountedWakes:
    """The socket by which paho's thread is woken."""

    def __init__(self, waker: Any) -> None:
        self._waker = waker
        self.count = 0

    def send(self, data: bytes) -> int:
        self.count += 1
        return int(self._waker.send(data))

    def close(self) -> None:
        self._waker.close()


def client_of(bus: Bus) -> ThriftyClient:
    assert isinstance(bus.link, MqttLink)
    assert bus.link._client is not None
    return bus.link._client


def all_acknowledged(bus: Bus) -> bool:
    return not client_of(bus)._out_messages


def test_a_message_by_itself_is_written_without_waking_the_network_thread(bus: Bus, got: list[Arrival]) -> None:
    client = client_of(bus)
    wakes = CountedWakes(client._sockpairW)
    client._sockpairW = wakes  # type: ignore[assignment]
    for number in range(20):
        time.sleep(2 * APART_SECONDS)
        bus.publish_raw(Packet(f"writing/{number}", b"x" * 1000, qos=1))
    assert eventually(lambda: len(got) == 20, PATIENCE_SECONDS)
    assert [one.path for one in got] == [f"writing/{number}" for number in range(20)]
    assert eventually(lambda: all_acknowledged(bus), PATIENCE_SECONDS)
    assert wakes.count == 0


def test_what_does_not_go_into_the_system_at_once_is_written_to_its_end(
    bus: Bus, got: list[Arrival], broker: Real
) -> None:
    payloads = [b"first" * 2_000_000, b"second", b"third" * 1000]
    broker.freeze()
    try:
        for payload in payloads:
            time.sleep(2 * APART_SECONDS)
            bus.publish_raw(Packet("writing/large", payload, qos=1))
        assert client_of(bus)._out_packet, "some of it waits"
    finally:
        broker.thaw()
    assert eventually(lambda: len(got) == len(payloads), PATIENCE_SECONDS)
    assert [one.payload for one in got] == payloads
    assert bus.counts.snapshot()["connects"] == 1


def test_many_threads_write_whole_messages_each_in_its_order(bus: Bus, got: list[Arrival]) -> None:
    def speak(thread: int) -> None:
        for number in range(EACH):
            time.sleep(random.uniform(0, 0.02))
            bus.publish_raw(Packet(f"writing/{thread}", b"%d " % number + b"x" * random.randrange(3000), qos=1))

    speakers = [threading.Thread(target=speak, args=(thread,)) for thread in range(THREADS)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        speaker.join(PATIENCE_SECONDS)
    assert eventually(lambda: len(got) == THREADS * EACH, PATIENCE_SECONDS)
    for thread in range(THREADS):
        numbers = [int(one.payload.split(b" ")[0]) for one in got if one.path == f"writing/{thread}"]
        assert numbers == list(range(EACH))
    assert bus.counts.snapshot()["connects"] == 1, "the broker has never met half a packet"


def test_after_a_cut_in_the_midst_of_speaking_nothing_old_begins_the_new_connection(
    bus: Bus, got: list[Arrival], broker: Real
) -> None:
    speaking = threading.Event()

    def speak() -> None:
        number = 0
        while not speaking.wait(0.003):
            bus.publish_raw(Packet("writing/on", b"%d" % number, qos=1, retain=True))
            number += 1

    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        for cut in range(1, 4):
            broker.cut(bus.link)
            assert eventually(lambda cut=cut: bus.counts.snapshot()["connects"] == cut + 1, PATIENCE_SECONDS)  # type: ignore[misc]
            assert eventually(bus.is_synced, PATIENCE_SECONDS)
    finally:
        speaking.set()
        speaker.join(PATIENCE_SECONDS)
    last = b"end"
    bus.publish_raw(Packet("writing/end", last, qos=1))
    assert eventually(lambda: got[-1:] and got[-1].payload == last, PATIENCE_SECONDS)
    assert eventually(lambda: all_acknowledged(bus), PATIENCE_SECONDS)
