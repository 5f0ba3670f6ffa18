"""What has been heard of a farm up to one moment, and how far it can be trusted. Pure: times are handed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from deploy.console.view.facts import FarmFacts
from shared.bus import Received
from shared.membership import Member, Roster
from shared.messages import EmergencyStop, Message, MinerTelemetry, Presence
from shared.topics import EMERGENCY_STOP, ENGINE_EPOCH, MINER_COMMAND, MINER_TELEMETRY, PLUG_TELEMETRY, Topic

M = TypeVar("M", bound=Message)

_AHEAD_SECONDS = 30.0
"""A word from further in the future has a clock that proves nothing."""
_ENGINE_SERVICE = "policy_engine"


@dataclass(frozen=True)
class Word(Generic[M]):
    """One message, and when it was heard in real seconds; None: the broker only remembers it."""

    message: M
    heard_at_seconds: float | None


@dataclass(frozen=True)
class Picture:
    """The farm as it was heard at one moment."""

    facts: FarmFacts
    now: datetime
    """The farm's time."""
    seconds: float
    """Real time."""
    rate: float = 1.0
    """Farm seconds in a real one."""
    words: Mapping[tuple[Topic[Any], str], Word[Any]] = field(default_factory=dict)
    roster: Roster = field(default_factory=Roster)
    stop: EmergencyStop | None = None
    """The emergency stop that stands."""
    is_connected: bool = True

    def word(self, topic: Topic[M], identifier: str) -> Word[M] | None:
        """The newest word on a topic, with the time of its hearing."""
        return cast("Word[M] | None", self.words.get((topic, identifier)))

    def said(self, topic: Topic[M], identifier: str) -> M | None:
        """The newest word on a topic alone."""
        word = self.word(topic, identifier)
        return None if word is None else word.message

    def is_live(self, instance: str | None) -> bool:
        """Whether a replica has been heard within three beats."""
        member = None if instance is None else self.roster.member(instance)
        return member is not None and member.is_live(self.seconds)

    def age_seconds(self, word: Word[Any]) -> float:
        """How old a word is in real seconds: since it was heard; of a memory, by its sender's clock."""
        if word.heard_at_seconds is not None:
            return max(0.0, self.seconds - word.heard_at_seconds)
        age_seconds = (self.now - word.message.at).total_seconds() / self.rate
        return age_seconds if age_seconds > -_AHEAD_SECONDS else float("inf")

    def doubt_of(self, miner: str) -> str:
        """Why the last reading of a miner is no measurement; nothing where it is one."""
        word = self.word(MINER_TELEMETRY, miner)
        if word is None:
            return "nothing has been heard of it"
        by = word.message.by
        silence = self._silence_of(by, word)
        if silence:
            return silence
        if self.age_seconds(word) > self.facts.reading_lasts_seconds(miner):
            return "its agent is heard, but tells no reading of it"
        return ""

    def _silence_of(self, by: str | None, word: Word[MinerTelemetry]) -> str:
        member = None if by is None else self.roster.member(by)
        if member is not None and member.is_live(self.seconds):
            return ""
        if member is not None and self._has_gone(member):
            return f"its agent {by} has ended" if member.presence.status == "offline" else f"its agent {by} is silent"
        if word.heard_at_seconds is not None:
            return ""  # whoever tells a reading is there, even if its beat is still to come
        return f"its agent {by} is not heard" if by is not None else "nobody tells a reading of it"

    def _has_gone(self, member: Member) -> bool:
        return member.presence.status == "offline" or not member.is_possible(self.seconds)

    def is_outlet_doubtful(self, miner: str) -> bool:
        """Whether an outlet is remembered for this miner whose agent is not heard."""
        plug = self.said(PLUG_TELEMETRY, miner)
        return plug is not None and not self.is_live(plug.by)

    def engine(self) -> tuple[str, int] | None:
        """Who is in charge, and with which epoch, by the last word of it."""
        epoch = self.said(ENGINE_EPOCH, self.facts.site)
        return None if epoch is None else (epoch.engine, epoch.epoch)

    def has_engine(self) -> bool:
        """Whether an engine is in charge and heard."""
        found = self.engine()
        return found is not None and self.is_live(found[0])

    def other_engines(self) -> tuple[str, ...]:
        """Engines that are heard, whether in charge or not."""
        live = (self.roster.member(name) for name in self.roster.live(self.seconds))
        return tuple(each.presence.instance for each in live if each and each.presence.service == _ENGINE_SERVICE)

    def is_anybody_there(self) -> bool:
        """Whether any service of the farm, or any reading, has been heard."""
        heard = any(
            word.heard_at_seconds is not None for (topic, _), word in self.words.items() if topic in _PROOFS_OF_LIFE
        )
        return heard or bool(self.roster.live(self.seconds))


_PROOFS_OF_LIFE = {MINER_TELEMETRY, MINER_COMMAND, ENGINE_EPOCH}


class Hearing:
    """Takes in word by word; `picture` is what they come to."""

    def __init__(self, facts: FarmFacts, rate: float = 1.0) -> None:
        self._facts = facts
        self._rate = rate
        self._words: dict[tuple[Topic[Any], str], Word[Any]] = {}
        self._roster = Roster()
        self._stop: EmergencyStop | None = None

    def take(self, topic: Topic[Any], received: Received[Any], seconds: float) -> None:
        """A message that arrived at this real time."""
        message = received.message
        if isinstance(message, Presence):
            self._roster = self._roster.heard(message, seconds, retained=received.retained)
        elif topic is EMERGENCY_STOP:
            if message is not None and received.identifier == self._facts.site:
                self._latch(message)
        elif message is None:
            self._words.pop((topic, received.identifier), None)
        elif topic.retain:
            self._words[topic, received.identifier] = Word(message, None if received.retained else seconds)

    def doubt(self, seconds: float) -> None:
        """After an outage: nobody's silence in that time counts against them."""
        self._roster = self._roster.doubted(seconds)

    def picture(self, now: datetime, seconds: float, *, is_connected: bool = True) -> Picture:
        """Everything up to this farm time and these real seconds."""
        return Picture(
            facts=self._facts,
            now=now,
            seconds=seconds,
            rate=self._rate,
            words=dict(self._words),
            roster=self._roster,
            stop=self._stop,
            is_connected=is_connected,
        )

    def _latch(self, message: EmergencyStop) -> None:
        """As every agent does: a cleared topic is no resume, and a late resume of an older stop lifts nothing."""
        if message.active:
            self._stop = message
        elif message.ends(self._stop):
            self._stop = None
