"""From words to what happened: each thing once, and nothing that the broker only remembered at the beginning. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deploy.console.view.facts import FarmFacts
from deploy.console.view.happening import Happening, Kind
from deploy.console.view.people import choice_told, override_told, request_told, stop_told
from deploy.watch_lines import Scene
from shared.bus import Received
from shared.messages import (
    Action,
    Choice,
    EmergencyStop,
    Event,
    MinerCommand,
    Override,
    Presence,
    Request,
    Severity,
)
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_CHOICE,
    GROUP_EVENT,
    GROUP_OVERRIDE,
    GROUP_REQUEST,
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_EVENT,
    MINER_OVERRIDE,
    MINER_POOL,
    MINER_REQUEST,
    MINER_TELEMETRY,
    PLUG_EVENT,
    PLUG_TELEMETRY,
    SERVICE_EVENT,
    SERVICE_PRESENCE,
    SITE_TELEMETRY,
    Topic,
)

HEARD: tuple[Topic[Any], ...] = (GROUP_EVENT, MINER_EVENT, PLUG_EVENT, SERVICE_EVENT, MINER_REQUEST, GROUP_REQUEST)
REMEMBERED: tuple[Topic[Any], ...] = (MINER_OVERRIDE, GROUP_OVERRIDE, MINER_CHOICE, GROUP_CHOICE, MINER_POOL)
"""What is watched beyond what `status` hears."""

_MANNER = {Action.APPLY: "", Action.OBSERVE: " (only watching)", Action.MAINTENANCE: " (maintenance)"}
_BATTERY, _SITE = "battery", "site"


@dataclass
class Happenings:
    """Takes in word by word; each call says what has happened by it."""

    facts: FarmFacts
    _scene: Scene = field(init=False)
    _last: dict[tuple[Topic[Any], str], Any] = field(default_factory=dict)
    """The last word of each kind where only a change is news."""

    def __post_init__(self) -> None:
        self._scene = Scene(self.facts.zone, line=lambda _at, _who, text: text)

    def remember(self, topic: Topic[Any], received: Received[Any]) -> None:
        """A word of the broker's memory at the beginning: nothing has happened by it."""
        list(self.take(topic, received, None))

    def take(self, topic: Topic[Any], received: Received[Any], heard_seconds: float | None) -> Iterator[Happening]:
        """What a word tells that was not known. `heard_seconds`: real time; None for the broker's memory."""
        message, who = received.message, received.identifier
        if isinstance(message, Event):
            yield self._event(topic, who, message)
        elif isinstance(message, Request):
            yield _by_person(message.at, who, request_told(message), message.by, message.kind.value)
        elif topic in _OF_PEOPLE:
            yield from self._wish(topic, received)
        elif topic is SERVICE_PRESENCE:
            yield from self._presence(who, message)
        elif topic is MINER_COMMAND and message is not None:
            yield from self._decision(who, message)
        elif message is not None and topic in _OF_SCENE:
            yield from self._changes(topic, who, message, heard_seconds)

    # --- what services tell

    def _event(self, topic: Topic[Any], who: str, event: Event) -> Happening:
        name = f"plug of {who}" if topic is PLUG_EVENT else who
        self._scene.event_heard(name, event)  # so that a change which it explains is not told again
        by = event.numbers.get("by")
        return Happening(
            at=event.at,
            name=name,
            kind=Kind.EVENT,
            sentence=event.sentence,
            code=event.code,
            severity=event.severity,
            by=by if isinstance(by, str) else None,
        )

    def _decision(self, who: str, command: MinerCommand) -> Iterator[Happening]:
        """A line when point, reason or action changed; the change itself follows when the miner has done it."""
        before = self._last.get((MINER_COMMAND, who))
        self._last[MINER_COMMAND, who] = command
        if before is None or _gist(before) != _gist(command):
            sentence = f"{command.sentence} → {command.point.name}{_MANNER[command.action]}"
            yield Happening(at=command.at, name=who, kind=Kind.DECISION, sentence=sentence, code=command.code)
        yield from _changed(self._scene.command_heard(who, command), command.at, who)

    def _changes(self, topic: Topic[Any], who: str, message: Any, heard_seconds: float | None) -> Iterator[Happening]:
        if topic is SITE_TELEMETRY:
            grave = Severity.INFO if message.unknown is None else Severity.WARNING
            yield from _changed(self._scene.site_heard(message, heard_seconds), message.at, _BATTERY, grave)
        elif topic is MINER_TELEMETRY:
            yield from _changed(self._scene.telemetry_heard(who, message, heard_seconds), message.at, who)
        else:
            hear: Callable[[str, Any], list[str]] = (
                self._scene.pool_heard if topic is MINER_POOL else self._scene.plug_heard
            )
            yield from _changed(hear(who, message), message.at, who)

    def _presence(self, who: str, presence: Presence | None) -> Iterator[Happening]:
        before = self._last.get((SERVICE_PRESENCE, who))
        self._last[SERVICE_PRESENCE, who] = None if presence is None else presence.status
        if presence is None or before == presence.status:
            return
        gone = "has ended" if presence.farewell else "is gone without a farewell"
        sentence = "is there" if presence.status == "online" else gone
        grave = Severity.WARNING if presence.status == "offline" and not presence.farewell else Severity.INFO
        yield Happening(at=presence.at, name=who, kind=Kind.PRESENCE, sentence=sentence, severity=grave)

    # --- what people want

    def _wish(self, topic: Topic[Any], received: Received[Any]) -> Iterator[Happening]:
        who, message = received.identifier, received.message
        before = self._last.get((topic, who))
        self._last[topic, who] = message
        if message == before:
            return
        at = received.received_at if message is None else message.at
        if isinstance(message, EmergencyStop):
            grave = Severity.ERROR if message.active else Severity.INFO
            yield _by_person(at, _SITE, stop_told(message), message.by, "emergency_stop", grave)
        elif topic in {MINER_OVERRIDE, GROUP_OVERRIDE}:
            yield from self._override(who, message, at)
        elif topic in {MINER_CHOICE, GROUP_CHOICE}:
            by = message.by if isinstance(message, Choice) else None
            yield _by_person(at, who, choice_told(before, message), by, "choice")

    def _override(self, who: str, override: Override | None, at: datetime) -> Iterator[Happening]:
        kind = "automatic" if override is None else override.kind.value
        by = None if override is None else override.by
        yield _by_person(at, who, override_told(override, self.facts.zone), by, kind)


