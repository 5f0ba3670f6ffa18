"""The stand-in for Home Assistant on a real port: REST and the push together, as the real one has them.

Its threads are those of the WebSocket library, one per connection; the lock keeps first events and changes in order.
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from services.simulator.accepting import Accepting, respond
from services.simulator.home_assistant_talk import SWITCHING_PROTOCOLS, Conversation, Fault, HomeAssistantCore
from services.simulator.http import Request as Asked
from services.simulator.http import Response as Answer
from services.simulator.http import Wire
from shared.clock import Clock
from shared.loops import ThreadRunner

__all__ = ["Fault", "HomeAssistantStandIn"]

# The library reports each refused or dropped connection as an error; here they are all ordered.
_WIRE_LOG = logging.getLogger("services.simulator.home_assistant.wire")
_WIRE_LOG.setLevel(logging.CRITICAL + 1)

_PATIENCE_SECONDS = 10.0
_SHUT_DOWN = Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"503: Service Unavailable", "text/plain")


class HomeAssistantStandIn:
    """Serves from `start` to `stop`. Port 0 takes a free one and keeps it. Raises OSError for a port in use."""

    def __init__(self, *, token: str, clock: Clock, host: str = "127.0.0.1", port: int = 0, path: str = "") -> None:
        self.core = HomeAssistantCore(token=token, clock=clock, path=path)
        """What it says. Touched under the lock only, while it serves."""
        self.host = host
        self.port = port
        self._lock = threading.RLock()
        self._thawed = threading.Event()
        self._thawed.set()
        self._connections: dict[ServerConnection, Conversation] = {}
        self._server: Server | None = None
        self._runner = ThreadRunner()

    @property
    def url(self) -> str:
        """Its base URL, once it has been started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.core.path}"

    @property
    def token(self) -> str:
        """The only one that it accepts."""
        return self.core.token

    @property
    def requests(self) -> int:
        """How many have come in, handshakes among them."""
        return self.core.requests

    @property
    def logins_refused(self) -> int:
        """How often a wrong token was shown, at either door."""
        return self.core.logins_refused

    # --- what tests and the simulated farm do

    def start(self) -> None:
        self._server = serve(
            self._converse,
            self.host,
            self.port,
            process_request=self._answer,
            ping_interval=None,
            compression=None,
            logger=_WIRE_LOG,
            close_timeout=0.5,
        )
        self.port = self._server.socket.getsockname()[1]
        self._runner = ThreadRunner()
        self._runner.spawn("home_assistant_stand_in", Accepting(self._server))

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        self._thawed.set()
        server.shutdown()
        self.cut()
        self._runner.stop()

    def set_state(self, entity_id: str, state: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Writes a state and pushes it to those who listen. Without attributes the old ones stay."""
        with self._lock:
            self.core.set_state(entity_id, state, attributes)

    def remove(self, entity_id: str) -> None:
        """The entity no longer exists."""
        with self._lock:
            self.core.remove(entity_id)

    def order(self, fault: Fault | None) -> None:
        """Begins a fault, or ends it with None."""
        with self._lock:
            self.core.order(fault)
        if fault is Fault.RESTARTING:
            self.stop()
        elif self._server is None:
            self.start()
        if fault is Fault.FROZEN:
            self._thawed.clear()
        else:
            self._thawed.set()
        self._hang_up()

    def cut(self) -> None:
        """Ends every connection of the push."""
        with self._lock:
            self.core.cut()
        self._hang_up()

    def _hang_up(self) -> None:
        """Closes what is over: outside the lock, for closing waits for the other side."""
        with self._lock:
            over = [connection for connection, conversation in self._connections.items() if conversation.over]
        for connection in over:
            connection.close()

    # --- in the threads of the library

    def _answer(self, _connection: ServerConnection, request: Request) -> Response | None:
        """REST; None lets the WebSocket handshake go on."""
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        asked = Asked("GET", request.path.partition("?")[0], headers=headers)
        answer = self._handle(asked)
        if answer.wire is Wire.SILENCE:
            self._thawed.wait()
            answer = self._handle(asked)
        if answer.wire is not Wire.WHOLE:
            answer = _SHUT_DOWN  # the connection is about to be closed with the server
        return None if answer.status == SWITCHING_PROTOCOLS else respond(answer)

    def _handle(self, asked: Asked) -> Answer:
        with self._lock:
            return self.core.handle(asked)

    def _converse(self, connection: ServerConnection) -> None:
        with self._lock:
            conversation = self.core.open(lambda text: _say(connection, [text]))
            self._connections[connection] = conversation
            if self._server is None:
                conversation.end()
            else:
                _say(connection, conversation.greet())
        try:
            while not conversation.over:
                text = connection.recv(timeout=None if conversation.logged_in else _PATIENCE_SECONDS)
                with self._lock:
                    _say(connection, conversation.hear(text))
        except (ConnectionClosed, TimeoutError):
            return
        finally:
            with self._lock:
                conversation.end()
                self._connections.pop(connection)


def _say(connection: ServerConnection, texts: Iterable[str]) -> None:
    try:
        for text in texts:
            connection.send(text)
    except (ConnectionClosed, OSError):
        return  # its own thread finds out and ends the conversation
