"""What only a real broker shows: versions, passwords, and a network thread that dies."""

import contextlib
import gc
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import paho.mqtt.client as paho
import psutil
import pytest

from shared.bus import Arrival, BrokerAddress, LinkListener, MqttLink, Packet
from shared.bus import mqtt as mqtt_module
from tests.brokers import Real, start
from tests.waiting import eventually


class Listener(LinkListener):
    def __init__(self) -> None:
        self.told: list[str] = []
        self.arrivals: list[Arrival] = []

    def link_up(self) -> None:
        self.told.append("up")

    def link_down(self) -> None:
        self.told.append("down")

    def link_arrival(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)


@pytest.fixture(scope="module", params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    running = start(request.param, tmp_path_factory.mktemp("broker"))
    assert isinstance(running, Real)
    yield running
    running.stop()


@contextlib.contextmanager
def linked(
    address: BrokerAddress, name: str = "tester", will: Packet | None = None
) -> Iterator[tuple[MqttLink, Listener]]:
    link, listener = MqttLink(address, name), Listener()
    link.start(listener, will)
    try:
        yield link, listener
    finally:
        link.stop(None)


def test_it_speaks_the_newest_version_that_the_broker_speaks(broker: Real) -> None:
    with linked(broker.address(), will=Packet("will", b"x")) as (link, listener):
        assert eventually(link.is_up)
        assert link.protocol_version() == {"mosquitto": "5", "amqtt": "3.1.1"}[broker.kind]
        assert listener.told == ["up"]


def test_a_wrong_password_is_said_once_however_often_it_is_tried(
    broker: Real, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[str] = []
    refused = MqttLink._refused

    def counted(link: MqttLink, client: paho.Client, text: str) -> None:
        refusals.append(text)
        refused(link, client, text)

    monkeypatch.setattr(MqttLink, "_refused", counted)

    with linked(replace(broker.address(), password="wrong-and-secret")) as (link, listener):
        assert eventually(lambda: len([text for text in refusals if "protocol" not in text]) >= 2)

        said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert len(said) == 1, said
        assert "refuses the connection" in said[0]
        assert "wrong-and-secret" not in caplog.text
        assert not link.is_up()
        assert listener.told == []


def test_a_dead_network_thread_is_replaced(broker: Real, caplog: pytest.LogCaptureFixture) -> None:
    with linked(broker.address()) as (link, listener):
        assert eventually(link.is_up)
        link.tend()
        assert listener.told == ["up"]
        assert link._client is not None
        link._client.loop_stop()

        link.tend()

        assert eventually(link.is_up)
        assert listener.told == ["up", "down", "up"]
        assert "network thread" in caplog.text


def test_no_socket_is_left_to_the_garbage_collector(broker: Real) -> None:
    """Also where the first client, which spoke MQTT 5, has been left for another one: seen in a soak."""
    process = psutil.Process()
    gc.collect()
    gc.disable()
    try:
        before = process.num_fds()
        with linked(broker.address()) as (link, _):
            assert eventually(link.is_up)
            assert eventually(lambda: process.num_fds() <= before + 3)
        assert eventually(lambda: process.num_fds() <= before)
    finally:
        gc.enable()


@pytest.mark.parametrize("at_once", [False, True])
def test_a_broker_that_hangs_up_without_a_word_is_spoken_to_in_3_1_1(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    """Also if the second client is up before the thread of the first has ended: it took the link down again."""
    caplog.set_level(logging.INFO)
    opened = MqttLink._open

    def open_and_wait(link: MqttLink) -> None:
        opened(link)
        if link.protocol_version() == "3.1.1":
            eventually(link.is_up, 20)

    if at_once:
        monkeypatch.setattr(MqttLink, "_open", open_and_wait)
    versions: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:

        def old_broker() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connect = connection.recv(1000)
                    versions.append(connect[8])
                    if versions[-1] == 4:
                        connection.sendall(b"\x20\x02\x00\x00")
                        unsubscribe = connection.recv(1000)
                        connection.sendall(b"\xb0\x02" + unsubscribe[2:4])
                        connection.recv(1000)

        thread = threading.Thread(target=old_broker)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown, socket.SHUT_RDWR)
        with linked(BrokerAddress("127.0.0.1", server.getsockname()[1])) as (link, _):
            assert eventually(link.is_up, 20)

    assert versions == [5, 5, 4]
    assert "going on with 3.1.1" in caplog.text


def test_without_a_broker_it_waits_and_loses_nothing_of_its_composure(broker: Real) -> None:
    link = MqttLink(BrokerAddress("127.0.0.1", 1), "lonely")
    link.subscribe([("a", 1)])
    link.tend()
    link.stop(None)
    assert link.send(Packet("a", b"b")) is False
    assert link.socket_options() == {}

    link.start(Listener(), None)

    assert link.send(Packet("a", b"b")) is False
    link.stop(Packet("a", b"farewell"))
    link.stop(None)


def test_a_farewell_to_a_frozen_broker_ends(broker: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_module, "_FAREWELL_SECONDS", 0.1)
    link, listener = MqttLink(broker.address(), "in-a-hurry"), Listener()
    link.start(listener, None)
    assert eventually(link.is_up)

    broker.freeze()
    try:
        link.stop(Packet("a", b"farewell"))
    finally:
        broker.thaw()

    assert listener.told == ["up", "down"]


def test_an_address_never_shows_its_password() -> None:
    address = BrokerAddress("broker.lan", 8883, "me", "very-secret", tls=True)
    assert "very-secret" not in f"{address} {address!r}"
    assert str(address) == "mqtts://broker.lan:8883"