_OF_PEOPLE = {EMERGENCY_STOP, MINER_OVERRIDE, GROUP_OVERRIDE, MINER_CHOICE, GROUP_CHOICE}
_OF_SCENE = {SITE_TELEMETRY, MINER_TELEMETRY, MINER_POOL, PLUG_TELEMETRY}


@dataclass
class Tally:
    """How much was told, for the summary at the end."""

    counts: dict[Kind, int] = field(default_factory=dict)

    def count(self, happening: Happening) -> None:
        """One more."""
        self.counts[happening.kind] = self.counts.get(happening.kind, 0) + 1

    def summary(self, lasted: str) -> str:
        """`In 5 min 20 s: 12 decisions, 3 events, 1 wish of people`."""
        told = [_counted(self.counts.get(kind, 0), one, many) for kind, (one, many) in _COUNTED.items()]
        return f"In {lasted}: {', '.join(told)}"


_COUNTED: Mapping[Kind, tuple[str, str]] = {
    Kind.DECISION: ("decision", "decisions"),
    Kind.CHANGE: ("change", "changes"),
    Kind.EVENT: ("event", "events"),
    Kind.PERSON: ("wish of people", "wishes of people"),
}


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _gist(command: MinerCommand) -> tuple[object, ...]:
    return command.point.name, command.code, command.action


def _changed(lines: list[str], at: datetime, who: str, severity: Severity = Severity.INFO) -> Iterator[Happening]:
    for line in lines:
        yield Happening(at=at, name=who, kind=Kind.CHANGE, sentence=line, severity=severity)


def _by_person(
    at: datetime, who: str, sentence: str, by: str | None, code: str, severity: Severity = Severity.INFO
) -> Happening:
    return Happening(at=at, name=who, kind=Kind.PERSON, sentence=sentence, code=code, by=by, severity=severity)
