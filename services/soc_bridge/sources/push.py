"""Home Assistant's push: one WebSocket, subscribed to the wanted entities, kept honest by pings.

Each step does one bounded thing: it connects, or it waits for one message for a moment.
"""

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect as connect_by_socket

from services.soc_bridge.site_state import Silent, StandsBy, Word
from services.soc_bridge.sources.entities import MISSING, Entity, Wanted, apply_event
from services.soc_bridge.sources.token import TokenGate
from services.soc_bridge.values import Unknown
from shared.backoff import BackOff
from shared.clock import Clock
from shared.messages import UnknownReason

log = logging.getLogger(__name__)

LISTEN_SECONDS = 0.5
_OPEN_SECONDS = 5.0
_CLOSE_SECONDS = 0.5
_MESSAGE_BYTES_MAX = 1_048_576
_SUBSCRIPTION = 1
_RETRY_FIRST_SECONDS = 1.0
_RETRY_LONGEST_SECONDS = 10.0

REFUSED = Unknown(
    UnknownReason.UNAUTHORIZED, "Home Assistant does not accept the token: check HA_TOKEN and make a new one if needed."
)


class Connection(Protocol):
    """An open WebSocket. Each method may raise OSError and WebSocketException."""

    def send(self, message: str, /) -> None:
        """Says something."""

    def recv(self, timeout: float) -> str | bytes:
        """The next message. Raises TimeoutError."""

    def close(self) -> None:
        """Ends it. May be called again."""


Connect = Callable[..., Connection]
"""Takes a URL and the options of `websockets.sync.client.connect`."""


class _RefusedError(Exception):
    """Home Assistant does not accept the token."""


class _ProtocolError(Exception):
    """An answer that does not belong to the conversation."""


def websocket_url(base: str) -> str:
    """The address of the push beside a base URL, which may have a path."""
    parts = urlsplit(base)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/api/websocket", "", ""))


class Push:
    """A loop. `ping_seconds`: how often a sign of life is asked for; an answer must come within as long again."""

    def __init__(
        self,
        base_url: str,
        wanted: Wanted,
        hear: Callable[..., None],
        clock: Clock,
        gate: TokenGate,
        *,
        ping_seconds: float,
        on_down: Callable[[], None],
        connect: Connect = connect_by_socket,
    ) -> None:
        self._url = websocket_url(base_url)
        self._wanted = wanted
        self._hear = hear
        self._clock = clock
        self._gate = gate
        self._ping_seconds = ping_seconds
        self._on_down = on_down
        self._connect = connect
        self._back_off = BackOff(_RETRY_FIRST_SECONDS, _RETRY_LONGEST_SECONDS)
        self._connection: Connection | None = None
        self._entities: dict[str, Entity] = {}
        self._live = False
        self._down_said = False
        self._last_id = _SUBSCRIPTION
        self._heard_at_seconds = 0.0
        self._pinged_at_seconds: float | None = None

    def step(self) -> float:
        try:
            if self._connection is None:
                return self._gate.wait_seconds() or self._open()
            self._listen(self._connection)
        except _RefusedError:
            self._gate.refused()
            self._hear(Silent(REFUSED))
            return self._drop("the token is refused")
        except (OSError, WebSocketException, TimeoutError, ValueError, _ProtocolError) as error:
            return self._drop(str(error) or type(error).__name__)
        return 0.0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- connecting

    def _open(self) -> float:
        self._connection = self._connect(
            self._url,
            open_timeout=_OPEN_SECONDS,
            close_timeout=_CLOSE_SECONDS,
            ping_interval=None,  # the WebSocket layer answers even when Home Assistant itself hangs
            max_size=_MESSAGE_BYTES_MAX,
            compression=None,
            proxy=None,  # Home Assistant stands in the same network
        )
        self._entities, self._live, self._pinged_at_seconds = {}, False, None
        self._last_id = _SUBSCRIPTION
        self._log_in(self._connection)
        subscription = {"id": _SUBSCRIPTION, "type": "subscribe_entities", "entity_ids": self._wanted.ids}
        self._connection.send(json.dumps(subscription))
        self._heard_at_seconds = self._clock.seconds()
        return 0.0

    def _log_in(self, connection: Connection) -> None:
        self._expect(connection, ("auth_required",))
        connection.send(json.dumps({"type": "auth", "access_token": self._gate.token}))
        if self._expect(connection, ("auth_ok", "auth_invalid")) == "auth_invalid":
            raise _RefusedError
        self._gate.accepted()

    def _expect(self, connection: Connection, types: Sequence[str]) -> str:
        kind = _decode(connection.recv(timeout=_OPEN_SECONDS)).get("type")
        if kind not in types:
            message = f"{kind!r} came instead of {types[0]}"
            raise _ProtocolError(message)
        return str(kind)

    def _drop(self, why: str) -> float:
        """Lets go of the connection; returns when to try again."""
        was_open, self._live = self._connection is not None, False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if not self._down_said:
            self._down_said = True
            log.warning("no push from %s (%s): asking over REST, and trying on", self._url, why)
        if was_open:
            self._on_down()
        return max(self._back_off.failed(), self._gate.wait_seconds())

    # --- listening

    def _listen(self, connection: Connection) -> None:
        self._ask_for_life(connection)
        try:
            message = _decode(connection.recv(timeout=min(LISTEN_SECONDS, self._ping_seconds)))
        except TimeoutError:
            return
        self._heard_at_seconds, self._pinged_at_seconds = self._clock.seconds(), None
        if message.get("id") == _SUBSCRIPTION and message.get("success") is False:
            text = f"the subscription was refused: {str(message.get('error'))[:200]}"
            raise _ProtocolError(text)
        words: list[Word] = []
        if message.get("id") == _SUBSCRIPTION and message.get("type") == "event":
            words = self._event(message.get("event"))
        if self._live:
            # What Home Assistant sends comes in order: while it speaks to us, no newer state has been kept from us.
            # The words stand first: a value that this very message takes back must not be confirmed by it.
            self._hear(*words, StandsBy())

    def _event(self, event: object) -> list[Word]:
        changed = apply_event(self._entities, event)
        if not self._live:
            # The first event names all that exists: what it leaves out does not.
            changed = dict.fromkeys(self._wanted.ids, MISSING) | changed
            self._live = True
            self._back_off.succeeded()
            if self._down_said:
                log.info("push from %s works", self._url)
            self._down_said = False
        self._entities = self._entities | changed
        return [word for entity_id, entity in changed.items() for word in self._wanted.words(entity_id, entity)]

    def _ask_for_life(self, connection: Connection) -> None:
        now = self._clock.seconds()
        if self._pinged_at_seconds is not None:
            if now - self._pinged_at_seconds > self._ping_seconds:
                message = f"no answer to a ping for {self._ping_seconds:g} s"
                raise _ProtocolError(message)
        elif now - self._heard_at_seconds >= self._ping_seconds:
            self._last_id += 1
            connection.send(json.dumps({"id": self._last_id, "type": "ping"}))
            self._pinged_at_seconds = now


def _decode(message: str | bytes) -> dict[str, Any]:
    """A message as a mapping. Raises ValueError (of which JSON's error is one)."""
    try:
        decoded = json.loads(message)
    except RecursionError as error:
        text = "a message nested too deeply"
        raise ValueError(text) from error
    if not isinstance(decoded, dict):
        text = "a message that is not an object"
        raise ValueError(text)
    return decoded
