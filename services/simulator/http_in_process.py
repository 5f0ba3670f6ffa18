"""Handlers called by `requests` inside one process: what simulated farms and quick tests use in place of sockets."""

import io
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse

from services.simulator.http import Handler, Request, Response, Wire

_NEVER_SECONDS = 3600.0


class InProcessAdapter(BaseAdapter):
    """For `requests.Session.mount`: no socket. Waiting is told to `wait`, so that a virtual clock can move.

    `handlers` by `host:port`. A host that is not among them refuses the connection.
    """

    def __init__(self, handlers: Mapping[str, Handler], wait: Callable[[float], None] = lambda _seconds: None) -> None:
        super().__init__()
        self._handlers = handlers
        self._wait = wait

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT002, ARG002
        timeout: Any = None,
        verify: Any = True,  # noqa: FBT002, ARG002
        cert: Any = None,  # noqa: ARG002
        proxies: Any = None,  # noqa: ARG002
    ) -> requests.Response:
        parts = urlsplit(request.url or "")
        handler = self._handlers.get(f"{parts.hostname}:{parts.port or 80}")
        if handler is None:
            message = "Connection refused"
            raise requests.ConnectionError(message, request=request)
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        response = handler(
            Request(
                method=request.method or "GET",
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers={name.lower(): str(value) for name, value in request.headers.items()},
                body=body,
            ),
        )
        self._bear(response, timeout, request)
        return _as_requests(response, request)

    def close(self) -> None:
        """Nothing is open."""

    def _bear(self, response: Response, timeout: Any, request: requests.PreparedRequest) -> None:
        """Lets the wire's faults happen to the caller."""
        patience = float((timeout[1] if isinstance(timeout, tuple) else timeout) or _NEVER_SECONDS)
        if response.wire is Wire.SILENCE or response.delay_seconds >= patience:
            self._wait(patience)
            message = "Read timed out."
            raise requests.ReadTimeout(message, request=request)
        self._wait(response.delay_seconds)
        if response.wire is Wire.RESET:
            message = "Connection reset by peer"
            raise requests.ConnectionError(message, request=request)


def _as_requests(response: Response, request: requests.PreparedRequest) -> requests.Response:
    sent = response.body[: len(response.body) // 2] if response.wire is Wire.HALF else response.body
    headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body)), **response.headers}
    made = requests.Response()
    made.status_code = response.status
    made.headers.update(headers)
    made.raw = HTTPResponse(io.BytesIO(sent), headers=headers, status=response.status, preload_content=False)
    made.url = request.url or ""
    made.request = request
    return made
