"""The push without sockets: what the bridge's side of it sees, message by message."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.simulator.home_assistant_in_process import InProcessConnection, connector
from services.simulator.home_assistant_talk import Fault, HomeAssistantCore
from shared.clock import VirtualClock

TOKEN = "right"
SOC = "sensor.soc"
URL = "ws://ha.test:8123/api/websocket"


class Rig:
    """A core, and a wait that only advances the clock. `act` happens after a second of waiting."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.core = HomeAssistantCore(token=TOKEN, clock=clock)
        self.core.set_state(SOC, "80")
        self.act: Callable[[], None] | None = None
        self.connect = connector({"ha.test:8123": self.core}, self._wait)

    def opened(self) -> InProcessConnection:
        """Logged in and subscribed; what has been said so far has been read."""
        push = self.connect(URL)
        heard(push)
        say(push, type="auth", access_token=TOKEN)
        assert heard(push)["type"] == "auth_ok"
        say(push, id=1, type="subscribe_entities", entity_ids=[SOC])
        assert heard(push) == {"id": 1, "type": "result", "success": True, "result": None}
        assert heard(push)["event"]["a"][SOC]["s"] == "80"
        return push

    def _wait(self, seconds: float, until: Callable[[], bool]) -> None:
        if self.act is not None and seconds >= 1:
            self.clock.advance(1)
            self.act()
            seconds -= 1
        if not until():
            self.clock.advance(seconds)


@pytest.fixture
def rig(clock: VirtualClock) -> Rig:
    return Rig(clock)


def say(push: InProcessConnection, **message: object) -> None:
    push.send(json.dumps(message))


def heard(push: InProcessConnection, timeout: float = 2) -> dict[str, Any]:
    message = json.loads(push.recv(timeout=timeout))
    assert isinstance(message, dict)
    return message


def test_only_what_was_asked_for_is_pushed(rig: Rig) -> None:
    push = rig.opened()
    rig.core.set_state("sensor.other", "1")
    rig.core.set_state(SOC, "79")
    assert heard(push)["event"]["c"][SOC]["+"]["s"] == "79"
    say(push, id=2, type="ping")
    assert heard(push) == {"id": 2, "type": "pong"}
    say(push, id=3, type="turn_the_sun_on")
    assert heard(push)["error"]["code"] == "unknown_command"


def test_waiting_ends_with_a_message_or_with_the_time(rig: Rig) -> None:
    push, start = rig.opened(), rig.clock.seconds()
    with pytest.raises(TimeoutError):
        push.recv(timeout=3)
    assert rig.clock.seconds() - start == 3
    rig.act = lambda: rig.core.set_state(SOC, "79")
    assert heard(push, 3)["event"]["c"][SOC]["+"]["s"] == "79"
    assert rig.clock.seconds() - start == 4


def test_what_came_before_a_cut_is_still_read(rig: Rig) -> None:
    push = rig.opened()
    rig.core.set_state(SOC, "79")
    rig.core.order(Fault.RESTARTING)
    assert heard(push)["type"] == "event"
    start = rig.clock.seconds()
    with pytest.raises(ConnectionClosed):
        push.recv(timeout=3)
    with pytest.raises(ConnectionClosed):
        say(push, id=2, type="ping")
    assert rig.clock.seconds() == start, "a cut is noticed at once"


def test_a_cut_ends_the_waiting(rig: Rig) -> None:
    push, start = rig.opened(), rig.clock.seconds()
    rig.act = lambda: rig.core.order(Fault.NO_PUSH)
    with pytest.raises(ConnectionClosed):
        push.recv(timeout=3)
    assert rig.clock.seconds() - start == 1


def test_a_wrong_token_ends_the_conversation(rig: Rig) -> None:
    push = rig.connect(URL)
    heard(push)
    say(push, type="auth", access_token="wrong")
    assert heard(push)["type"] == "auth_invalid"
    with pytest.raises(ConnectionClosed):
        push.recv(timeout=1)
    assert rig.core.logins_refused == 1


def test_what_is_no_message_ends_it(rig: Rig) -> None:
    for text in ("<html>", "[]", '{"type": "ping"}'):
        push = rig.opened()
        push.send(text)
        with pytest.raises(ConnectionClosed):
            push.recv(timeout=1)


def test_who_has_left_is_told_nothing(rig: Rig) -> None:
    push = rig.opened()
    push.close()
    push.close()
    assert not rig.core.subscribed
    rig.core.set_state(SOC, "79")
    with pytest.raises(ConnectionClosed):
        push.recv(timeout=1)


@pytest.mark.parametrize(("fault", "status"), [(Fault.BROKEN, 500), (Fault.NO_PUSH, 400)])
def test_a_handshake_refused(rig: Rig, fault: Fault, status: int) -> None:
    rig.core.order(fault)
    with pytest.raises(InvalidStatus) as refused:
        rig.connect(URL)
    assert refused.value.response.status_code == status


def test_nobody_answers_while_it_restarts_nor_under_another_name(rig: Rig) -> None:
    for url in ("ws://ha.test/api/websocket", "ws://other.test:8123/api/websocket"):
        with pytest.raises(ConnectionRefusedError):
            rig.connect(url)
    rig.core.order(Fault.RESTARTING)
    with pytest.raises(ConnectionRefusedError):
        rig.connect(URL)


def test_a_handshake_with_a_frozen_one_takes_its_time(rig: Rig) -> None:
    rig.core.order(Fault.FROZEN)
    start = rig.clock.seconds()
    with pytest.raises(TimeoutError):
        rig.connect(URL, open_timeout=5, close_timeout=1, ping_interval=None, max_size=1, compression=None, proxy=None)
    assert rig.clock.seconds() - start == 5
    rig.act = lambda: rig.core.order(None)
    assert heard(rig.connect(URL, open_timeout=5))["type"] == "auth_required"
    assert rig.clock.seconds() - start == 6


def test_a_freeze_swallows_and_a_thaw_cuts(rig: Rig) -> None:
    push = rig.opened()
    rig.core.order(Fault.FROZEN)
    rig.core.set_state(SOC, "79")
    say(push, id=2, type="ping")
    with pytest.raises(TimeoutError):
        push.recv(timeout=1)
    rig.core.order(None)
    with pytest.raises(ConnectionClosed):
        push.recv(timeout=1)


def test_nonsense_is_no_json(rig: Rig) -> None:
    push = rig.opened()
    rig.core.order(Fault.NONSENSE)
    rig.core.set_state(SOC, "79")
    assert push.recv(timeout=1).startswith("<html>")
    assert rig.connect(URL).recv(timeout=1).startswith("<html>")
