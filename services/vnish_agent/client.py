"""HTTP to one miner: token, back-off, and answers that are bounded in time and size."""

import json
import zlib
from typing import Any

import requests

from services.vnish_agent.respite import Respite
from shared.clock import Clock
from shared.device import BusyError, NonsenseError, RefusedError, UnauthorizedError
from shared.miner_wire import ANSWER_BYTES_MAX, Answered, MinerWire
from shared.settings.address import Address

_ERROR_LENGTH_MAX = 120
_TOKEN_LENGTH_MAX = 1024
RENEW_TOKEN_SECONDS = 3000.0
"""Its lifetime is not documented; where a miner tells one, it is 3600 s."""
RENEW_AGAIN_SECONDS = 60.0

OK, NO_CONTENT = 200, 204
UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
MISSING = frozenset({404, 405, 501})

Answer = tuple[int, Any]


class RouteMissingError(NonsenseError):
    """The firmware does not have the route: 404, or the web page in place of JSON."""


class VnishClient:
    """One request at a time to `/api/v1`. Every method raises DeviceError, and no error holds a secret."""

    def __init__(self, address: Address, password: str, clock: Clock, session: requests.Session | None = None) -> None:
        self._base = f"http://{address}/api/v1"
        self.lot = zlib.crc32(self._base.encode()) / 2**32
        """From 0 to 1, another one for each address and the same after a restart: what is rare need not coincide."""
        self._password = password
        self._clock = clock
        self._wire = MinerWire(clock, session)
        self._token: str | None = None
        self._renew_at = 0.0
        self._login = Respite(clock)
        self._anything = Respite(clock)

    def get(self, path: str) -> Any:
        """A monitoring read. The firmware asks for no token; if it does, it gets one."""
        status, answer = self._send("GET", path, None, None)
        return self._secured("GET", path, None, ANSWER_BYTES_MAX) if status == UNAUTHORIZED else answer

    def get_secured(self, path: str, bytes_max: int = ANSWER_BYTES_MAX) -> Any:
        return self._secured("GET", path, None, bytes_max)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer, or None where the firmware sends an empty one."""
        return self._secured("POST", path, body or {}, ANSWER_BYTES_MAX)

    def find(self, *, on: bool) -> None:
        """Lets it blink, so that it can be found in a rack, or no more. The firmware asks for no token."""
        status, _ = self._send("POST", "/find-miner", {"on": on}, None)
        if status == UNAUTHORIZED:
            self._secured("POST", "/find-miner", {"on": on}, ANSWER_BYTES_MAX)

    def locked_out(self) -> bool:
        """Whether the miner has turned us away, so that a secured call would not even be sent."""
        return self._login.waiting() or self._anything.waiting()

    def have_token(self) -> str:
        """The token; fetched where there is none."""
        if self._token is None:
            self._login.check()
            self._token = self._unlock()
        return self._token

    def renew_token(self) -> None:
        """Replaces a token before it dies of age: a stop stays one request. Raises DeviceError; the old one is kept."""
        now = self._clock.seconds()
        if self._token is not None and now >= self._renew_at and not self.locked_out():
            self._renew_at = now + RENEW_AGAIN_SECONDS
            self._token = self._unlock()

    def close(self) -> None:
        self._wire.close()

    # --- the token

    def _secured(self, method: str, path: str, body: dict[str, Any] | None, bytes_max: int) -> Any:
        for _once_more in range(2):
            status, answer = self._send(method, path, body, self.have_token(), bytes_max)
            if status != UNAUTHORIZED:
                self._login.over()
                return answer
            # A token dies by age, by a reboot, and when an operator locks the others out: once more, then no more.
            self._token = None
        raise self._login.begin(_token_refused)

    def _unlock(self) -> str:
        status, answer = self._send("POST", "/unlock", {"pw": self._password}, None)
        token = None
        if isinstance(answer, dict):
            token = answer.get("token") or answer.get("access_token")
        if status == UNAUTHORIZED:
            raise self._login.begin(_wrong_password)
        if (
            not isinstance(token, str)
            or not (token.isascii() and token.isprintable())
            or not 0 < len(token) <= _TOKEN_LENGTH_MAX
        ):
            message = "unlock gave no token"
            raise NonsenseError(message)
        self._renew_at = self._clock.seconds() + RENEW_TOKEN_SECONDS
        return token

    # --- the wire

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        token: str | None,
        bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        self._anything.check()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answered = self._wire.exchange(method, self._base + path, json=body, headers=headers, bytes_max=bytes_max)
        return self._judged(path, answered)

    def _judged(self, path: str, answered: Answered) -> Answer:
        status, content = answered.status, answered.content
        if status == UNAUTHORIZED:
            return status, None
        if status in {FORBIDDEN, TOO_MANY}:
            self._turned_away(path, status, content)
        if status in MISSING:
            message = f"has no {path}"
            raise RouteMissingError(message)
        if status not in {OK, NO_CONTENT}:
            raise self._refusal(path, status, content)
        self._anything.over()
        if not content.strip():
            return status, None
        return status, _decoded(path, answered)

    def _turned_away(self, path: str, status: int, content: bytes) -> None:
        """The miner wants to be left alone: by everybody, or by those who do not know the password."""
        if status == TOO_MANY:
            pause = self._login if path == "/unlock" else self._anything
            raise pause.begin(_too_many, _seconds_asked(content))
        if path != "/unlock":
            self._token = None  # while it waits, nothing more is sent with what was forbidden
        raise self._login.begin(_wrong_password if path == "/unlock" else _forbidden)

    def _refusal(self, path: str, status: int, content: bytes) -> NonsenseError | RefusedError:
        if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
            return NonsenseError(f"{path} redirects elsewhere; not followed")
        try:
            said = json.loads(content)
        except (ValueError, RecursionError):
            said = None
        text = str(said.get("err", "")) if isinstance(said, dict) else ""
        clean = "".join(character for character in text if character.isprintable())[:_ERROR_LENGTH_MAX].strip()
        for secret in (self._password, self._token):
            clean = clean.replace(secret, "***") if secret else clean
        return RefusedError(f"{path} answered {status}" + (f": {clean}" if clean else ""))


def _decoded(path: str, answered: Answered) -> Any:
    if answered.is_web_page:
        # Where a route is missing, the web page's router answers 200 with its own HTML.
        message = f"has no {path}: a web page came back"
        raise RouteMissingError(message)
    try:
        return json.loads(answered.content)
    except (ValueError, RecursionError):
        message = f"{path} did not answer JSON"
        raise NonsenseError(message) from None


def _seconds_asked(content: bytes) -> float:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return 0.0
    asked = said.get("unlock_timeout") if isinstance(said, dict) else None
    return float(asked) if isinstance(asked, int) and 0 < asked < 1_000_000 else 0.0  # noqa: PLR2004 - sane seconds


def _wrong_password(seconds: float) -> UnauthorizedError:
    return UnauthorizedError("does not accept the password", retry_seconds=seconds)


def _token_refused(seconds: float) -> UnauthorizedError:
    return UnauthorizedError("does not accept its own token", retry_seconds=seconds)


def _forbidden(seconds: float) -> UnauthorizedError:
    return UnauthorizedError("forbids what was asked", retry_seconds=seconds)


def _too_many(seconds: float) -> BusyError:
    return BusyError("asks to be left alone: too many requests", retry_seconds=seconds)
