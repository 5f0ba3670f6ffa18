"""HTTP to one miner, without sockets: what is sent, what is not, and what each bad answer becomes."""

from collections.abc import Callable

import pytest

from services.simulator.http import Request, Response, Wire, html_response, json_response
from services.vnish_agent.client import RENEW_TOKEN_SECONDS, RouteMissingError, VnishClient
from shared.clock import VirtualClock
from shared.device import (
    BusyError,
    DeviceError,
    NonsenseError,
    RefusedError,
    UnauthorizedError,
    UnreachableError,
)
from shared.miner_wire import ANSWER_BYTES_MAX
from shared.settings import Address
from tests.farm import session_to

PASSWORD = "pass-4711"


class Miner:
    """Answers by table and remembers what it was asked."""

    def __init__(self, **answers: Response | Callable[[Request], Response]) -> None:
        self.answers = answers
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self.answers.get(request.path.rsplit("/", 1)[-1], Response(404))
        return answer if isinstance(answer, Response) else answer(request)

    def paths(self) -> list[str]:
        return [request.path.removeprefix("/api/v1") for request in self.asked]


def client_of(miner: Miner, clock: VirtualClock) -> VnishClient:
    return VnishClient(Address("miner.test"), PASSWORD, clock, session_to({"miner.test:80": miner.handle}, clock))


TOKEN = json_response({"token": "t" * 32})


def test_an_empty_200_is_fine_and_the_token_is_kept(clock: VirtualClock) -> None:
    miner = Miner(unlock=TOKEN, stop=Response())
    client = client_of(miner, clock)
    assert client.post("/mining/stop") is None
    assert client.post("/mining/stop") is None
    assert miner.paths() == ["/unlock", "/mining/stop", "/mining/stop"]
    assert miner.asked[1].headers["authorization"] == "Bearer " + "t" * 32
    assert miner.asked[0].json() == {"pw": PASSWORD}


def test_monitoring_sends_no_token_and_needs_none(clock: VirtualClock) -> None:
    miner = Miner(unlock=TOKEN, summary=json_response({"miner": None}))
    assert client_of(miner, clock).get("/summary") == {"miner": None}
    assert miner.paths() == ["/summary"]


def test_monitoring_that_asks_for_a_token_gets_one(clock: VirtualClock) -> None:
    def summary(request: Request) -> Response:
        return json_response({"miner": {}}) if "authorization" in request.headers else Response(401)

    miner = Miner(unlock=TOKEN, summary=summary)
    assert client_of(miner, clock).get("/summary") == {"miner": {}}
    assert miner.paths() == ["/summary", "/unlock", "/summary"]


def test_401_is_replayed_once_and_then_left_alone(clock: VirtualClock) -> None:
    miner = Miner(unlock=TOKEN, stop=Response(401))
    client = client_of(miner, clock)
    with pytest.raises(UnauthorizedError) as caught:
        client.post("/mining/stop")
    assert caught.value.retry_seconds == 60
    assert miner.paths() == ["/unlock", "/mining/stop"] * 2
    with pytest.raises(UnauthorizedError):
        client.post("/mining/stop")
    assert len(miner.asked) == 4, "nothing is sent while it waits"


@pytest.mark.parametrize(("status", "error"), [(403, UnauthorizedError), (429, BusyError)])
def test_unlock_backs_off_and_doubles(status: int, error: type[DeviceError], clock: VirtualClock) -> None:
    miner = Miner(unlock=json_response({"unlock_timeout": None}, status))
    client = client_of(miner, clock)
    waits = []
    for _ in range(6):
        with pytest.raises(error) as caught:
            client.post("/mining/stop")
        waits.append(caught.value.retry_seconds or 0)
        assert client.locked_out()
        with pytest.raises(error):
            client.post("/mining/stop")
        clock.advance(waits[-1])
    for waited, longest in zip(waits, [60, 120, 240, 480, 900, 900], strict=True):
        assert max(60, longest / 2) <= waited <= longest, "twice as long each time, at least a minute, not in step"
    assert len(miner.asked) == 6
    miner.answers = {"unlock": TOKEN, "stop": Response()}
    client.post("/mining/stop")
    assert not client.locked_out()


