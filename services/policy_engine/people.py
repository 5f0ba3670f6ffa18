"""Hears people: their overrides, what they have chosen, and what they ask for; and answers each request once."""

import logging
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from services.policy_engine.choices import Choices, Refusal, choice_by, is_empty, unsound
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm, with_asked
from services.policy_engine.view import Asked
from services.policy_engine.watchdog.asked import refusal
from services.policy_engine.wording import plain, span
from shared.answer import answer_to
from shared.bus import Received
from shared.messages import Action, Choice, Event, Override, Request, RequestKind, Severity
from shared.station import Station
from shared.topics import (
    GROUP_CHOICE,
    GROUP_EVENT,
    GROUP_OVERRIDE,
    GROUP_REQUEST,
    MINER_CHOICE,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_REQUEST,
    Topic,
)

log = logging.getLogger("services.policy_engine")

YOUNG = timedelta(seconds=60)
AHEAD = timedelta(seconds=30)
LOOK_SECONDS = 5.0
_REMEMBERED = 256
"""Requests that are known again when they come twice; what is older than `YOUNG` is refused anyway."""


class Seat(Protocol):
    """What is needed of the engine."""

    farm: Farm

    def is_in_charge(self) -> bool:
        """Whether it decides, and can be heard."""

    def hear(self, topic: Topic[Any], received: Received[Any]) -> None:
        """Folds a message into the farm."""

    def order_pass(self, *miners: MinerId) -> None:
        """Decides of these miners at once after this batch of messages."""

    def decide(self, miners: Collection[MinerId]) -> None:
        """Decides of these miners now."""


@dataclass(frozen=True)
class _Desk:
    """The topics of miners, or those of groups."""

    noun: str
    request: Topic[Request]
    choice: Topic[Choice]
    event: Topic[Event]


_MINERS = _Desk("miner", MINER_REQUEST, MINER_CHOICE, MINER_EVENT)
_GROUPS = _Desk("group", GROUP_REQUEST, GROUP_CHOICE, GROUP_EVENT)


