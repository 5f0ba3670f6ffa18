"""A handler on a real socket, with every fault of the wire that its responses ask for."""

import select
import socket
import struct
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from services.simulator.http import Handler, Request, Response, Wire
from shared.loops import Loop, ThreadRunner

BODY_BYTES_MAX = 1_000_000
_NEVER_SECONDS = 3600.0


class HttpServer:
    """A handler on a port of this machine, until `stop` or the end of the `with` block. One thread per connection."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: _Server | None = None
        self._runner = ThreadRunner()

    def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listens; returns the port. Raises OSError when the port is taken."""
        self._server = _Server((host, port), self._handler)
        self._runner.spawn(f"http {self.port}", _Serving(self._server))
        return self.port

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._server is None:
            message = "not started"
            raise RuntimeError(message)
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Ends every connection, also those that wait for ever."""
        if self._server is not None:
            server, self._server = self._server, None
            server.shutdown()
            server.hang_up()
            self._runner.stop()

    def __enter__(self) -> Self:
        if self._server is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Serving(Loop):
    def __init__(self, server: "_Server") -> None:
        self._server = server

    def step(self) -> float:
        self._server.serve_forever(poll_interval=0.02)
        return _NEVER_SECONDS

    def close(self) -> None:
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: Handler) -> None:
        self.handler = handler
        self.connections: set[socket.socket] = set()
        super().__init__(address, _Connection)

    def hang_up(self) -> None:
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is nothing to print about."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        response = self.server.handler(request)
        if response.delay_seconds:
            self._wait(response.delay_seconds)
        if response.wire is Wire.SILENCE:
            self._wait(_NEVER_SECONDS)
        if response.wire is Wire.RESET:
            # Lingering for 0 s makes closing send a reset in place of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if response.wire in {Wire.SILENCE, Wire.RESET}:
            self.close_connection = True
            return
        self._send(response)

    def _send(self, response: Response) -> None:
        half = response.wire is Wire.HALF
        self.close_connection = self.close_connection or half or response.pieces is not None
        self.send_response_only(response.status)
        headers = {"Server": self.version_string(), "Date": self.date_time_string(), **response.headers}
        headers["Content-Type"] = response.content_type
        if response.pieces is None:
            headers["Content-Length"] = str(len(response.body))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if response.pieces is not None:
            self._send_on_and_on(response.pieces(), response.piece_seconds)
        else:
            self.wfile.write(response.body[: len(response.body) // 2] if half else response.body)

    def _send_on_and_on(self, pieces: Iterator[bytes], piece_seconds: float) -> None:
        """Until there are no more, or the other side, or `stop`, has ended the connection."""
        for piece in pieces:
            self.wfile.write(piece)
            if piece_seconds:
                self._wait(piece_seconds)

    def _wait(self, seconds: float) -> None:
        """Until the time is over or the other side, or `stop`, ends the connection."""
        select.select([self.connection], [], [], seconds)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 - the library looks for these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's signature
        """Says nothing: requests are recorded by the stand-ins."""
