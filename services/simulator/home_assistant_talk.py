"""What the stand-in for Home Assistant says on its two doors, and which faults it has; not how that travels.

One thread at a time: a transport with several holds a lock around every call.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from services.simulator.home_assistant_states import UNAVAILABLE, Json, StateBoard, only
from services.simulator.http import Request, Response, Wire, html_response, json_response
from shared.clock import Clock

SWITCHING_PROTOCOLS = 101
_BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND, _BROKEN = 400, 401, 404, 500
_NONSENSE = "<html><body>Bad gateway</body></html>"
_VERSION = "2026.11.0"


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


class HomeAssistantCore:
    """The states, the token and the faults. `handle` is its web server, `open` begins a conversation of the push."""

    def __init__(self, *, token: str, clock: Clock, path: str = "") -> None:
        self.token = token
        self.path = path.rstrip("/")
        """Where it stands below its address."""
        self.fault: Fault | None = None
        self.requests = 0
        self.logins_refused = 0
        self.conversations: list[Conversation] = []
        self._clock = clock
        self._board = StateBoard()
        self._meant: dict[str, tuple[str, Mapping[str, Any]]] = {}

    # --- what tests and simulated farms do

    def set_state(self, entity_id: str, state: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Writes a state and pushes it to those who listen. Without attributes the old ones stay."""
        kept = self._meant[entity_id][1] if entity_id in self._meant else {}
        self._meant[entity_id] = (state, kept if attributes is None else attributes)
        self._show(entity_id)

    def remove(self, entity_id: str) -> None:
        """The entity no longer exists."""
        self._meant.pop(entity_id, None)
        self._push(self._board.remove(entity_id))

    def order(self, fault: Fault | None) -> None:
        """Begins a fault, or ends it with None."""
        before, self.fault = self.fault, fault
        thawed = before is Fault.FROZEN and fault is not Fault.FROZEN
        if thawed or fault in {Fault.RESTARTING, Fault.NO_PUSH}:
            # After a freeze, too: what was not said meanwhile is never said, so everybody has to begin anew.
            self.cut()
        for entity_id in self._meant:
            self._show(entity_id)

    def cut(self) -> None:
        """Ends every conversation."""
        for conversation in list(self.conversations):
            conversation.end()

    @property
    def subscribed(self) -> bool:
        """Whether anybody is told of changes."""
        return any(conversation.subscriptions for conversation in self.conversations)

    def _show(self, entity_id: str) -> None:
        state, attributes = self._meant[entity_id]
        shown = UNAVAILABLE if self.fault is Fault.UNAVAILABLE else state
        self._push(self._board.set(entity_id, shown, attributes, self._clock.now()))

    def _push(self, event: Json | None) -> None:
        if event is None or self.fault is Fault.FROZEN:
            return
        for conversation in list(self.conversations):
            conversation.tell(event)

    # --- the two doors

    def handle(self, request: Request) -> Response:
        """Answers one request. 101 lets the handshake of the push go on."""
        self.requests += 1
        if self.fault in {Fault.FROZEN, Fault.RESTARTING}:
            return Response(wire=Wire.SILENCE if self.fault is Fault.FROZEN else Wire.RESET)
        path = request.path.removeprefix(self.path)
        if self.fault is Fault.BROKEN:
            return _plain(_BROKEN, "500 Internal Server Error")
        if path == "/api/websocket":
            willing = self.fault is not Fault.NO_PUSH and "upgrade" in request.headers
            return Response(SWITCHING_PROTOCOLS) if willing else _plain(_BAD_REQUEST, "400: Bad Request")
        if request.headers.get("authorization") != f"Bearer {self.token}":
            self.logins_refused += 1
            return _plain(_UNAUTHORIZED, "401: Unauthorized")
        return html_response(_NONSENSE) if self.fault is Fault.NONSENSE else self._rest(path)

    def _rest(self, path: str) -> Response:
        if path == "/api/":
            return json_response({"message": "API running."})
        if path == "/api/states":
            return json_response([state.full() for state in self._board.all()])
        if not path.startswith("/api/states/"):
            return _plain(_NOT_FOUND, "404: Not Found")
        state = self._board.get(path.removeprefix("/api/states/"))
        if state is None:
            return json_response({"message": "Entity not found."}, _NOT_FOUND)
        return json_response(state.full())

    def open(self, deliver: Callable[[str], None]) -> "Conversation":
        """Begins a conversation after its handshake. `deliver` takes what is pushed between the answers."""
        conversation = Conversation(self, deliver)
        self.conversations.append(conversation)
        return conversation

    def first_event(self, entity_ids: list[str] | None) -> Json:
        """What a new subscription is told."""
        return self._board.first_event(entity_ids)


class Conversation:
    """One connection of the push. Once it is `over`, nothing more is said, and the transport closes."""

    def __init__(self, core: HomeAssistantCore, deliver: Callable[[str], None]) -> None:
        self.over = False
        self.logged_in = False
        self.subscriptions: dict[int, frozenset[str] | None] = {}
        self._core = core
        self._deliver = deliver

    def greet(self) -> list[str]:
        """What is said before anything has been heard."""
        return self._worded({"type": "auth_required", "ha_version": _VERSION})

    def hear(self, text: str | bytes) -> list[str]:
        """The answers to one message."""
        if self.over or self._core.fault is Fault.FROZEN:
            return []
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict) or (self.logged_in and not isinstance(message.get("id"), int)):
            self.end()
            return []
        return self._worded(*(self._answers(message) if self.logged_in else [self._login(message)]))

    def tell(self, event: Json) -> None:
        """Delivers the parts of an event that were asked for."""
        for number, entity_ids in list(self.subscriptions.items()):
            part = only(event, entity_ids)
            if part is not None:
                for text in self._worded({"id": number, "type": "event", "event": part}):
                    self._deliver(text)

    def end(self) -> None:
        """Nothing is said or heard from now on."""
        self.over = True
        if self in self._core.conversations:
            self._core.conversations.remove(self)

    def _login(self, message: Json) -> Json:
        if message.get("type") == "auth" and message.get("access_token") == self._core.token:
            self.logged_in = True
            return {"type": "auth_ok", "ha_version": _VERSION}
        self._core.logins_refused += 1
        self.end()
        return {"type": "auth_invalid", "message": "Invalid access token or password"}

    def _answers(self, message: Json) -> list[Json]:
        number, kind = message["id"], message.get("type")
        if kind == "ping":
            return [{"id": number, "type": "pong"}]
        if kind == "subscribe_entities":
            wanted = message.get("entity_ids")
            self.subscriptions[number] = None if wanted is None else frozenset(wanted)
            result = {"id": number, "type": "result", "success": True, "result": None}
            return [result, {"id": number, "type": "event", "event": self._core.first_event(wanted)}]
        error = {"code": "unknown_command", "message": "Unknown command."}
        return [{"id": number, "type": "result", "success": False, "error": error}]

    def _worded(self, *messages: Json) -> list[str]:
        nonsense = self._core.fault is Fault.NONSENSE
        return [_NONSENSE if nonsense else json.dumps(message) for message in messages]


def _plain(status: int, text: str) -> Response:
    return Response(status, text.encode(), "text/plain; charset=utf-8")
