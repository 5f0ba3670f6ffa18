"""A client of MQTT 3.1.1 on a bare socket, without threads: so cheap that a benchmark does not measure itself.

It blocks in `recv` while it waits, keeps no state and understands just what the benchmarks need.
"""

import select
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self

_CONNECT, _PUBLISH, _SUBSCRIBE, _PINGREQ = 0x10, 0x30, 0x82, 0xC0
_SUBACK = 0x90
_RETAIN, _QOS_1 = 0x01, 0x02
_KEEPALIVE_SECONDS = 600
_PATIENCE_SECONDS = 30.0


class Broker(Protocol):
    """A broker on this machine."""

    @property
    def port(self) -> int: ...

    @property
    def username(self) -> str: ...

    @property
    def password(self) -> str: ...


@dataclass(frozen=True)
class Heard:
    """A message from the broker."""

    path: str
    payload: bytes
    retained: bool


class Wire:
    """One connection. Subscribes with QoS 0 (nothing to acknowledge), publishes with QoS 1 as services do."""

    def __init__(self, broker: Broker, client_id: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", broker.port), timeout=_PATIENCE_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        texts = b"".join(_text(text) for text in (client_id, broker.username, broker.password))
        head = _text("MQTT") + struct.pack("!BBH", 4, 0xC2, _KEEPALIVE_SECONDS)
        self._socket.sendall(_packet(_CONNECT, head + texts))
        answer = self._socket.recv(4)
        if len(answer) != 4 or answer[3] != 0:
            message = f"the broker answered {answer!r} to CONNECT"
            raise ConnectionError(message)

    def subscribe(self, topic_filter: str) -> None:
        """Returns when the broker has agreed; retained messages come afterwards."""
        self._socket.sendall(_packet(_SUBSCRIBE, struct.pack("!H", 1) + _text(topic_filter) + b"\x00"))
        for kind, _body in self._packets(time.perf_counter() + _PATIENCE_SECONDS):
            if kind == _SUBACK:
                return
        message = f"no SUBACK for {topic_filter}"
        raise ConnectionError(message)

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Sends retained messages in one go, and throws away the acknowledgements that have come meanwhile."""
        packets = [
            _packet(_PUBLISH | _QOS_1 | _RETAIN, _text(path) + struct.pack("!H", number % 65_535 + 1) + payload)
            for number, (path, payload) in enumerate(messages)
        ]
        self._socket.sendall(b"".join(packets))

    def drain(self) -> None:
        """Throws away what has come."""
        while select.select([self._socket], [], [], 0)[0]:
            if not self._socket.recv(1 << 18):
                message = "the broker has closed the connection"
                raise ConnectionError(message)
        self._unread = b""

    def messages(self, seconds: float) -> Iterator[Heard]:
        """Each message as it comes, for so long at most."""
        for kind, body in self._packets(time.perf_counter() + seconds):
            if kind & 0xF0 == _PUBLISH:
                length = int.from_bytes(body[:2], "big")
                skipped = 2 if kind & 0x06 else 0
                path = body[2 : 2 + length].decode()
                yield Heard(path, body[2 + length + skipped :], bool(kind & _RETAIN))

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _packets(self, deadline: float) -> Iterator[tuple[int, bytes]]:
        while True:
            packet, rest = _split(self._unread)
            if packet is not None:
                self._unread = rest
                yield packet
                continue
            left = deadline - time.perf_counter()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                return
            fresh = self._socket.recv(1 << 18)
            if not fresh:
                message = "the broker has closed the connection"
                raise ConnectionError(message)
            self._unread += fresh


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded


def _packet(kind: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([kind]) + bytes(digits) + body


def _split(data: bytes) -> tuple[tuple[int, bytes] | None, bytes]:
    """The first whole packet and what follows it. Source: MQTT 3.1.1, section 2.2.3."""
    length = 0
    for index in range(1, min(len(data), 5)):
        length |= (data[index] & 0x7F) << (7 * (index - 1))
        if data[index] < 0x80:
            end = index + 1 + length
            return (None, data) if len(data) < end else ((data[0], data[index + 1 : end]), data[end:])
    return None, data
