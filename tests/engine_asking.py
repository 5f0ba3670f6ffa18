"""A whole engine that people ask, what it answers, and which choices its broker remembers."""

from datetime import timedelta
from typing import Any

from services.policy_engine.rules import GroupRules, MinerRules, Rules, WatchRules
from shared.bus import Received
from shared.messages import Choice, Event, Number, Request, RequestKind
from shared.topics import (
    GROUP_CHOICE,
    GROUP_EVENT,
    GROUP_REQUEST,
    MINER_CHOICE,
    MINER_EVENT,
    MINER_REQUEST,
    Topic,
)
from tests.engine_core import DIMMABLE
from tests.engine_whole import hashing

RULES = Rules(
    miners={"s19": MinerRules(73, 75, max_w=3300, watch=WatchRules(can_restart=True)), "s21": MinerRules()},
    groups={"shed": GroupRules(("s19", "s21"))},
)


class Asking:
    """A farm of two miners, what is answered, and which choices the broker remembers."""

    def __init__(self) -> None:
        self.run = hashing(RULES)
        self.run.ladder = DIMMABLE
        self.run.run(20)
        self.answers: list[tuple[str, Event]] = []
        self.choices: list[tuple[str, Choice | None]] = []
        for topic in (MINER_EVENT, GROUP_EVENT):
            self.run.world.subscribe(topic, self._told)
        for choice in (MINER_CHOICE, GROUP_CHOICE):
            self.run.world.subscribe(choice, self._chosen)

    def ask(self, who: str, kind: RequestKind = RequestKind.CHOOSE, late: float = 0, **choose: Number | None) -> Event:
        """The answer to a request made so many seconds ago."""
        at = self.run.clock.now() - timedelta(seconds=late)
        return self.again(who, Request(at=at, kind=kind, by="Ana", choose=choose))

    def again(self, who: str, request: Request) -> Event:
        before = len(self.answers)
        self.run.say(GROUP_REQUEST if who in RULES.groups else MINER_REQUEST, who, request)
        answers = [event for name, event in self.answers[before:] if name == who and "request" in event.numbers]
        assert len(answers) == 1, answers
        assert answers[0].numbers == {"request": request.at.isoformat(), "kind": str(request.kind), "by": "Ana"}
        return answers[0]

    def codes(self) -> list[str]:
        return [event.code for _, event in self.answers]

    def retained(self, topic: Topic[Any], who: str) -> Choice | None:
        payload = self.run.broker.retained.get(topic.path("sunherd", who))
        return None if payload is None else Choice.model_validate_json(payload)

    def _told(self, received: Received[Event]) -> None:
        if received.message is not None:
            self.answers.append((received.identifier, received.message))

    def _chosen(self, received: Received[Choice]) -> None:
        self.choices.append((received.identifier, received.message))
