"""HTTP to one miner: one request at a time, bounded in time and size."""

from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from shared.clock import Clock
from shared.device import NonsenseError, UnreachableError
from shared.miner_session import MinerSession

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
WHOLE_ANSWER_SECONDS = 10.0
ANSWER_BYTES_MAX = 65_536
_PIECE_BYTES = 16_384


@dataclass(frozen=True)
class Answered:
    """What came back, whatever its status."""

    status: int
    content_type: str
    content: bytes

    @property
    def is_web_page(self) -> bool:
        """Whether it is HTML: what a miner's web interface answers where it has no such route."""
        return "html" in self.content_type.lower() or self.content.lstrip()[:1] == b"<"


class MinerWire:
    """Sends requests to one miner. Raises UnreachableError and NonsenseError; no error holds what was sent."""

    def __init__(self, clock: Clock, session: requests.Session | None = None) -> None:
        self._clock = clock
        self._session = session or MinerSession()
        # A proxy or .netrc of this machine has no business between us and a miner.
        self._session.trust_env = False

    def exchange(
        self,
        method: str,
        url: str,
        *,
        json: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answered:
        """One request and its whole answer. Redirects are not followed."""
        try:
            with self._session.request(
                method,
                url,
                json=json,
                headers={"Accept-Encoding": "identity"} | (headers or {}),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._content(response, bytes_max)
        except requests.Timeout as error:
            message = f"no answer within {READ_SECONDS:g} s"
            raise UnreachableError(message) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise UnreachableError(_cause(error)) from None
        return Answered(response.status_code, response.headers.get("Content-Type", ""), content)

    def close(self) -> None:
        self._session.close()

    def _content(self, response: requests.Response, bytes_max: int) -> bytes:
        """The body. Timeouts of sockets count from byte to byte, so the whole has a deadline of its own."""
        deadline = self._clock.seconds() + WHOLE_ANSWER_SECONDS
        content = bytearray()
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=False):
            content += piece
            if len(content) > bytes_max:
                message = f"answered more than {bytes_max} bytes"
                raise NonsenseError(message)
            if self._clock.seconds() > deadline:
                message = f"the answer took longer than {WHOLE_ANSWER_SECONDS:g} s"
                raise UnreachableError(message)
        return bytes(content)


def _cause(error: Exception) -> str:
    """Few words for what went wrong on the wire; the library's own text would show addresses of memory."""
    text = str(error)
    causes = {
        "NameResolution": "no such host name",
        "refused": "connection refused",
        "No route": "no route to it",
        "unreachable": "no route to it",
        "reset": "connection reset",
        "IncompleteRead": "the answer broke off",
        "without response": "hung up without an answer",
        "timed out": f"no answer within {READ_SECONDS:g} s",
    }
    known = next((cause for sign, cause in causes.items() if sign in text), None)
    return known or f"cannot be reached ({type(error).__name__})"
