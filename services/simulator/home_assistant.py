"""A stand-in for Home Assistant: REST and the push on one port, the token checked on both, faults to order.

Its threads are those of the WebSocket library, one per connection; the lock keeps first events and changes in order.
"""

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from services.simulator.accepting import Accepting, respond
from services.simulator.home_assistant_states import UNAVAILABLE, Json, StateBoard, only
from shared.clock import Clock
from shared.loops import ThreadRunner

# The library reports each refused or dropped connection as an error; here they are all ordered.
_WIRE_LOG = logging.getLogger("services.simulator.home_assistant.wire")
_WIRE_LOG.setLevel(logging.CRITICAL + 1)

_PATIENCE_SECONDS = 10.0
_NONSENSE = "<html><body>Bad gateway</body></html>"


class Fault(StrEnum):
    """What can be ordered."""

    UNAVAILABLE = "unavailable"
    """Every entity says `unavailable`."""
    RESTARTING = "restarting"
    """Connections are cut and new ones refused."""
    FROZEN = "frozen"
    """Connections are taken and nothing is ever answered."""
    NONSENSE = "nonsense"
    """What is sent is not JSON."""
    BROKEN = "broken"
    """HTTP 500."""
    NO_PUSH = "no_push"
    """Only REST works, as behind a proxy that does not know WebSockets."""


@dataclass(frozen=True)
class _Subscription:
    connection: ServerConnection
    number: int
    entity_ids: frozenset[str] | None


