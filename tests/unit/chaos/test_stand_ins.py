"""What the miners of a chaos run write down of what is done to them."""

import json
from typing import Any

import pytest

from services.simulator.http import Request, Wire
from services.simulator.vnish import PREFIX
from tests.chaos.stand_ins import StandIns


@pytest.fixture
def stand_ins() -> StandIns:
    return StandIns(
        2,
        {"vnish_agent-1": "first", "vnish_agent-2": "second"},
    )


def ask(stand_ins: StandIns, path: str, body: Any = None, token: str = "") -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = Request("POST", PREFIX + path, headers=headers, body=json.dumps(body or {}).encode())
    return stand_ins.miners["m0"].handle(request)


def token_of(stand_ins: StandIns, password: str) -> str:
    return str(json.loads(ask(stand_ins, "/unlock", {"pw": password}).body)["token"])


def test_it_is_known_whose_token_a_request_came_with(stand_ins: StandIns) -> None:
    first, second = token_of(stand_ins, "first"), token_of(stand_ins, "second")
    ask(stand_ins, "/mining/stop", token=first)
    ask(stand_ins, "/mining/start", token=second)
    told = stand_ins.obey({})["controls"]
    assert [(one["device"], one["by"], one["starts"], one["took"]) for one in told] == [
        ("m0", "vnish_agent-1", False, True),
        ("m0", "vnish_agent-2", True, True),
    ]
    assert told[0]["at"] <= told[1]["at"]
    assert stand_ins.obey({})["controls"] == [], "each is told once"


def test_what_was_refused_or_swallowed_was_not_taken(stand_ins: StandIns) -> None:
    first = token_of(stand_ins, "first")
    ask(stand_ins, "/mining/stop", token="nobody's")
    refused = stand_ins.obey({"hang": ["m0"]})["controls"]
    assert ask(stand_ins, "/mining/stop", token=first).wire is Wire.SILENCE
    told = stand_ins.obey({"heal": ["m0"]})
    taken = [(one["by"], one["took"]) for one in [*refused, *told["controls"]]]
    assert taken == [("", False), ("vnish_agent-1", False)]
    assert told["busy"] == ["m0", "m1"]


def test_a_wrong_password_opens_nothing(stand_ins: StandIns) -> None:
    for wrong in ("third", None, ["first"], {"first": 1}):
        assert ask(stand_ins, "/unlock", {"pw": wrong}).status == 403


def test_monitoring_is_no_control(stand_ins: StandIns) -> None:
    stand_ins.miners["m0"].handle(Request("GET", PREFIX + "/summary"))
    token_of(stand_ins, "first")
    assert stand_ins.obey({})["controls"] == []
