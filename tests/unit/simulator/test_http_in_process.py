"""The session without sockets: what it does with time. What it answers is compared with real sockets elsewhere."""

import pytest
import requests

from services.simulator.http import Request, Response, Wire, json_response
from services.simulator.http_in_process import InProcessSession
from shared.clock import VirtualClock

URL = "http://miner.test/x"
TIMEOUT = (3, 5)


def session_answering(clock: VirtualClock, response: Response) -> InProcessSession:
    return InProcessSession({"miner.test:80": lambda _request: response}, clock.advance)


@pytest.mark.parametrize(
    ("response", "error", "seconds"),
    [
        (Response(wire=Wire.SILENCE), requests.ReadTimeout, 5),
        (Response(delay_seconds=5), requests.ReadTimeout, 5),
        (Response(wire=Wire.RESET), requests.ConnectionError, 0),
        (Response(wire=Wire.RESET, delay_seconds=2), requests.ConnectionError, 2),
    ],
)
def test_a_fault_takes_its_time(
    clock: VirtualClock, response: Response, error: type[Exception], seconds: float
) -> None:
    start = clock.seconds()
    with session_answering(clock, response) as session, pytest.raises(error):
        session.get(URL, timeout=TIMEOUT)
    assert clock.seconds() - start == seconds


def test_a_late_answer_is_late(clock: VirtualClock) -> None:
    start = clock.seconds()
    with session_answering(clock, Response(body=b"[1]", delay_seconds=4.5)) as session:
        assert session.get(URL, timeout=TIMEOUT).json() == [1]
    assert clock.seconds() - start == 4.5


def test_half_an_answer_breaks_off(clock: VirtualClock) -> None:
    with session_answering(clock, Response(body=b"1234", wire=Wire.HALF)) as session:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(URL)
        with session.get(URL, stream=True) as response:
            assert response.raw.read1(100) == b"12"


def test_hosts_are_told_apart_by_name_and_port() -> None:
    def handler(name: str) -> Response:
        return json_response(name)

    handlers = {host: (lambda _request, host=host: handler(host)) for host in ("a.test:80", "a.test:81", "[::1]:80")}
    with InProcessSession(handlers) as session:
        assert session.get("http://a.test").json() == "a.test:80"
        assert session.get("http://A.test:81/x").json() == "a.test:81"
        assert session.get("http://[::1]/").json() == "[::1]:80"
        with pytest.raises(requests.ConnectionError, match="refused"):
            session.get("http://a.test:82/")


def test_what_it_does_not_offer_is_not_ignored() -> None:
    def handle(_request: Request) -> Response:
        return Response()

    with InProcessSession({"a.test:80": handle}) as session, pytest.raises(TypeError):
        session.post("http://a.test/", data={"a": "1"})
