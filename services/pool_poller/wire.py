"""HTTP to pools: one request at a time, bounded in time and size, and no secret ever goes astray."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from services.pool_poller import times
from services.pool_poller.provider import Answer, PoolRequest
from services.pool_poller.punctual import READ_SECONDS, WHOLE_ANSWER_SECONDS
from services.pool_poller.trouble import Trouble, TroubleError
from shared.clock import Clock

CONNECT_SECONDS = 5.0
ANSWER_BYTES_MAX = 2_000_000
REDIRECTS_MAX = 3
_PIECE_BYTES = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN = {"Accept-Encoding": "identity", "Accept": "application/json"}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Fetched:
    """One whole answer, and what its head says of times."""

    answer: Answer = field(repr=False)
    pool_now: datetime | None = None
    """The pool's clock; None where it does not tell."""
    wait_seconds: float = 0.0
    """For how long it wants to be left alone."""


class PoolWire:
    """Asks pools. Raises TroubleError; no error holds what was sent."""

    def __init__(self, clock: Clock, session: requests.Session) -> None:
        self._clock = clock
        self._session = session
        # A .netrc of this machine would be another's password.
        self._session.trust_env = False

    def fetch(self, request: PoolRequest) -> Fetched:
        """One request and its whole answer, where it has moved to included."""
        deadline = self._clock.seconds() + WHOLE_ANSWER_SECONDS
        url = request.url
        for _ in range(1 + REDIRECTS_MAX):
            try:
                fetched, moved_to = self._exchange(request, url, deadline)
            except requests.Timeout:
                message = f"no answer within {READ_SECONDS:g} s"
                raise TroubleError(Trouble.UNREACHABLE, message) from None
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                raise TroubleError(Trouble.UNREACHABLE, _cause(error)) from None
            if moved_to is None:
                return fetched
            url = _followed(request, url, moved_to)
            if self._clock.seconds() > deadline:
                break
        message = "it redirects without end"
        raise TroubleError(Trouble.POOL_ERROR, message)

    def close(self) -> None:
        """Lets go of connections; the next request makes new ones."""
        self._session.close()

    def _exchange(self, request: PoolRequest, url: str, deadline: float) -> tuple[Fetched, str | None]:
        """The answer, and where else to ask, if it says so."""
        with self._session.request(
            request.method,
            url,
            json=None if request.body is None else dict(request.body),
            headers=_PLAIN | dict(request.headers),
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            headers = response.headers
            if response.status_code in _REDIRECTS and "Location" in headers:
                return Fetched(Answer(response.status_code, "")), headers["Location"]
            content = self._content(response, deadline)
        return self._fetched(response.status_code, headers, content), None

    def _fetched(self, status: int, headers: Mapping[str, str], content: bytes) -> Fetched:
        # Whatever the head says: pools send JSON under many names, and no other encoding.
        text = content.decode("utf-8-sig", errors="replace")
        waits = times.wait_seconds(headers, self._clock.now())
        return Fetched(Answer(status, text), times.sent_at(headers), waits)

    def _content(self, response: requests.Response, deadline: float) -> bytes:
        content = bytearray()
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=False):
            content += piece
            if len(content) > ANSWER_BYTES_MAX:
                message = f"it answered more than {ANSWER_BYTES_MAX // 1_000_000} MB"
                raise TroubleError(Trouble.BAD_ANSWER, message)
            if self._clock.seconds() > deadline:
                message = f"its answer took longer than {WHOLE_ANSWER_SECONDS:g} s"
                raise TroubleError(Trouble.UNREACHABLE, message)
        return bytes(content)


def host_of(url: str) -> str:
    """Host and port: what shares a spacing."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{_port(parts)}"


def _followed(request: PoolRequest, url: str, location: str) -> str:
    """Where a redirect leads. Raises TroubleError where it must not be followed."""
    before = urlsplit(url)
    try:
        target = urljoin(url, location)
        after = urlsplit(target)
        same_host = (before.hostname, _port(before)) == (after.hostname, _port(after))
    except ValueError:
        message = "it redirects to no address"
        raise TroubleError(Trouble.POOL_ERROR, message) from None
    if request.method != "GET" or (before.scheme, after.scheme) not in {("http", "http"), ("https", "https")}:
        message = "it redirects in a way that is not followed"
        raise TroubleError(Trouble.POOL_ERROR, message)
    if not same_host and (request.headers or before.scheme == "http"):
        message = "it redirects to another host, which gets no key and is not asked"
        raise TroubleError(Trouble.POOL_ERROR, message)
    return target


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def _cause(error: Exception) -> str:
    """Few words for what went wrong on the wire; the library's own text would show addresses, and keys within them."""
    text = str(error)
    causes = {
        "NameResolution": "no such host name",
        "CERTIFICATE_VERIFY_FAILED": "its certificate is not valid",
        "SSL": "no secure connection",
        "refused": "connection refused",
        "No route": "no route to it",
        "unreachable": "no route to it",
        "reset": "connection reset",
        "IncompleteRead": "the answer broke off",
        "without response": "it hung up without an answer",
        "timed out": "its answer does not end in time",
    }
    known = next((cause for sign, cause in causes.items() if sign in text), None)
    return known or f"it cannot be reached ({type(error).__name__})"