def test_a_longer_pause_is_granted_when_asked_for(clock: VirtualClock) -> None:
    client = client_of(Miner(unlock=json_response({"unlock_timeout": 300}, 429)), clock)
    with pytest.raises(BusyError) as caught:
        client.post("/mining/stop")
    assert caught.value.retry_seconds == 300


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(404), RouteMissingError),
        (html_response("<html></html>"), RouteMissingError),
        (Response(body=b"  <!doctype html>", content_type="text/plain"), RouteMissingError),
        (Response(body=b"{"), NonsenseError),
        (Response(body=b"\xff\xfe"), NonsenseError),
        (Response(body=b"[" * 60_000), NonsenseError),
        (Response(body=b'"' + b"x" * ANSWER_BYTES_MAX + b'"'), NonsenseError),
        (Response(302, headers={"Location": "http://elsewhere.test/"}), NonsenseError),
        (json_response({"err": "busy"}, 500), RefusedError),
        (json_response([], 503), RefusedError),
        (Response(403), UnauthorizedError),
        (Response(429), BusyError),
        (Response(wire=Wire.SILENCE), UnreachableError),
        (Response(wire=Wire.RESET), UnreachableError),
        (Response(body=b'{"miner": null}', wire=Wire.HALF), UnreachableError),
        (Response(delay_seconds=30), UnreachableError),
    ],
)
def test_every_bad_answer_has_its_name(answer: Response, error: type[DeviceError], clock: VirtualClock) -> None:
    began = clock.seconds()
    with pytest.raises(error) as caught:
        client_of(Miner(summary=answer), clock).get("/summary")
    assert type(caught.value) is error
    assert clock.seconds() - began <= 5
    assert caught.value.sentence


class RacingClock(VirtualClock):
    """Six seconds pass between one look and the next."""

    def seconds(self) -> float:
        self.advance(6)
        return super().seconds()


def test_an_answer_that_trickles_is_given_up() -> None:
    clock = RacingClock()
    miner = Miner(summary=json_response({"miner": "x" * 60_000}))
    with pytest.raises(UnreachableError, match="longer than 10 s"):
        client_of(miner, clock).get("/summary")


def test_an_unknown_host_is_unreachable(clock: VirtualClock) -> None:
    client = VnishClient(Address("elsewhere.test"), PASSWORD, clock, session_to({}, clock))
    with pytest.raises(UnreachableError, match="connection refused"):
        client.get("/summary")


@pytest.mark.parametrize("token", [None, "", 7, "x" * 5000, "bad\r\nHeader: 1"])
def test_a_token_that_cannot_be_one_is_nonsense(token: object, clock: VirtualClock) -> None:
    with pytest.raises(DeviceError) as caught:
        client_of(Miner(unlock=json_response({"token": token})), clock).post("/mining/stop")
    assert caught.value.code == "nonsense"


def test_no_error_holds_a_secret(clock: VirtualClock) -> None:
    echo = json_response({"err": f"bad password {PASSWORD} and token {'t' * 32}"}, 500)
    with pytest.raises(RefusedError) as caught:
        client_of(Miner(unlock=TOKEN, stop=echo), clock).post("/mining/stop")
    assert "***" in caught.value.sentence
    assert PASSWORD not in repr(caught.value)
    assert "tttt" not in repr(caught.value)


# --- a token beforehand


def unlocked(miner: Miner, clock: VirtualClock) -> VnishClient:
    client = client_of(miner, clock)
    client.post("/mining/stop")
    miner.asked.clear()
    return client


def test_a_token_is_renewed_before_it_dies_and_not_oftener(clock: VirtualClock) -> None:
    miner = Miner(unlock=TOKEN, stop=Response())
    client = unlocked(miner, clock)
    for _ in range(3 * int(RENEW_TOKEN_SECONDS) // 10):
        clock.advance(10)
        client.renew_token()
    assert miner.paths() == ["/unlock"] * 3


def test_without_a_token_none_is_fetched_for_later(clock: VirtualClock) -> None:
    miner = Miner(unlock=TOKEN)
    client_of(miner, clock).renew_token()
    assert miner.asked == []


@pytest.mark.parametrize(
    "answer", [json_response({"unlock_timeout": 60}, 429), Response(403), Response(wire=Wire.RESET), json_response({})]
)
def test_a_renewal_that_fails_leaves_the_old_token_and_is_not_repeated_at_once(
    answer: Response, clock: VirtualClock
) -> None:
    miner = Miner(unlock=TOKEN, stop=Response())
    client = unlocked(miner, clock)
    miner.answers["unlock"] = answer
    clock.advance(RENEW_TOKEN_SECONDS)
    with pytest.raises(DeviceError):
        client.renew_token()
    for _ in range(5):
        clock.advance(10)
        client.renew_token()
    client.post("/mining/stop")
    assert miner.paths() == ["/unlock", "/mining/stop"], "the stop goes out with the token that is still good"


def test_what_is_forbidden_is_not_sent_again_at_once(clock: VirtualClock) -> None:
    miner = Miner(unlock=TOKEN, stop=Response(403))
    client = client_of(miner, clock)
    for _ in range(3):
        with pytest.raises(UnauthorizedError):
            client.post("/mining/stop")
    assert miner.paths() == ["/unlock", "/mining/stop"]
