"""Many messages at once, over real brokers: all arrive, in order, acknowledged; nothing waits for the pause."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.bus import Arrival, Bus, MqttLink, Packet
from shared.bus.buffered import BufferedSocket
from shared.bus.thrifty import PAUSE_SECONDS
from shared.clock import SystemClock
from tests.brokers import Real, start
from tests.waiting import eventually

MESSAGES = 500


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Real]:
    running = start(request.param, tmp_path)
    assert isinstance(running, Real)
    yield running
    running.stop()


def bus_to(broker: Real, name: str) -> tuple[Bus, list[Arrival]]:
    bus, got = Bus(broker.link(name), SystemClock(), instance=name), list[Arrival]()
    bus.subscribe_raw("flood/#", got.append)
    bus.start()
    assert eventually(bus.is_synced)
    return bus, got


def test_a_flood_arrives_whole_and_in_order_and_is_acknowledged(broker: Real) -> None:
    bus, got = bus_to(broker, "flooded")
    for number in range(MESSAGES):
        bus.publish_raw(Packet(f"flood/{number}", b"x" * (number * 7 % 900), qos=number % 2))
    assert eventually(lambda: len(got) == MESSAGES)
    assert isinstance(bus.link, MqttLink)
    client = bus.link._client
    assert client is not None
    assert eventually(lambda: not client._out_messages), "all that we sent has been acknowledged"
    # A broker lets only so many messages stand unacknowledged: these would not come if ours had not been heard.
    for number in range(MESSAGES):
        bus.publish_raw(Packet(f"flood/again/{number}", b"x"))
    assert eventually(lambda: len(got) == 2 * MESSAGES)
    for qos in (0, 1):
        assert [one.path for one in got[:MESSAGES] if int(one.path.split("/")[1]) % 2 == qos] == [
            f"flood/{number}" for number in range(qos, MESSAGES, 2)
        ]
    assert all(len(one.payload) == int(one.path.split("/")[1]) * 7 % 900 for one in got[:MESSAGES])
    bus.stop()


def test_messages_larger_than_the_buffer_arrive_whole(broker: Real) -> None:
    bus, got = bus_to(broker, "large")
    payloads = [bytes([number]) * size for number, size in enumerate((65_535, 65_536, 65_537, 200_000))]
    for payload in payloads:
        bus.publish_raw(Packet("flood/large", payload))
    assert eventually(lambda: len(got) == len(payloads))
    assert [one.payload for one in got] == payloads
    assert isinstance(bus.link, MqttLink)
    assert bus.link._client is not None
    assert isinstance(bus.link._client.socket(), BufferedSocket), "this is about our own reading side"
    bus.stop()


def test_even_a_bus_that_fails_ends_nothing(
    broker: Real, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, got = bus_to(broker, "failing")

    def fails(_arrival: Arrival) -> None:
        message = "a bug"
        raise RuntimeError(message)

    monkeypatch.setattr(bus, "link_arrival", fails)
    bus.publish_raw(Packet("flood/1", b"x"))
    assert eventually(lambda: "handling flood/1 failed" in caplog.text)
    monkeypatch.undo()
    bus.publish_raw(Packet("flood/2", b"x"))
    assert eventually(lambda: [one.path for one in got] == ["flood/2"])
    bus.stop()


def test_what_we_send_ends_the_pause_after_reading(broker: Real) -> None:
    if broker.kind != "mosquitto":
        pytest.skip("amqtt's own answer takes longer than the pause")
    bus, back = Bus(broker.link("quick"), SystemClock(), instance="quick"), threading.Event()
    bus.subscribe_raw("flood/#", lambda _arrival: back.set())
    bus.start()
    assert eventually(bus.is_synced)
    took = []
    for _ in range(100):
        began = time.perf_counter()
        bus.publish_raw(Packet("flood/turn", b"x"))
        assert back.wait(5)
        back.clear()
        took.append(time.perf_counter() - began)
    assert sorted(took)[25] < PAUSE_SECONDS, "a pause after each message would show in every turn"
    bus.stop()
