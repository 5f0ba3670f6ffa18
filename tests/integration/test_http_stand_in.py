"""The stand-ins' web server on a real socket: each fault of the wire as a client sees it."""

import time

import pytest
import requests

from services.simulator.http import Request, Response, Wire, json_response
from services.simulator.http_server import HttpServer

ANSWERS = {
    "/whole": json_response({"a": 1}),
    "/half": Response(body=b"0123456789", wire=Wire.HALF),
    "/reset": Response(wire=Wire.RESET),
    "/silence": Response(wire=Wire.SILENCE),
    "/slow": Response(body=b"{}", delay_seconds=0.2),
}


def handle(request: Request) -> Response:
    if request.path == "/echo":
        return json_response({"method": request.method, "query": dict(request.query), "body": request.json()})
    return ANSWERS.get(request.path, Response(404))


def test_a_request_arrives_whole() -> None:
    with HttpServer(handle) as server:
        base = f"http://127.0.0.1:{server.port}"
        assert requests.get(f"{base}/whole", timeout=5).json() == {"a": 1}
        told = requests.post(f"{base}/echo?x=1&y=", json={"b": [2]}, timeout=5).json()
        assert told == {"method": "POST", "query": {"x": "1", "y": ""}, "body": {"b": [2]}}
        assert requests.get(f"{base}/nothing", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/half", requests.exceptions.ChunkedEncodingError),
        ("/reset", requests.ConnectionError),
        ("/silence", requests.ReadTimeout),
    ],
)
def test_faults_of_the_wire(path: str, error: type[Exception]) -> None:
    with HttpServer(handle) as server, requests.Session() as session, pytest.raises(error):
        session.get(f"http://127.0.0.1:{server.port}{path}", timeout=0.3)


def test_a_slow_answer_comes_and_others_do_not_wait_for_it() -> None:
    with HttpServer(handle) as server:
        base = f"http://127.0.0.1:{server.port}"
        began = time.monotonic()
        assert requests.get(f"{base}/slow", timeout=5).text == "{}"
        assert time.monotonic() - began >= 0.2


def test_a_port_can_be_taken_again_and_a_stop_ends_silence() -> None:
    with HttpServer(handle) as server, requests.Session() as session:
        port = server.port
        with pytest.raises(requests.ReadTimeout):
            session.get(f"http://127.0.0.1:{port}/silence", timeout=0.1)
    again = HttpServer(handle)
    assert again.start(port=port) == port
    again.stop()
