"""Asking a supervisor for its broker, over a real socket."""

import json

import pytest

from deploy.addon.supervisor import SupervisorError, offered_broker
from services.simulator.http import Request, Response, Wire, json_response
from services.simulator.http_server import HttpServer

SERVICE = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": "secret"}


class Supervisor:
    """Answers in turn; the last answer stands."""

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def ask(self) -> object:
        with HttpServer(self.handle) as server:
            return offered_broker(f"http://127.0.0.1:{server.port}", "token")


def test_the_broker_that_it_shares() -> None:
    supervisor = Supervisor(json_response({"result": "ok", "data": SERVICE}))
    offered = supervisor.ask()
    assert repr(offered) == "OfferedBroker(url='mqtt://core-mosquitto:1883', username='addons')", "without the password"
    (asked,) = supervisor.asked
    assert (asked.path, asked.headers["authorization"]) == ("/services/mqtt", "Bearer token")


def test_with_tls_and_by_a_bare_address() -> None:
    offered = Supervisor(json_response({"data": {**SERVICE, "ssl": True, "host": "fd00::1", "port": 8883}})).ask()
    assert "mqtts://[fd00::1]:8883" in repr(offered)


def test_none_is_offered() -> None:
    assert Supervisor(json_response({"result": "error", "message": "Service not enabled"}, 400)).ask() is None


@pytest.mark.parametrize("status", [502, 503])
def test_one_that_is_just_starting_is_asked_again(status: int) -> None:
    supervisor = Supervisor(Response(status), json_response({"data": SERVICE}))
    assert supervisor.ask() is not None
    assert len(supervisor.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Response(403),
        Response(500),
        Response(200, b"<html>"),
        json_response({"data": {"host": "", "port": 1883}}),
        json_response({"data": {"host": "x", "port": 0}}),
        json_response({"data": {}}),
        Response(200, json.dumps([]).encode()),
        Response(wire=Wire.RESET),
    ],
)
def test_what_is_no_answer_is_not_taken_for_no_broker(answer: Response) -> None:
    with pytest.raises(SupervisorError, match="Fix: "):
        Supervisor(answer).ask()
