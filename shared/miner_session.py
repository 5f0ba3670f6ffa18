"""A session for miners: redirects, cookies, proxies and choosing an adapter take a third of a request's time."""

import json as json_format
import queue
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import default_headers
from urllib3 import BaseHTTPResponse, HTTPConnectionPool
from urllib3.util import Timeout

_HEADERS = dict(default_headers())
_BASES_KEPT = 4
_EMPTY = requests.Session()
_EMPTY.adapters.clear()


class OneSlot(queue.LifoQueue[Any]):
    """Room for the one connection of a pool. Without a queue's lock and conditions, three quarters of its memory."""

    def __init__(self, _size: int) -> None:  # what the library would make is what is to be saved
        self._item: Any = None
        self._filled = False

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002, FBT002 - a queue's
        """What is there. Raises queue.Empty."""
        if not self._filled:
            raise queue.Empty
        item, self._item, self._filled = self._item, None, False
        return item

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002, FBT002 - as above
        """Keeps it. Raises queue.Full."""
        if self._filled:
            raise queue.Full
        self._item, self._filled = item, True

    def qsize(self) -> int:
        """0 or 1."""
        return int(self._filled)


class _Pool(HTTPConnectionPool):
    """Of one miner, which is asked by one thread only."""

    QueueCls = OneSlot  # type: ignore[assignment]  # the library takes any; it declares the one it uses itself


class MinerSession(requests.Session):
    """Plain HTTP to an address, and nothing else. A thousand miners share one interpreter, so that it shows."""

    def __init__(self) -> None:
        # One set of empty cookies, hooks and adapters for all: with a thousand sessions these alone are megabytes.
        self.__dict__.update(_EMPTY.__dict__)
        self._pools: dict[str, _Pool] = {}

    def request(  # type: ignore[override]  # what is not offered here must not be ignored in silence
        self,
        method: str,
        url: str,
        *,
        json: dict[str, Any] | None,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        allow_redirects: bool,
        stream: bool,
    ) -> requests.Response:
        """As `requests.Session.request` does it, but errors are urllib3's, and neither redirects nor cookies count."""
        if allow_redirects or not stream:
            message = "redirects are not followed here, and answers are read piece by piece"
            raise ValueError(message)
        base, path = _taken_apart(url)
        sent, body = {**_HEADERS, **headers}, None
        if json is not None:
            body = json_format.dumps(json).encode()
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        answer = self._pool(base).urlopen(
            method,
            path,
            body=body,
            headers=sent,
            timeout=Timeout(connect=timeout[0], read=timeout[1]),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        return _response(url, answer)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        super().close()

    def _pool(self, base: str) -> _Pool:
        pool = self._pools.get(base)
        if pool is None:
            if len(self._pools) >= _BASES_KEPT:
                self.close()
            where = urlsplit(base)
            pool = self._pools[base] = _Pool(where.hostname or "", where.port, maxsize=1)
        return pool


def _taken_apart(url: str) -> tuple[str, str]:
    """`http://host:port` and the path. Raises requests.exceptions.InvalidSchema for anything but plain HTTP."""
    scheme, _, rest = url.partition("://")
    if scheme != "http":
        message = "miners are asked over plain HTTP"
        raise requests.exceptions.InvalidSchema(message)
    host, _, path = rest.partition("/")
    return f"http://{host}", f"/{path}"


def _response(url: str, answer: BaseHTTPResponse) -> requests.Response:
    found = requests.Response()
    found.url, found.raw = url, answer
    found.status_code, found.reason = answer.status, answer.reason or ""
    found.headers = CaseInsensitiveDict(answer.headers)
    return found
