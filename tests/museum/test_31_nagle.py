"""mosquitto 433 and 1526: each exchange of small packets stalls for 40 ms (Nagle's algorithm, delayed acknowledgement).

Both sides must set TCP_NODELAY. The bound is a guard, not a benchmark: with both set a round trip takes under 1 ms
here, and with one of them missing 24 ms and more.
"""

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import RunningBroker, find_mosquitto, start_broker
from shared.bus import BrokerAddress, Bus, MqttLink, Packet
from shared.clock import SystemClock
from tests.broker_socket import KernelForbidsError, accepted_option
from tests.waiting import eventually

STALL_SECONDS = 0.020
ROUNDS = 40


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningBroker]:
    if request.param == "mosquitto" and find_mosquitto() is None:
        pytest.skip("MOSQUITTO IS NOT INSTALLED: its stalls are not guarded against")
    running = start_broker(tmp_path, port=0, mosquitto=find_mosquitto() if request.param == "mosquitto" else None)
    yield running
    running.stop()


def test_small_messages_do_not_stall(broker: RunningBroker) -> None:
    link = MqttLink(BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password), "quick")
    bus, back = Bus(link, SystemClock(), instance="quick"), threading.Event()
    bus.subscribe_raw("echo/#", lambda _arrival: back.set())
    bus.start()
    assert eventually(bus.is_synced)

    took = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        bus.publish_raw(Packet(f"echo/{number}", b"x" * 300, qos=1))
        assert back.wait(5)
        took.append(time.perf_counter() - began)
        back.clear()

    assert statistics.median(took) < STALL_SECONDS
    bus.stop()


def test_both_sockets_of_a_connection_have_the_option(broker: RunningBroker) -> None:
    link = MqttLink(BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password), "quick")
    bus = Bus(link, SystemClock(), instance="quick")
    bus.start()
    try:
        assert eventually(bus.is_synced)
        assert link.socket_options() == {"TCP_NODELAY": 1}, "ours"
        assert link._client is not None
        ours = link._client.socket()
        assert isinstance(ours, socket.socket)
        theirs = accepted_option(broker.pid, ours, socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert theirs == 1, f"the one that {broker.kind} has accepted"
    except KernelForbidsError as error:
        pytest.skip(f"THE BROKER'S SOCKET IS NOT LOOKED AT, only its configuration: {error}")
    finally:
        bus.stop()


def test_mosquitto_is_told_to_set_the_option(tmp_path: Path) -> None:
    if find_mosquitto() is None:
        pytest.skip("MOSQUITTO IS NOT INSTALLED: its configuration is not written")
    start_broker(tmp_path, port=0, mosquitto=find_mosquitto()).stop()
    assert "\nset_tcp_nodelay true\n" in (tmp_path / "mosquitto.conf").read_text()
