"""Requests: what is asked once of a miner or group, and the answer of whoever does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.connection import Connection
from deploy.console.line import Line
from deploy.console.targets import Target
from shared.bus import Received
from shared.messages import Event, Number, Request, RequestKind
from shared.topics import GROUP_CHOICE, GROUP_EVENT, GROUP_REQUEST, MINER_CHOICE, MINER_EVENT, MINER_REQUEST, Topic

ANSWER_SECONDS = 10.0
ACCEPTED, REFUSED = "request_accepted", "request_refused"
_NOBODY = f"nobody answered within {ANSWER_SECONDS:g} s: is the engine running? Fix: start it, and ask again."
_NOBODY_IDENTIFIES = f"nobody answered within {ANSWER_SECONDS:g} s: does the agent that tends it run?"


@dataclass(frozen=True)
class Answer:
    """What came back for one miner or group."""

    name: str
    sentence: str
    accepted: bool


class Questions:
    """Asks over a line that it opens itself, because answers are never remembered by the broker."""

    def __init__(self, connection: Connection) -> None:
        self._answers: dict[tuple[bool, str, datetime], Event] = {}
        topics = (MINER_EVENT, GROUP_EVENT, MINER_CHOICE, GROUP_CHOICE)
        self.line = Line(connection, topics, self._heard)

    def ask(
        self, targets: Sequence[Target], kind: RequestKind, by: str, choose: Mapping[str, Mapping[str, Number | None]]
    ) -> list[Answer]:
        """Asks each, and waits for all of them. `choose`: by name, for a choice. To be called inside the line."""
        now = self.line.clock.now()
        for target in targets:
            request = Request(at=now, kind=kind, by=by, choose=dict(choose.get(target.name, {})))
            self.line.say(GROUP_REQUEST if target.is_group else MINER_REQUEST, target.name, request)
        keys = [(target.is_group, target.name, now) for target in targets]
        self.line.listen(ANSWER_SECONDS, lambda: all(key in self._answers for key in keys))
        return [self._answer(key, kind) for key in keys]

    def _answer(self, key: tuple[bool, str, datetime], kind: RequestKind) -> Answer:
        event = self._answers.get(key)
        if event is None:
            return Answer(key[1], _NOBODY_IDENTIFIES if kind is RequestKind.IDENTIFY else _NOBODY, accepted=False)
        return Answer(key[1], event.sentence, event.code == ACCEPTED)

    def _heard(self, topic: Topic[Any], received: Received[Any]) -> None:
        event = received.message
        if topic not in (MINER_EVENT, GROUP_EVENT) or event is None or event.code not in {ACCEPTED, REFUSED}:
            return
        asked_at = _moment(event.numbers.get("request"))
        if asked_at is not None:
            self._answers[topic is GROUP_EVENT, received.identifier, asked_at] = event


def _moment(text: Number | None) -> datetime | None:
    """The request that is answered, by its time."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
