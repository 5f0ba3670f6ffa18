"""Brokers to test against, all of one shape: in memory, mosquitto, and the embedded amqtt."""

import os
import signal
import socket
from pathlib import Path
from typing import Protocol

import pytest

from deploy.broker import RunningBroker, find_mosquitto, start_broker
from shared.bus import BrokerAddress, Link, MemoryBroker, MemoryLink, MqttLink

KINDS = ("memory", "mosquitto", "amqtt")


class BrokerUnderTest(Protocol):
    """A running broker and what a test does to it."""

    kind: str

    def link(self, name: str) -> Link: ...

    def cut(self, link: Link) -> None:
        """Ends a connection without a farewell."""

    def restart(self) -> None: ...

    def stop(self) -> None: ...


class InMemory:
    kind = "memory"

    def __init__(self) -> None:
        self._broker = MemoryBroker()

    def link(self, name: str) -> Link:
        return self._broker.link()

    def cut(self, link: Link) -> None:
        assert isinstance(link, MemoryLink)
        link.cut()

    def restart(self) -> None:
        self._broker.kill()
        self._broker.revive()

    def stop(self) -> None:
        self._broker.kill()


class Real:
    def __init__(self, running: RunningBroker) -> None:
        self.running = running
        self.kind = running.kind

    def address(self) -> BrokerAddress:
        return BrokerAddress("127.0.0.1", self.running.port, self.running.username, self.running.password)

    def link(self, name: str) -> Link:
        return MqttLink(self.address(), name)

    def cut(self, link: Link) -> None:
        assert isinstance(link, MqttLink)
        assert link._client is not None
        raw = link._client.socket()
        assert isinstance(raw, socket.socket)
        raw.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """The broker takes bytes and answers nothing."""
        os.kill(self.running.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.running.pid, signal.SIGCONT)

    def kill(self) -> None:
        os.kill(self.running.pid, signal.SIGKILL)

    def restart(self) -> None:
        self.running.restart()

    def stop(self) -> None:
        self.running.stop()


def start(kind: str, directory: Path) -> BrokerUnderTest:
    """A broker of this kind; skips the test where its program is not installed."""
    if kind == "memory":
        return InMemory()
    if kind == "mosquitto" and find_mosquitto() is None:
        pytest.skip("MOSQUITTO IS NOT INSTALLED: the bus is not tested against it")
    return Real(start_broker(directory, port=0, mosquitto=find_mosquitto() if kind == "mosquitto" else None))
