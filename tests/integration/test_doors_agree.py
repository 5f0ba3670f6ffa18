"""What the doors without sockets answer is what real ones answer: the same question asked at both, fault by fault."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import websockets.sync.client
from urllib3.exceptions import HTTPError
from websockets.exceptions import ConnectionClosed

from services.simulator.home_assistant import Fault, HomeAssistantStandIn
from services.simulator.home_assistant_in_process import connector
from services.simulator.http import Handler, Request, Response, Wire, html_response, json_response
from services.simulator.http_in_process import InProcessSession
from services.simulator.http_server import HttpServer
from shared.clock import VirtualClock

SOC = "sensor.soc"
TOKEN = "right"
PATIENCE_SECONDS = 5.0
IMPATIENCE_SECONDS = 0.2
"""Where it is known that nothing will come."""
LATE = Response(delay_seconds=0.4)

ANSWERS = [
    json_response({"a": "ü" * 9000}),
    json_response({"err": "no"}, 500),
    html_response("<html>"),
    Response(204),
    Response(302, headers={"Location": "/elsewhere", "X-Own": "1"}),
    Response(body=b'{"a": 1}', wire=Wire.HALF),
    Response(body=b"1", wire=Wire.HALF),
    Response(wire=Wire.SILENCE),
    Response(wire=Wire.RESET),
    LATE,
]


def read_in_pieces(response: requests.Response) -> bytes:
    content = b""
    while piece := response.raw.read1(4096, decode_content=False):
        content += piece
    return content


READERS: list[Callable[[requests.Response], bytes]] = [
    read_in_pieces,
    lambda response: b"".join(response.iter_content(4096)),
    lambda response: bytes(response.raw.read(decode_content=False)),
    lambda response: response.content,
]


def outcome(
    session: requests.Session, url: str, read: Callable[[requests.Response], bytes], patience_seconds: float
) -> tuple[object, ...]:
    """The answer, or the error and the words in it that callers tell errors apart by."""
    try:
        with session.get(url, timeout=(1, patience_seconds), stream=True, allow_redirects=False) as response:
            shown = [response.headers.get(name) for name in ("content-type", "CONTENT-LENGTH", "location", "X-OWN")]
            return response.status_code, shown, read(response)
    except (requests.RequestException, HTTPError) as error:
        return type(error), [word for word in ("IncompleteRead", "refused", "timed out") if word in str(error)]


def by_number(request: Request) -> Response:
    return ANSWERS[int(request.path.removeprefix("/"))]


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with HttpServer(by_number) as serving:
        yield serving


@pytest.mark.parametrize("read", READERS, ids=["read1", "iter_content", "read", "content"])
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer.status}-{answer.wire}")
def test_an_answer_and_its_faults(
    server: HttpServer, answer: Response, read: Callable[[requests.Response], bytes]
) -> None:
    path = f"/{ANSWERS.index(answer)}"
    patience_seconds = IMPATIENCE_SECONDS if answer.wire is Wire.SILENCE or answer is LATE else PATIENCE_SECONDS
    with requests.Session() as real, InProcessSession({"127.0.0.1:80": by_number}) as session:
        real.trust_env = False
        expected = outcome(real, f"http://127.0.0.1:{server.port}{path}", read, patience_seconds)
        assert outcome(session, "http://127.0.0.1" + path, read, patience_seconds) == expected


def test_nobody_there() -> None:
    with HttpServer(lambda _request: LATE) as server:
        port = server.port
    with requests.Session() as real, InProcessSession({}) as session:
        for each in (real, session):
            assert outcome(each, f"http://127.0.0.1:{port}/x", read_in_pieces, PATIENCE_SECONDS) == (
                requests.ConnectionError,
                ["refused"],
            )


def test_the_request_as_the_handler_sees_it() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response()

    with HttpServer(handle) as server, requests.Session() as real:
        host = f"127.0.0.1:{server.port}"
        for session in (real, InProcessSession({host: handle})):
            session.trust_env = False
            session.headers["Authorization"] = "Bearer x"
            url = f"http://{host}/a/b?c=d&e="
            session.request("POST", url, params={"f": "g"}, json={"h": 1}, headers={"Accept-Encoding": "identity"})
    expected, got = (replace(request, headers={}) for request in seen)
    assert got == expected
    assert seen[0].headers.items() - seen[1].headers.items() == {("host", host)}


# --- Home Assistant


def asked(handler: Handler | None, url: str, token: str, patience_seconds: float) -> tuple[object, ...]:
    host = urlsplit(url).netloc
    session = requests.Session() if handler is None else InProcessSession({host: handler})
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    with session:
        return outcome(session, url, read_in_pieces, patience_seconds)


def talk(connect: Callable[..., Any], url: str, token: str, patience_seconds: float) -> list[object]:
    """All that the push says to one who logs in, subscribes, and asks for life."""
    log: list[object] = []
    ask: list[dict[str, object]] = [
        {"type": "auth", "access_token": token},
        {"id": 1, "type": "subscribe_entities", "entity_ids": [SOC]},
        {"id": 2, "type": "ping"},
    ]
    try:
        push = connect(url, open_timeout=patience_seconds, close_timeout=0.5, proxy=None, compression=None)
    except (OSError, websockets.exceptions.InvalidHandshake) as error:
        return [type(error), str(error) if isinstance(error, websockets.exceptions.InvalidHandshake) else ""]
    try:
        for message in ask:
            log.append(push.recv(timeout=patience_seconds))
            push.send(json.dumps(message))
        log += [push.recv(timeout=patience_seconds) for _ in range(2)]
    except (ConnectionClosed, TimeoutError) as error:
        log.append(str(error) if isinstance(error, ConnectionClosed) else type(error))
    finally:
        push.close()
    return log


@pytest.mark.parametrize("fault", [None, *Fault])
def test_home_assistants_doors(fault: Fault | None) -> None:
    stand_in = HomeAssistantStandIn(token=TOKEN, clock=VirtualClock())
    stand_in.core.set_state(SOC, "80", {"unit_of_measurement": "%"})
    stand_in.start()
    patience_seconds = IMPATIENCE_SECONDS if fault is Fault.FROZEN else PATIENCE_SECONDS
    try:
        stand_in.order(fault)
        url, host = stand_in.url, f"{stand_in.host}:{stand_in.port}"
        questions = [
            (f"/api/states/{SOC}", TOKEN),
            ("/api/states/sensor.none", TOKEN),
            ("/api/", "wrong"),
            ("/", TOKEN),
        ]
        for path, token in questions:
            real = asked(None, url + path, token, patience_seconds)
            assert asked(stand_in.core.handle, url + path, token, patience_seconds) == told_apart(real)
        push = url.replace("http", "ws") + "/api/websocket"
        in_process = connector({host: stand_in.core}, lambda _seconds, _until: None)
        for token in (TOKEN, "wrong"):
            expected = talk(websockets.sync.client.connect, push, token, patience_seconds)
            assert talk(in_process, push, token, patience_seconds) == expected
    finally:
        stand_in.stop()


def told_apart(real: tuple[object, ...]) -> tuple[object, ...]:
    """While it restarts, the real port refuses; in process the handler is still there and hangs up."""
    return (real[0], []) if real[1:] == (["refused"],) else real
