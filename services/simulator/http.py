"""What stand-ins speak: a handler is a pure function from request to response.

A response may also say how the wire misbehaves: silence, half an answer, a reset, a long wait before it, or a body
that goes on and on.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Wire(StrEnum):
    """How an answer reaches the other side."""

    WHOLE = "whole"
    HALF = "half"
    """The full length is announced, half of it sent, and the connection closed."""
    SILENCE = "silence"
    """The request is taken and never answered."""
    RESET = "reset"


@dataclass(frozen=True)
class Request:
    """What came in."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Response:
    """What goes out, and how."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    wire: Wire = Wire.WHOLE
    delay_seconds: float = 0.0
    pieces: Callable[[], Iterator[bytes]] | None = None
    """A body of unknown length in place of `body`, perhaps without an end."""
    piece_seconds: float = 0.0
    """The time between two pieces."""


Handler = Callable[[Request], Response]


def json_response(answer: Any, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(status, json.dumps(answer).encode())


def html_response(text: str, status: int = 200) -> Response:
    """A web page."""
    return Response(status, text.encode(), "text/html; charset=utf-8")
