"""Handlers asked by `requests` inside one process: what simulated farms and quick tests use in place of sockets.

Simulations ask tens of millions of times, so that what a request costs beside its handler matters here: nothing is
prepared, no cookies are kept, no adapter is looked for.
"""

import json as json_format
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from urllib3.exceptions import IncompleteRead, ProtocolError

from services.simulator.http import Handler, Request, Response, Wire

_NEVER_SECONDS = 3600.0
_URLS_KEPT = 8192

Timeout = float | tuple[float | None, float | None] | None


class InProcessSession(requests.Session):
    """A session without sockets: `handlers` by `host:port`; any other host refuses the connection.

    Offers `request` and `get`. Waiting is told to `wait`, so that a virtual clock can move. Redirects are not followed.
    """

    def __init__(self, handlers: Mapping[str, Handler], wait: Callable[[float], None] = lambda _seconds: None) -> None:
        super().__init__()
        self._handlers = handlers
        self._wait = wait

    def request(  # type: ignore[override]  # what is not offered here must not be ignored in silence
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout = None,
        stream: bool = False,
        allow_redirects: bool = True,  # noqa: ARG002 - the answer is handed out as it is
    ) -> requests.Response:
        """The handler's answer. Raises what `requests` raises for the same fault."""
        server, path, query = _taken_apart(url)
        handler = self._handlers.get(server)
        if handler is None:
            message = f"Connection refused by {server}"
            raise requests.ConnectionError(message)
        sent = {name.lower(): str(value) for name, value in self.headers.items()}
        if headers is not None:
            sent.update((name.lower(), value) for name, value in headers.items())
        body = b""
        if json is not None:
            body = json_format.dumps(json).encode()
            sent |= {"content-type": "application/json", "content-length": str(len(body))}
        asked = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
        asked |= params or {}
        answer = handler(Request(method, path, asked, sent, body))
        if answer.delay_seconds or answer.wire is not Wire.WHOLE:
            self._bear(answer, timeout)
        made = _as_requests(answer, url, self._wait)
        if not stream:
            _ = made.content  # reading keeps it
        return made

    def _bear(self, answer: Response, timeout: Timeout) -> None:
        """Lets the wire's faults happen to the caller."""
        patience = float((timeout[1] if isinstance(timeout, tuple) else timeout) or _NEVER_SECONDS)
        if answer.wire is Wire.SILENCE or answer.delay_seconds >= patience:
            self._wait(patience)
            message = "Read timed out."
            raise requests.ReadTimeout(message)
        if answer.delay_seconds:
            self._wait(answer.delay_seconds)
        if answer.wire is Wire.RESET:
            message = "Connection reset by peer"
            raise requests.ConnectionError(message)


@lru_cache(_URLS_KEPT)
def _taken_apart(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{port}", parts.path or "/", parts.query


def _as_requests(answer: Response, url: str, wait: Callable[[float], None]) -> requests.Response:
    made = requests.Response()
    made.status_code = answer.status
    made.url = url
    made.encoding = "utf-8"
    made.headers["Content-Type"] = answer.content_type
    made.headers["Content-Length"] = str(len(answer.body))
    if answer.headers:
        made.headers.update(answer.headers)
    made.raw = _Body(answer.body, whole=answer.wire is not Wire.HALF)
    if answer.pieces is not None:
        made.raw = _OnAndOn(answer.pieces(), answer.piece_seconds, wait)
    return made


class _Body:
    """What `requests` and its callers use of urllib3's response."""

    def __init__(self, announced: bytes, *, whole: bool) -> None:
        self._announced = len(announced)
        self._rest = announced if whole else announced[: self._announced // 2]
        self._read = 0
        self.closed = False

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:  # noqa: ARG002 - urllib3's
        if self.closed:
            return b""
        piece = self._rest if amt is None else self._rest[:amt]
        self._rest = self._rest[len(piece) :]
        self._read += len(piece)
        if amt is None or (not piece and amt):
            self._end()
        return piece

    def read(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:
        return self.read1(amt, decode_content)

    def stream(self, amt: int = 65_536, decode_content: bool | None = None) -> Iterator[bytes]:
        while piece := self.read1(amt, decode_content):
            yield piece

    def close(self) -> None:
        self.closed = True

    def release_conn(self) -> None:
        """There is none."""

    def _end(self) -> None:
        self.closed = True
        missing = self._announced - self._read
        if missing:
            error = IncompleteRead(self._read, missing)
            message = f"Connection broken: {error!r}"
            raise ProtocolError(message, error)


class _OnAndOn(_Body):
    """A body that comes in pieces, however long."""

    def __init__(self, pieces: Iterator[bytes], piece_seconds: float, wait: Callable[[float], None]) -> None:
        super().__init__(b"", whole=True)
        self._pieces = pieces
        self._piece_seconds = piece_seconds
        self._wait = wait

    def read1(self, amt: int | None = None, decode_content: bool | None = None) -> bytes:  # noqa: ARG002 - urllib3's
        if self.closed:
            return b""
        if not self._rest:
            self._wait(self._piece_seconds)
            self._rest = next(self._pieces, b"")
        piece, self._rest = (self._rest, b"") if amt is None else (self._rest[:amt], self._rest[amt:])
        return piece
