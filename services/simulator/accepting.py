"""What a stand-in on the WebSocket library needs of HTTP: plain answers, and an accepting loop that is one of ours."""

import json
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import Server

_ENDED_SECONDS = 3600.0


class Accepting:
    """The library's loop as one of ours: its only step lasts until the server is shut down."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def step(self) -> float:
        self._server.serve_forever()
        return _ENDED_SECONDS

    def close(self) -> None:
        self._server.socket.close()


def respond(status: HTTPStatus, body: object) -> Response:
    """An answer with a text, or with anything else as JSON; the connection ends with it."""
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/plain" if isinstance(body, str) else "application/json"
    encoded = text.encode()
    headers = Headers(
        {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(encoded)), "Connection": "close"}
    )
    return Response(status.value, status.phrase, headers, encoded)