class HomeAssistantStandIn:
    """Serves from `start` to `stop`. Port 0 takes a free one and keeps it. Raises OSError for a port in use."""

    def __init__(self, *, token: str, clock: Clock, host: str = "127.0.0.1", port: int = 0, path: str = "") -> None:
        self.token = token
        self.host = host
        self.port = port
        self.requests = 0
        self.logins_refused = 0
        self._path = path.rstrip("/")
        self._clock = clock
        self._board = StateBoard()
        self._meant: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._fault: Fault | None = None
        self._lock = threading.RLock()
        self._thawed = threading.Event()
        self._thawed.set()
        self._subscriptions: list[_Subscription] = []
        self._connections: set[ServerConnection] = set()
        self._server: Server | None = None
        self._runner = ThreadRunner()

    @property
    def url(self) -> str:
        """Its base URL, once it has been started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self._path}"

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
        self._cut_connections()
        self._runner.stop()

    def set_state(self, entity_id: str, state: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Writes a state and pushes it to those who listen. Without attributes the old ones stay."""
        with self._lock:
            kept = self._meant[entity_id][1] if entity_id in self._meant else {}
            self._meant[entity_id] = (state, kept if attributes is None else attributes)
            self._show(entity_id)

    def remove(self, entity_id: str) -> None:
        """The entity no longer exists."""
        with self._lock:
            self._meant.pop(entity_id, None)
            self._push(self._board.remove(entity_id))

    def order(self, fault: Fault | None) -> None:
        """Begins a fault, or ends it with None."""
        before, self._fault = self._fault, fault
        with self._lock:
            for entity_id in self._meant:
                self._show(entity_id)
        if fault is Fault.RESTARTING:
            self.stop()
        elif self._server is None:
            self.start()
        if fault is Fault.FROZEN:
            self._thawed.clear()
        elif before is Fault.FROZEN:
            # What was not said meanwhile is never said: everybody has to begin anew.
            self._thawed.set()
            self._cut_connections()
        elif fault is Fault.NO_PUSH:
            self._cut_connections()

    # --- pushing

    def _show(self, entity_id: str) -> None:
        state, attributes = self._meant[entity_id]
        shown = UNAVAILABLE if self._fault is Fault.UNAVAILABLE else state
        self._push(self._board.set(entity_id, shown, attributes, self._clock.now()))

    def _push(self, event: Json | None) -> None:
        if event is None or self._fault is Fault.FROZEN:
            return
        for subscription in list(self._subscriptions):
            part = only(event, subscription.entity_ids)
            if part is not None:
                self._send(subscription.connection, {"id": subscription.number, "type": "event", "event": part})

    def _send(self, connection: ServerConnection, message: Json) -> None:
        try:
            connection.send(_NONSENSE if self._fault is Fault.NONSENSE else json.dumps(message))
        except (ConnectionClosed, OSError):
            self._forget(connection)

    def _forget(self, connection: ServerConnection) -> None:
        with self._lock:
            self._connections.discard(connection)
            self._subscriptions = [known for known in self._subscriptions if known.connection is not connection]

    def _cut_connections(self) -> None:
        with self._lock:
            connections, self._subscriptions = list(self._connections), []
        for connection in connections:
            connection.close()

    # --- in the threads of the library

    def _answer(self, _connection: ServerConnection, request: Request) -> Response | None:
        """REST; None lets the WebSocket handshake go on."""
        self.requests += 1
        self._thawed.wait()
        path = request.path.partition("?")[0].removeprefix(self._path)
        if self._fault is Fault.BROKEN:
            return respond(HTTPStatus.INTERNAL_SERVER_ERROR, "500 Internal Server Error")
        if path == "/api/websocket":
            return respond(HTTPStatus.BAD_REQUEST, "400: Bad Request") if self._fault is Fault.NO_PUSH else None
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self.logins_refused += 1
            return respond(HTTPStatus.UNAUTHORIZED, "401: Unauthorized")
        if self._fault is Fault.NONSENSE:
            return respond(HTTPStatus.OK, _NONSENSE)
        with self._lock:
            return self._rest(path)

    def _rest(self, path: str) -> Response:
        if path == "/api/":
            return respond(HTTPStatus.OK, {"message": "API running."})
        if path == "/api/states":
            return respond(HTTPStatus.OK, [state.full() for state in self._board.all()])
        if not path.startswith("/api/states/"):
            return respond(HTTPStatus.NOT_FOUND, "404: Not Found")
        state = self._board.get(path.removeprefix("/api/states/"))
        if state is None:
            return respond(HTTPStatus.NOT_FOUND, {"message": "Entity not found."})
        return respond(HTTPStatus.OK, state.full())

    def _converse(self, connection: ServerConnection) -> None:
        with self._lock:
            self._connections.add(connection)
        try:
            if self._server is not None and self._log_in(connection):
                while True:
                    self._hear(connection, json.loads(connection.recv()))
        except (ConnectionClosed, TimeoutError, ValueError):
            return
        finally:
            self._forget(connection)

    def _log_in(self, connection: ServerConnection) -> bool:
        self._send(connection, {"type": "auth_required", "ha_version": "2026.11.0"})
        message = json.loads(connection.recv(timeout=_PATIENCE_SECONDS))
        if message.get("type") == "auth" and message.get("access_token") == self.token:
            self._send(connection, {"type": "auth_ok", "ha_version": "2026.11.0"})
            return True
        self.logins_refused += 1
        self._send(connection, {"type": "auth_invalid", "message": "Invalid access token or password"})
        return False

    def _hear(self, connection: ServerConnection, message: Json) -> None:
        if self._fault is Fault.FROZEN:
            return
        number = message["id"]
        if message["type"] == "ping":
            self._send(connection, {"id": number, "type": "pong"})
        elif message["type"] == "subscribe_entities":
            wanted = message.get("entity_ids")
            with self._lock:
                self._send(connection, {"id": number, "type": "result", "success": True, "result": None})
                event = {"id": number, "type": "event", "event": self._board.first_event(wanted)}
                self._send(connection, event)
                chosen = None if wanted is None else frozenset(wanted)
                self._subscriptions.append(_Subscription(connection, number, chosen))
        else:
            error = {"code": "unknown_command", "message": "Unknown command."}
            self._send(connection, {"id": number, "type": "result", "success": False, "error": error})
