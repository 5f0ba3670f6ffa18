"""The session for miners on a real socket, beside the one of `requests`."""

from typing import Any

import pytest
import requests
from urllib3.exceptions import ReadTimeoutError

from services.simulator.http import Request, Response, Wire, json_response
from services.simulator.http_server import HttpServer
from services.vnish_agent.client import VnishClient
from shared.clock import SystemClock
from shared.device import DeviceError, NonsenseError, UnreachableError
from shared.miner_session import MinerSession
from shared.settings import Address


class Echo:
    """Remembers what it was asked; answers a token, what it is told to, or a cookie that nobody should send back."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer = Response(body=b"{}", headers={"Set-Cookie": "a=b"})

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return json_response({"token": "t" * 32}) if request.path.endswith("/unlock") else self.answer

    def said(self) -> list[Any]:
        return [(one.method, one.path, one.body, dict(one.headers)) for one in self.asked]


@pytest.fixture
def echo() -> Echo:
    return Echo()


def ask(echo: Echo, session: requests.Session) -> list[Any]:
    echo.asked.clear()
    with HttpServer(echo) as server:
        client = VnishClient(Address("127.0.0.1", server.port), "admin", SystemClock(), session)
        client.get("/summary")
        client.post("/mining/throttle", {"percent": 40})
        client.close()
        return [(method, path, body, headers | {"host": ""}) for method, path, body, headers in echo.said()]


def test_it_sends_what_requests_would_send_but_no_cookies(echo: Echo) -> None:
    expected = ask(echo, requests.Session())
    for _method, _path, _body, headers in expected:
        headers.pop("cookie", None)
    assert ask(echo, MinerSession()) == expected


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(302, headers={"Location": "/elsewhere"}), NonsenseError),
        (Response(body=b'{"a": 1}', wire=Wire.HALF), UnreachableError),
        (Response(wire=Wire.RESET), UnreachableError),
    ],
)
def test_bad_answers_are_what_they_were(answer: Response, error: type[DeviceError], echo: Echo) -> None:
    echo.answer = answer
    with HttpServer(echo) as server:
        client = VnishClient(Address("127.0.0.1", server.port), "admin", SystemClock())
        with pytest.raises(error):
            client.get("/summary")
        client.close()
    assert len(echo.asked) == 1


def test_nobody_there_is_unreachable() -> None:
    with HttpServer(lambda _request: Response()) as server:
        port = server.port
    client = VnishClient(Address("127.0.0.1", port), "admin", SystemClock())
    with pytest.raises(UnreachableError, match="connection refused"):
        client.get("/summary")
    client.close()


def test_following_redirects_is_not_offered() -> None:
    with MinerSession() as session, pytest.raises(ValueError, match="redirects"):
        session.request(
            "GET", "http://127.0.0.1:1/", json=None, headers={}, timeout=(1, 1), allow_redirects=True, stream=True
        )


def test_time_to_connect_and_time_to_answer_are_two_things(echo: Echo) -> None:
    echo.answer = Response(body=b"{}", delay_seconds=0.6)
    with HttpServer(echo) as server, MinerSession() as session:
        url = f"http://127.0.0.1:{server.port}/api/v1/summary"
        wanted: dict[str, Any] = {"json": None, "headers": {}, "allow_redirects": False, "stream": True}
        with session.request("GET", url, timeout=(0.3, 30.0), **wanted) as answer:
            assert answer.status_code == 200
        with pytest.raises(ReadTimeoutError), session.request("GET", url, timeout=(30.0, 0.2), **wanted):
            pass
