"""What has been heard of a farm over MQTT up to one moment. No I/O, no clock: times are handed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.bus import Received
from shared.membership import Member, Roster
from shared.messages import Command, EngineEpoch, Presence, Reported, SiteTelemetry
from shared.topics import MINER_COMMAND, MINER_TELEMETRY, PLUG_COMMAND, PLUG_TELEMETRY, Topic

_TELLERS_KEPT = 4
_PLUGS = {PLUG_TELEMETRY, PLUG_COMMAND}
DEVICE_TELEMETRY = (MINER_TELEMETRY, PLUG_TELEMETRY)
DEVICE_COMMANDS = (MINER_COMMAND, PLUG_COMMAND)


class Standing(StrEnum):
    """How sure one can be that a replica is there."""

    LIVE = "live"
    """Heard within three beats."""
    POSSIBLE = "possible"
    """Not heard by us yet, and it has not had its three beats."""
    GHOST = "ghost"
    """The broker remembers it online, and it is silent: after a power cut, for example."""
    GONE = "gone"
    """It has said farewell, or the broker has said it in its place."""


@dataclass(frozen=True)
class Device:
    """A miner, or the outlet of one, as it stands on its topics."""

    name: str
    is_plug: bool = False
    by: str | None = None
    """The replica that told of it last."""
    told_at: datetime | None = None
    """By the sender's clock."""
    heard_at_seconds: float | None = None
    """None: only remembered by the broker."""
    tellers: tuple[str, ...] = ()
    """Who has told of it, as we heard it, one after the other: A, B is a handover; A, B, A is one too many."""
    lease_ends: datetime | None = None
    """Until when the newest command for it counts; None: there is none."""

    @property
    def label(self) -> str:
        """How a person calls it."""
        return f"plug of {self.name}" if self.is_plug else self.name


@dataclass(frozen=True)
class Site:
    """What the bridge of a site says of its battery."""

    telemetry: SiteTelemetry
    heard_at_seconds: float | None


@dataclass(frozen=True)
class Heard:
    """Everything that was heard since `since_seconds`. Times in seconds are real ones of this process."""

    since_seconds: float
    seconds: float
    """When this was looked at."""
    now: datetime
    """The farm's time then, by our clock."""
    roster: Roster = field(default_factory=Roster)
    ahead_seconds: Mapping[str, float] = field(default_factory=dict)
    """By instance: how far its clock is ahead of ours."""
    devices: Mapping[tuple[str, bool], Device] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    engines: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By site or device: the engines that we have heard writing there, without what the broker remembers."""

    epochs: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """By site: the engine in charge, and its epoch."""

    def standing(self, member: Member) -> Standing:
        """Whether a replica is there."""
        if member.presence.status == "offline":
            return Standing.GONE
        if member.is_live(self.seconds):
            return Standing.LIVE
        return Standing.POSSIBLE if member.is_possible(self.seconds) else Standing.GHOST

    def of(self, *standings: Standing) -> tuple[Member, ...]:
        """All replicas that stand so, by service and instance."""
        found = (member for member in self.roster.members if self.standing(member) in standings)
        return tuple(sorted(found, key=lambda member: (member.presence.service, member.presence.instance)))

    @property
    def live(self) -> dict[str, Presence]:
        """The replicas heard within three beats, by instance."""
        return {member.presence.instance: member.presence for member in self.of(Standing.LIVE)}


class Hearing:
    """Takes in word by word, and says at any moment what has been heard."""

    def __init__(self, seconds: float, rate: float = 1.0) -> None:
        """Begins at this real time. `rate`: farm seconds in a real one, of a demo."""
        self._since_seconds = seconds
        self._rate = rate
        self._roster = Roster()
        self._ahead_seconds: dict[str, float] = {}
        self._devices: dict[tuple[str, bool], Device] = {}
        self._sites: dict[str, Site] = {}
        self._engines: dict[str, set[str]] = {}
        self._epochs: dict[str, tuple[str, int]] = {}

    def heard(self, seconds: float, now: datetime) -> Heard:
        """All of it, as it stands at this real and farm time."""
        return Heard(
            since_seconds=self._since_seconds,
            seconds=seconds,
            now=now,
            roster=self._roster,
            ahead_seconds=dict(self._ahead_seconds),
            devices=dict(self._devices),
            sites=dict(self._sites),
            engines={name: frozenset(engines) for name, engines in self._engines.items()},
            epochs=dict(self._epochs),
        )

    def take(self, topic: Topic[Any], received: Received[Any], seconds: float) -> None:
        """A message that arrived at this real time."""
        message = received.message
        if message is None:
            self._forget(topic, received.identifier)
        elif isinstance(message, Presence):
            self._presence(message, received, seconds)
        elif isinstance(message, SiteTelemetry):
            self._sites[received.identifier] = Site(message, None if received.retained else seconds)
        elif isinstance(message, Reported):
            self._telemetry((received.identifier, topic in _PLUGS), message, seconds, retained=received.retained)
        if isinstance(message, Command | EngineEpoch) and not received.retained:
            self._engines.setdefault(received.identifier, set()).add(message.engine)
        if isinstance(message, EngineEpoch):
            self._epochs[received.identifier] = (message.engine, message.epoch)
        if isinstance(message, Command):
            key = (received.identifier, topic in _PLUGS)
            self._devices[key] = replace(self._device(key), lease_ends=message.expires_at)

    def _device(self, key: tuple[str, bool]) -> Device:
        return self._devices.get(key) or Device(*key)

    def _presence(self, presence: Presence, received: Received[Any], seconds: float) -> None:
        self._roster = self._roster.heard(presence, seconds, retained=received.retained)
        if not received.retained and presence.status == "online":
            # What is under way for long looks old: of all words the freshest shows how the clocks really stand.
            found = (presence.at - received.received_at).total_seconds() / self._rate
            known = self._ahead_seconds.get(presence.instance, found)
            self._ahead_seconds[presence.instance] = max(found, known)

    def _telemetry(self, key: tuple[str, bool], message: Reported, seconds: float, *, retained: bool) -> None:
        device = self._device(key)
        tellers = device.tellers
        if message.by is not None and not retained and tellers[-1:] != (message.by,):
            tellers = (*tellers, message.by)[-_TELLERS_KEPT:]
        heard_at = None if retained else seconds
        changed = replace(device, by=message.by, told_at=message.at, heard_at_seconds=heard_at, tellers=tellers)
        self._devices[key] = changed

    def _forget(self, topic: Topic[Any], identifier: str) -> None:
        if topic.model is Presence:
            left = tuple(member for member in self._roster.members if member.presence.instance != identifier)
            self._roster = Roster(left)
        elif topic in DEVICE_TELEMETRY:
            self._devices.pop((identifier, topic in _PLUGS), None)
