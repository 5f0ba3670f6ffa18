"""Home Assistant as the source: pushed over a WebSocket, confirmed and backed up over REST."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import requests
from websockets.sync.client import connect

from services.soc_bridge.site_state import Silent, Word
from services.soc_bridge.sources.entities import MISSING, Wanted, full_state, wanted
from services.soc_bridge.sources.push import REFUSED, Connect, Push
from services.soc_bridge.sources.token import TokenGate
from services.soc_bridge.values import Unknown
from shared.clock import Clock
from shared.messages import UnknownReason
from shared.settings import HomeAssistantSettings
from shared.station import Station

_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 5.0
_ROUND_SECONDS = 8.0  # for all entities together: the loop must end within the time that stopping allows it
_SHORTEST_SECONDS = 0.1
_ANSWER_BYTES_MAX = 1_048_576
_PING_SECONDS = 10.0

OK = 200
REFUSALS = {401, 403}
NOT_FOUND = 404


@dataclass(frozen=True)
class Doors:
    """How Home Assistant is reached; a simulation has its own."""

    session: Callable[[], requests.Session] = requests.Session
    connect: Connect = connect


SOCKETS = Doors()


def start(
    service: Station,
    settings: HomeAssistantSettings,
    token: str,
    hear: Callable[..., None],
    doors: Doors = SOCKETS,
) -> None:
    """Gives the two loops their threads."""
    entities = wanted(settings)
    gate = TokenGate(token, service.clock)
    poll_seconds = max(0.1, settings.poll.total_seconds())
    rest = Rest(
        settings.url,
        entities,
        hear,
        service.clock,
        gate,
        poll_seconds=poll_seconds,
        session=doors.session(),
    )
    turns = service.spawn("home_assistant_rest", rest)
    service.spawn(
        "home_assistant_push",
        Push(
            settings.url,
            entities,
            hear,
            service.clock,
            gate,
            ping_seconds=min(_PING_SECONDS, poll_seconds),
            on_down=turns.wake,
            connect=doors.connect,
        ),
    )


class _NoStateError(Exception):
    """Home Assistant did not answer with a state; the text says what happened instead."""


class _RefusedError(Exception):
    """Home Assistant does not accept the token."""


class Rest:
    """A loop: asks for each entity in turn, for the first value, as confirmation, and as fallback without the push."""

    def __init__(
        self,
        base_url: str,
        entities: Wanted,
        hear: Callable[..., None],
        clock: Clock,
        gate: TokenGate,
        *,
        poll_seconds: float,
        session: requests.Session | None = None,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._wanted = entities
        self._hear = hear
        self._clock = clock
        self._gate = gate
        self._poll_seconds = poll_seconds
        self._round_ends_seconds = 0.0
        self._session = session or requests.Session()
        # With the environment's trust, a .netrc entry would replace our token, and a proxy would be asked for the LAN.
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {gate.token}"
        self._session.headers["Accept-Encoding"] = "identity"

    def step(self) -> float:
        wait = self._gate.wait_seconds()
        if wait > 0:
            return wait
        self._round_ends_seconds = self._clock.seconds() + _ROUND_SECONDS
        words: list[Word] = []
        try:
            for entity_id in self._wanted.ids:
                words += self._ask(entity_id)
        except _RefusedError:
            self._gate.refused()
            self._hear(*words, Silent(REFUSED))
            return self._gate.wait_seconds()
        except _NoStateError as error:
            self._hear(*words, Silent(Unknown(UnknownReason.UNREACHABLE, str(error))))
            return self._poll_seconds
        self._gate.accepted()
        self._hear(*words)
        return self._poll_seconds

    def close(self) -> None:
        self._session.close()

    def _ask(self, entity_id: str) -> list[Word]:
        url = f"{self._base}/api/states/{entity_id}"
        asked_at = self._clock.now()
        try:
            status, body = self._get(url)
        except requests.RequestException as error:
            raise _NoStateError(_why(self._base, error)) from error
        if status in REFUSALS:
            raise _RefusedError
        answer = _decode(body)
        if status == NOT_FOUND and isinstance(answer, dict) and "message" in answer:
            return list(self._wanted.words(entity_id, MISSING, asked_at))
        entity = full_state(answer) if status == OK else None
        if entity is None:
            what = f"answers {status}" if status != OK else "does not answer with a state"
            message = f"Home Assistant at {self._base} {what} when asked for {entity_id}."
            raise _NoStateError(message)
        return list(self._wanted.words(entity_id, entity, asked_at))

    def _get(self, url: str) -> tuple[int, bytes]:
        deadline = min(self._clock.seconds() + _ANSWER_SECONDS, self._round_ends_seconds)
        left_seconds = max(_SHORTEST_SECONDS, deadline - self._clock.seconds())
        timeout = (min(_CONNECT_SECONDS, left_seconds), left_seconds)
        with self._session.get(url, timeout=timeout, stream=True, allow_redirects=False) as response:
            body = b""
            # Small pieces: a server that drips must meet the deadline, which the library's timeout does not know.
            for piece in response.iter_content(4096):
                body += piece
                if len(body) > _ANSWER_BYTES_MAX or self._clock.seconds() > deadline:
                    message = f"Home Assistant's answer for {url} is too long or too slow."
                    raise _NoStateError(message)
            return response.status_code, body


def _why(base: str, error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return f"Home Assistant at {base} does not answer within {_ANSWER_SECONDS:g} s."
    if isinstance(error, requests.exceptions.SSLError):
        return f"Home Assistant at {base} has a certificate that is not trusted."
    if isinstance(error, requests.ConnectionError):
        return f"Home Assistant at {base} cannot be reached."
    return f"Home Assistant at {base} gives no usable answer ({type(error).__name__})."


def _decode(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
