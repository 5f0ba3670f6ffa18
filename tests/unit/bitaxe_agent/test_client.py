"""HTTP to one Bitaxe, without sockets: what is sent, what is not, and what each bad answer becomes."""

import pytest

from services.bitaxe_agent.client import AxeClient, RouteMissingError
from services.simulator.http import Request, Response, Wire, html_response, json_response
from shared.clock import VirtualClock
from shared.device import DeviceError, NonsenseError, RefusedError, UnauthorizedError, UnreachableError
from shared.miner_wire import ANSWER_BYTES_MAX
from shared.settings import Address
from tests.farm import session_to


class Device:
    """Gives one answer to everything and remembers what it was asked."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        return self.answer


def client_of(device: Device, clock: VirtualClock) -> AxeClient:
    return AxeClient(Address("bitaxe.test"), clock, session_to({"bitaxe.test:80": device.handle}, clock))


def test_requests_are_short_and_without_an_origin(clock: VirtualClock) -> None:
    device = Device(json_response({"version": "v2.12.2"}))
    client = client_of(device, clock)
    assert client.info() == {"version": "v2.12.2"}
    client.change({"frequency": 450})
    client.pause()
    client.resume()
    client.restart()
    client.identify()
    assert [(asked.method, asked.path) for asked in device.asked] == [
        ("GET", "/api/system/info"),
        ("PATCH", "/api/system"),
        ("POST", "/api/system/pause"),
        ("POST", "/api/system/resume"),
        ("POST", "/api/system/restart"),
        ("POST", "/api/system/identify"),
    ]
    for asked in device.asked:
        assert asked.headers["connection"] == "close"
        assert "origin" not in asked.headers
    assert device.asked[1].json() == {"frequency": 450}


@pytest.mark.parametrize("answer", [Response(), json_response({"status": "success", "redirect": {}}), Response(204)])
def test_a_change_has_no_answer_worth_reading(answer: Response, clock: VirtualClock) -> None:
    client_of(Device(answer), clock).change({"frequency": 450})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(401, b"Unauthorized", "text/plain"), UnauthorizedError),
        (Response(302, headers={"Location": "/"}), RouteMissingError),
        (Response(307, headers={"Location": "http://elsewhere.test/"}), RouteMissingError),
        (Response(404), RouteMissingError),
        (json_response({"error": "unknown route"}, 404), RouteMissingError),
        (Response(405), RouteMissingError),
        (Response(400, b"Wrong API input", "text/plain"), RefusedError),
        (Response(500, b"content too long", "text/plain"), RefusedError),
        (html_response("<html></html>"), RouteMissingError),
        (Response(body=b"{"), NonsenseError),
        (Response(body=b""), NonsenseError),
        (Response(body=b"[]"), NonsenseError),
        (Response(body=b"{}"), NonsenseError),
        (Response(body=b"null"), NonsenseError),
        (Response(body=b"[" * 60_000), NonsenseError),
        (Response(body=b'"' + b"x" * ANSWER_BYTES_MAX + b'"'), NonsenseError),
        (Response(wire=Wire.RESET), UnreachableError),
        (Response(body=b'{"a": 1}', wire=Wire.HALF), UnreachableError),
        (Response(wire=Wire.SILENCE), UnreachableError),
    ],
)
def test_each_bad_answer_has_its_name(answer: Response, error: type[DeviceError], clock: VirtualClock) -> None:
    device = Device(answer)
    with pytest.raises(error) as caught:
        client_of(device, clock).info()
    assert type(caught.value) is error
    assert len(device.asked) == 1, "followed nowhere, and not asked twice"


def test_what_it_says_of_a_refusal_is_told_without_what_cannot_be_shown(clock: VirtualClock) -> None:
    said = b"Wrong\x1b[31m API\ninput" + b"x" * 500
    with pytest.raises(RefusedError) as caught:
        client_of(Device(Response(400, said, "text/plain")), clock).change({"frequency": 0})
    assert caught.value.sentence.startswith("the settings answered 400: Wrong[31m APIinputxx")
    assert len(caught.value.sentence) < 160
