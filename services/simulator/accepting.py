"""What a stand-in on the WebSocket library needs of HTTP: its answers, and an accepting loop that is one of ours."""

from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import Server

from services.simulator.http import Response as Answer

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


def respond(answer: Answer) -> Response:
    """A whole answer as the library has it; the connection ends with it."""
    headers = Headers(
        {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), "Connection": "close"}
    )
    return Response(answer.status, HTTPStatus(answer.status).phrase, headers, answer.body)
