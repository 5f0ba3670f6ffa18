"""What has been heard of each thing, and how young it is. Pure: our real seconds are handed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.ha_discovery.energy import Meter
from services.ha_discovery.facts import Facts
from shared.membership import Roster
from shared.messages import (
    Choice,
    EmergencyStop,
    MinerCommand,
    MinerTelemetry,
    Override,
    OverrideKind,
    PlugTelemetry,
    PoolReading,
    Presence,
    SiteTelemetry,
)

POLLS_FRESH = 3
FRESH_SECONDS_MIN = 15.0
"""Three beats: below that a busy machine would make a miner come and go."""
SITE_FRESH_SECONDS = 35.0


@dataclass(frozen=True)
class MinerKnown:
    """One miner. What is None has not been heard."""

    telemetry: MinerTelemetry | None = None
    heard_seconds: float | None = None
    silent_since_seconds: float | None = None
    """Since when its agent has told that it does not answer."""
    last_seen_at: datetime | None = None
    command: MinerCommand | None = None
    override: Override | None = None
    choice: Choice | None = None
    pool: PoolReading | None = None
    plug: PlugTelemetry | None = None
    plug_heard_seconds: float | None = None
    meter: Meter = field(default_factory=Meter)
    facts: Facts = field(default_factory=Facts)
    plug_facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class GroupKnown:
    """What people want of a group."""

    override: Override | None = None
    choice: Choice | None = None


@dataclass(frozen=True)
class FarmKnown:
    """The site, and who is at work."""

    site: SiteTelemetry | None = None
    site_heard_seconds: float | None = None
    stop: EmergencyStop | None = None
    """The latch while it is set: only an explicit resume that ends it takes it away."""
    roster: Roster = field(default_factory=Roster)


@dataclass(frozen=True)
class Moment:
    """When something is shown: the farm's time, and real seconds."""

    now: datetime
    seconds: float
    poll_seconds: float
    roster: Roster

    def is_fresh(self, heard_seconds: float | None, poll_seconds: float | None = None) -> bool:
        """Whether something that comes with each poll was heard within three of them."""
        within = max(FRESH_SECONDS_MIN, POLLS_FRESH * (poll_seconds or self.poll_seconds))
        return heard_seconds is not None and self.seconds - heard_seconds <= within

    def is_there(self, instance: str | None) -> bool:
        """Whether a replica was heard within three beats; one that nobody names is not asked for."""
        if instance is None:
            return True
        member = self.roster.member(instance)
        return member is not None and member.is_possible(self.seconds)

    def has_service(self, service: str) -> bool:
        """Whether any replica of a service was heard within three beats."""
        return any(each.presence.service == service and each.is_possible(self.seconds) for each in self.roster.members)


def stop_after(stop: EmergencyStop | None, message: EmergencyStop) -> EmergencyStop | None:
    """The latch after a word about it."""
    if message.active:
        return message
    return None if message.ends(stop) else stop


def in_force(override: Override | None, kind: OverrideKind, now: datetime) -> Override | None:
    """The override where it is of this kind and its time is not over."""
    if override is None or override.kind is not kind or (override.until is not None and override.until <= now):
        return None
    return override


def replicas(roster: Roster) -> Mapping[str, Presence]:
    """All replicas that have ever been heard of, by name."""
    return {member.presence.instance: member.presence for member in roster.members}
