"""A session whose answers end in time.

Timeouts of sockets count from byte to byte: who sends a letter of its header now and then would hold a request for
hours.
"""

import io
from functools import partial
from http.client import HTTPResponse
from socket import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from shared.clock import Clock

READ_SECONDS = 7.0
"""Less than the supervisor waits for a service to end: a pool that hangs must not make it look hung itself."""
WHOLE_ANSWER_SECONDS = 15.0


def punctual_session(clock: Clock) -> requests.Session:
    """A session in which header and body together take at most `WHOLE_ANSWER_SECONDS`. Raises as `requests` does."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(clock))
    return session


class _Adapter(HTTPAdapter):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(pool_connections=2, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_Http, punctual_clock=self._clock),
            "https": partial(_Https, punctual_clock=self._clock),
        }


class _Http(HTTPConnectionPool):
    def __init__(self, *args: Any, punctual_clock: Clock, **options: Any) -> None:
        self._clock = punctual_clock
        super().__init__(*args, **options)

    def _new_conn(self) -> Any:
        return _punctual(super()._new_conn(), self._clock)


class _Https(HTTPSConnectionPool):
    def __init__(self, *args: Any, punctual_clock: Clock, **options: Any) -> None:
        self._clock = punctual_clock
        super().__init__(*args, **options)

    def _new_conn(self) -> Any:
        return _punctual(super()._new_conn(), self._clock)


def _punctual(connection: Any, clock: Clock) -> Any:
    connection.response_class = partial(_Response, clock=clock)
    return connection


class _Response(HTTPResponse):
    """The standard library's, reading through a deadline that begins with the first byte awaited."""

    def __init__(self, sock: socket, *args: Any, clock: Clock, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Deadline(self.fp.detach(), sock, clock))


class _Deadline(io.RawIOBase):
    def __init__(self, raw: Any, sock: socket, clock: Clock) -> None:
        self._raw = raw
        self._sock = sock
        self._clock = clock
        self._ends_at = clock.seconds() + WHOLE_ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def readinto(self, buffer: Any) -> int | None:
        left = self._ends_at - self._clock.seconds()
        if left <= 0:
            message = "timed out"
            raise TimeoutError(message)
        self._sock.settimeout(min(left, READ_SECONDS))
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
