"""The session for miners, as far as it needs no socket: room for one connection, a few addresses, plain HTTP."""

import queue

import pytest
import requests

from shared.messages import Override
from shared.miner_session import MinerSession, OneSlot


def test_there_is_room_for_one() -> None:
    slot = OneSlot(1)
    with pytest.raises(queue.Empty):
        slot.get(block=False)
    slot.put("connection")
    assert slot.qsize() == 1
    with pytest.raises(queue.Full):
        slot.put("another", block=False)
    assert slot.get(block=False) == "connection"
    assert slot.qsize() == 0


def test_only_a_few_addresses_are_kept() -> None:
    with MinerSession() as session:
        pools = [session._pool(f"http://192.0.2.{number}") for number in range(6)]
        assert session._pool("http://192.0.2.5") is pools[5]
        assert session._pool("http://192.0.2.0") is not pools[0]


def test_miners_are_asked_over_plain_http_alone() -> None:
    with MinerSession() as session, pytest.raises(requests.exceptions.InvalidSchema):
        session.request(
            "GET", "https://192.0.2.1/", json=None, headers={}, timeout=(1, 1), allow_redirects=False, stream=True
        )


@pytest.mark.parametrize("words", ['"kind": "limit"', '"kind": "pause", "max_w": 100'])
def test_a_limit_says_how_much_and_nothing_else_does(words: str) -> None:
    with pytest.raises(ValueError, match="max_w belongs to a limit"):
        Override.model_validate_json(f'{{"at": "2026-06-21T12:00:00Z", {words}}}')