class People:
    """Only the engine in charge answers, and it alone writes choices."""

    def __init__(self, service: Station, rules: Rules, seat: Seat) -> None:
        """`rules`: the farm file's, without any choice."""
        self._service = service
        self._rules = rules
        self._seat = seat
        self._answered: deque[tuple[str, str, Request]] = deque(maxlen=_REMEMBERED)
        self._said: frozenset[tuple[str, str, str]] = frozenset()
        service.on(MINER_OVERRIDE, partial(self._override, MINER_OVERRIDE))
        service.on(GROUP_OVERRIDE, partial(self._override, GROUP_OVERRIDE))
        for desk in (_MINERS, _GROUPS):
            service.on(desk.choice, partial(self._choice, desk))
            service.on(desk.request, partial(self._request, desk))
        service.every(LOOK_SECONDS, self._look)

    def say_choices_again(self) -> None:
        """After each connection: the broker may have lost its memory, or have come back with an old one."""
        choices: Choices = self._seat.farm.choices
        for name, choice in choices.miners.items():
            self._publish(_MINERS, name, choice)
        for name, choice in choices.groups.items():
            self._publish(_GROUPS, name, choice)

    # --- what stands

    def _override(self, topic: Topic[Override], received: Received[Override]) -> None:
        self._hear(_GROUPS if topic is GROUP_OVERRIDE else _MINERS, topic, received)

    def _choice(self, desk: _Desk, received: Received[Choice]) -> None:
        name, message = received.identifier, received.message
        known = self._seat.farm.choices.of(desk.choice, name)
        if message == known or (message is None and is_empty(known)):
            return
        if known is not None and self._seat.is_in_charge() and (message is None or message.at <= known.at):
            self._service.counts.add("choice_rewritten")
            self._publish(desk, name, known)
            return
        self._hear(desk, desk.choice, received)

    def _hear(self, desk: _Desk, topic: Topic[Any], received: Received[Any]) -> None:
        miners = self._miners_of(desk, received.identifier)
        if miners:
            self._seat.hear(topic, received)
            self._seat.order_pass(*miners)

    def _publish(self, desk: _Desk, name: str, choice: Choice) -> None:
        if is_empty(choice):
            self._service.bus.clear(desk.choice, name)
        else:
            self._service.publish(desk.choice, name, choice)

    def _miners_of(self, desk: _Desk, name: str) -> tuple[MinerId, ...]:
        if desk is _MINERS:
            return (name,) if name in self._rules.miners else ()
        group = self._rules.groups.get(name)
        return () if group is None else tuple(each for each in group.members if each in self._rules.miners)

    def _look(self) -> None:
        """Tells each choice that does not fit the farm file any more, once."""
        farm = self._seat.farm
        if not self._seat.is_in_charge():
            return
        told = {name: farm.miners[name].telemetry for name in farm.choices.miners if name in farm.miners}
        ladders = {name: each.ladder for name, each in told.items() if each is not None and each.ladder is not None}
        lasting = unsound(self._rules, farm.choices, ladders)
        found = {(each.topic.noun, each.identifier, each.key): each for each in lasting}
        for key in found.keys() - self._said:
            desk = _GROUPS if key[0] == _GROUPS.noun else _MINERS
            event = Event(
                at=self._service.clock.now(),
                code="choice_not_applied",
                severity=Severity.WARNING,
                sentence=f"what was chosen is not applied, and kept: {found[key].sentence}",
                numbers={"key": key[2]},
            )
            self._tell(desk, key[1], event)
        # While its ladder is not known nobody can tell whether a point is back.
        self._said = frozenset(found) | {key for key in self._said if key[1] in told and key[1] not in ladders}

    # --- what is asked for once

    def _request(self, desk: _Desk, received: Received[Request]) -> None:
        request, name = received.message, received.identifier
        if request is None or received.retained or not self._seat.is_in_charge():
            return
        if request.kind is RequestKind.IDENTIFY and desk is _MINERS and name in self._rules.miners:
            return  # its agent does that, and answers
        if (desk.noun, name, request) in self._answered:
            self._service.counts.add("request_repeated")
            return
        self._answered.append((desk.noun, name, request))
        now = self._service.clock.now()
        answer = self._late(request, now) or self._not_here(desk, name, request) or self._done(desk, name, request, now)
        accepted, sentence = (False, answer.sentence) if isinstance(answer, Refusal) else (True, answer)
        event = answer_to(request, now, sentence, accepted=accepted, by=plain(request.by))
        self._tell(desk, name, event)

    def _done(self, desk: _Desk, name: str, request: Request, now: datetime) -> str | Refusal:
        chooses = request.kind is RequestKind.CHOOSE
        return self._choose(desk, name, request, now) if chooses else self._do(name, request, now)

    def _late(self, request: Request, now: datetime) -> Refusal | None:
        if now - request.at > self._rules.at_least(YOUNG, 1):
            sentence = f"it was asked {span(now - request.at)} ago, and may not be wanted any more"
            return Refusal(f"{sentence}. Fix: ask again; if that does not help, set the clock of whoever asks")
        if request.at - now > AHEAD:
            sentence = f"it is dated {span(request.at - now)} ahead"
            return Refusal(f"{sentence}. Fix: set the clock of whoever asks, and ask again")
        return None

    def _not_here(self, desk: _Desk, name: str, request: Request) -> Refusal | None:
        known = self._rules.miners if desk is _MINERS else self._rules.groups
        if name not in known:
            names = plain(", ".join(known)) or "none: there is no such thing in it"
            return Refusal(f"the farm file has no {desk.noun} {name}. Fix: ask one of {names}")
        if desk is _GROUPS and request.kind is not RequestKind.CHOOSE:
            return Refusal("this is for a miner only. Fix: ask it of each member")
        return None

    def _choose(self, desk: _Desk, name: str, request: Request, now: datetime) -> str | Refusal:
        file = self._rules.miners[name] if desk is _MINERS else self._rules.groups[name]
        telemetry = self._seat.farm.miners[name].telemetry if desk is _MINERS else None
        ladder = None if telemetry is None else telemetry.ladder
        choice = choice_by(request, self._seat.farm.choices.of(desk.choice, name), file, ladder, now)
        if isinstance(choice, Refusal):
            return choice
        self._hear(desk, desk.choice, Received(name, choice, retained=False, received_at=now))
        self._publish(desk, name, choice)
        chosen = ", ".join(f"{key} {_shown(getattr(choice, key))}" for key in request.choose)
        return f"{plain(request.by)} has chosen {chosen}"

    def _do(self, name: MinerId, request: Request, now: datetime) -> str | Refusal:
        cause = refusal(request.kind, self._seat.farm, name, self._rules, now)
        if cause is not None:
            return Refusal(cause)
        before = self._seat.farm.miners[name].command
        self._seat.farm = with_asked(self._seat.farm, name, Asked(request.kind, plain(request.by)))
        self._seat.decide((name,))
        self._seat.farm = with_asked(self._seat.farm, name, None)
        view = self._seat.farm.miners[name]
        care, outlet = None if view.command is None else view.command.care, view.outlet
        if view.command is before or care is None:
            return Refusal("nothing could be ordered at this moment. Fix: ask again")
        if request.kind is RequestKind.CYCLE and (
            outlet is None or outlet.cycle_at != care.cycle_at or outlet.action is not Action.APPLY
        ):
            return Refusal("its outlet is not to be on at this moment. Fix: wait until it may run, and ask again")
        return care.sentence

    def _tell(self, desk: _Desk, name: str, event: Event) -> None:
        level = logging.INFO if event.severity is Severity.INFO else logging.WARNING
        log.log(level, "[%s] %s", name, event.sentence)
        self._service.publish(desk.event, name, event)


def _shown(value: object) -> str:
    if value is None:
        return "as in the farm file"
    return f"{value:g}" if isinstance(value, float) else plain(str(value))
