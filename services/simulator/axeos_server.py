"""An AxeOS stand-in on a real socket, served by one thread as the real one is: who waits keeps all others waiting.

It has as many sockets as its generation. Where none is left, newer firmware closes the one that was used longest ago;
older firmware lets the newest client wait without an answer.
"""

import select
import socket
import struct
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from services.simulator.axeos import AxeOsStandIn
from services.simulator.http import Request, Response, Wire
from shared.loops import Loop, ThreadRunner

_BACKLOG = 5
_PIECE_BYTES = 16_384
_HEAD_END = b"\r\n\r\n"
_HEARS_OUT_SECONDS = 5.0
_NEVER_SECONDS = 3600.0
_MESSAGE_BYTES_MAX = 1_000_000


class AxeOsServer:
    """The stand-in on a port of this machine, until `stop` or the end of the `with` block."""

    def __init__(self, stand_in: AxeOsStandIn) -> None:
        self._stand_in = stand_in
        self._serving: _Serving | None = None
        self._runner = ThreadRunner()

    def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listens; returns the port. Raises OSError when the port is taken."""
        self._serving = _Serving(self._stand_in, host, port)
        self._runner.spawn(f"axeos {self.port}", self._serving)
        return self.port

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._serving is None:
            message = "not started"
            raise RuntimeError(message)
        return self._serving.port

    def stop(self) -> None:
        """Ends every connection, also those that wait for ever."""
        if self._serving is not None:
            serving, self._serving = self._serving, None
            serving.end()
            self._runner.stop()

    def __enter__(self) -> Self:
        if self._serving is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Serving(Loop):
    def __init__(self, stand_in: AxeOsStandIn, host: str, port: int) -> None:
        self._stand_in = stand_in
        self._door = socket.create_server((host, port), backlog=_BACKLOG)
        self._ender, self._ended = socket.socketpair()
        self._ending = False
        self._open: list[socket.socket] = []
        """Used longest ago first."""
        self._mute: set[socket.socket] = set()
        """Never answered any more, but their sockets are taken."""
        self.port = int(self._door.getsockname()[1])

    def end(self) -> None:
        self._ending = True
        self._ender.send(b".")

    def step(self) -> float:
        """One connection accepted, or one request answered."""
        firmware = self._stand_in.firmware
        heard = [self._ended, *self._open]
        if firmware.purges or len(self._open) < firmware.sockets:
            heard.append(self._door)
        readable, _, _ = select.select(heard, [], [], _NEVER_SECONDS)
        if self._ended in readable:
            return _NEVER_SECONDS
        if self._door in readable:
            self._accept()
        for connection in [one for one in readable if one is not self._door and one in self._open]:
            self._serve(connection)
            if self._ending:
                break
        return 0.0

    def close(self) -> None:
        for connection in [*self._open, self._door, self._ender, self._ended]:
            connection.close()

    def _accept(self) -> None:
        if len(self._open) >= self._stand_in.firmware.sockets:
            self._hang_up(self._open[0])
        connection, _ = self._door.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.append(connection)

    def _serve(self, connection: socket.socket) -> None:
        """Hears one request out, and answers it. Nobody else is heard meanwhile."""
        self._open.remove(connection)
        self._open.append(connection)
        try:
            request = self._hear(connection)
            if request is None or (connection not in self._mute and self._answer(connection, request)):
                self._hang_up(connection)
        except OSError:
            self._hang_up(connection)

    def _hear(self, connection: socket.socket) -> Request | None:
        heard = bytearray()
        while (request := _request(heard)) is None:
            if not self._wait(_HEARS_OUT_SECONDS, connection):
                return None
            piece = connection.recv(_PIECE_BYTES)
            heard += piece
            if not piece or len(heard) > _MESSAGE_BYTES_MAX:
                return None
        return request

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """Whether the connection ends with it."""
        response = self._stand_in.handle(request)
        if response.wire is Wire.SILENCE:
            self._mute.add(connection)
            return False
        if response.delay_seconds:
            self._wait(response.delay_seconds)
        if response.wire is Wire.RESET:
            # Lingering for 0 s makes closing send a reset in place of an orderly end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return True
        whole = _bytes(response)
        half = response.wire is Wire.HALF
        connection.sendall(whole[: len(whole) - len(response.body) // 2 - 1] if half else whole)
        return half or _closes(request)

    def _wait(self, seconds: float, connection: socket.socket | None = None) -> bool:
        """Whether there was something to hear before the time was over, or the server was ended."""
        heard = [self._ended] if connection is None else [self._ended, connection]
        readable, _, _ = select.select(heard, [], [], seconds)
        return connection in readable and self._ended not in readable

    def _hang_up(self, connection: socket.socket) -> None:
        self._open.remove(connection)
        self._mute.discard(connection)
        connection.close()


def _request(heard: bytearray) -> Request | None:
    """The request that was heard; None while it is not whole."""
    end = heard.find(_HEAD_END)
    if end < 0:
        return None
    first, *lines = heard[:end].decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length", "0")
    body = bytes(heard[end + len(_HEAD_END) :])
    if len(body) < (int(length) if length.isdigit() else 0):
        return None
    method, _, target = first.partition(" ")
    parts = urlsplit(target.split(" ")[0])
    return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


def _closes(request: Request) -> bool:
    return request.headers.get("connection", "").lower() == "close"


def _bytes(response: Response) -> bytes:
    chunked = "Transfer-Encoding" in response.headers
    lines = [f"HTTP/1.1 {response.status} -", f"Content-Type: {response.content_type}"]
    lines += [] if chunked else [f"Content-Length: {len(response.body)}"]
    lines += ["Access-Control-Allow-Origin: *", *(f"{name}: {value}" for name, value in response.headers.items())]
    # Chunked bodies are empty here: the firmware ends its answer without ever having said anything.
    return "\r\n".join(lines).encode() + _HEAD_END + (b"0\r\n\r\n" if chunked else response.body)
