"""The push of Home Assistant's stand-in inside one process: no socket, no thread, and time from whoever has it."""

from collections import deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.frames import Close, CloseCode
from websockets.http11 import Response as HttpResponse

from services.simulator.home_assistant_talk import SWITCHING_PROTOCOLS, Fault, HomeAssistantCore
from services.simulator.http import Request, Response, Wire

Wait = Callable[[float, Callable[[], bool]], None]
"""Lets so many seconds pass, and returns before that once the condition holds."""

_UPGRADE = {"connection": "Upgrade", "upgrade": "websocket"}
_DEFAULT_PORTS = {"ws": 80, "wss": 443}


class InProcessConnection:
    """As much of `websockets.sync.client.ClientConnection` as the bridge uses."""

    def __init__(self, core: HomeAssistantCore, wait: Wait) -> None:
        self._wait = wait
        self._inbox: deque[str] = deque()
        self._conversation = core.open(self._inbox.append)
        self._inbox.extend(self._conversation.greet())

    def send(self, message: str) -> None:
        """Says something. Raises ConnectionClosed once the connection is closed or cut."""
        if self._conversation.over:
            raise _closed()
        self._inbox.extend(self._conversation.hear(message))

    def recv(self, timeout: float) -> str:
        """The next message, also one that came before the end. Raises TimeoutError and ConnectionClosed."""
        if not self._ready():
            self._wait(timeout, self._ready)
        if self._inbox:
            return self._inbox.popleft()
        if self._conversation.over:
            raise _closed()
        message = f"timed out in {timeout:.1f}s"
        raise TimeoutError(message)

    def close(self) -> None:
        """Ends the conversation. May be called again."""
        self._conversation.end()
        self._inbox.clear()

    def _ready(self) -> bool:
        return bool(self._inbox) or self._conversation.over


def connector(cores: Mapping[str, HomeAssistantCore], wait: Wait) -> Callable[..., InProcessConnection]:
    """What stands in the place of `websockets.sync.client.connect`. `cores` by `host:port`; others refuse."""

    def connect(uri: str, *, open_timeout: float = 10.0, **_options: Any) -> InProcessConnection:
        parts = urlsplit(uri)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        core = cores.get(f"{parts.hostname}:{port}")
        if core is None:
            message = f"Connection refused by {parts.hostname}:{port}"
            raise ConnectionRefusedError(message)
        asked = Request("GET", parts.path, headers=_UPGRADE)
        answer = core.handle(asked)
        if answer.wire is Wire.SILENCE:
            wait(open_timeout, lambda: core.fault is not Fault.FROZEN)
            answer = core.handle(asked)
        return _opened(answer, core, wait)

    return connect


def _opened(answer: Response, core: HomeAssistantCore, wait: Wait) -> InProcessConnection:
    if answer.wire is Wire.SILENCE:
        message = "timed out while waiting for handshake response"
        raise TimeoutError(message)
    if answer.wire is Wire.RESET:
        message = "Connection refused"
        raise ConnectionRefusedError(message)
    if answer.status != SWITCHING_PROTOCOLS:
        headers = Headers({"Content-Type": answer.content_type})
        phrase = HTTPStatus(answer.status).phrase
        raise InvalidStatus(HttpResponse(answer.status, phrase, headers, answer.body))
    return InProcessConnection(core, wait)


def _closed() -> ConnectionClosedOK:
    normal = Close(CloseCode.NORMAL_CLOSURE, "")
    return ConnectionClosedOK(normal, normal, rcvd_then_sent=True)
