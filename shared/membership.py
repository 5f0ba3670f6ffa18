"""Which replicas are alive, and which of them tends what. Pure.

Live is only who is heard: a retained `online` of a dead client proves nothing. But what the broker remembers may be of
somebody who lives: until three beats have passed without a word it is *possibly* there, and keeps what is its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b

from shared.messages import Presence

BEATS_TOLERATED = 3


@dataclass(frozen=True)
class Member:
    """A replica as it was last heard, in our monotonic time."""

    presence: Presence
    heard_at_seconds: float | None
    """None: only remembered by the broker."""
    doubted_since_seconds: float
    """Since when we have been listening for it without having missed anything."""

    def is_live(self, seconds: float) -> bool:
        """Whether it was heard within three beats and has not gone."""
        if self.presence.status == "offline" or self.heard_at_seconds is None:
            return False
        return seconds - self.heard_at_seconds <= self.patience_seconds

    def is_possible(self, seconds: float) -> bool:
        """Whether it may be there: nobody has said that it has gone, and it has had no three beats to be heard."""
        if self.presence.status == "offline":
            return False
        since = self.doubted_since_seconds
        if self.heard_at_seconds is not None:
            since = max(since, self.heard_at_seconds)
        return seconds - since <= self.patience_seconds

    @property
    def patience_seconds(self) -> float:
        """How long its silence says nothing."""
        return BEATS_TOLERATED * self.presence.beat_seconds


@dataclass(frozen=True)
class Roster:
    """All replicas that we know of. Immutable: `heard` makes the next one."""

    members: tuple[Member, ...] = ()

    def heard(self, presence: Presence, seconds: float, *, retained: bool) -> "Roster":
        """Takes in a heartbeat, a will or a memory. A memory makes nobody older who was heard before."""
        before = self.member(presence.instance)
        others = tuple(member for member in self.members if member is not before)
        heard_at = None if retained else seconds
        if retained and before is not None and presence.status == "online":
            heard_at = before.heard_at_seconds
        return replace(self, members=(*others, Member(presence, heard_at, seconds)))

    def doubted(self, seconds: float) -> "Roster":
        """After a time in which nobody could be heard, everybody who was there may still be."""
        return replace(self, members=tuple(replace(each, doubted_since_seconds=seconds) for each in self.members))

    def member(self, instance: str) -> Member | None:
        return next((member for member in self.members if member.presence.instance == instance), None)

    def has_said_farewell(self, instance: str) -> bool:
        """Whether it has ended in good order."""
        member = self.member(instance)
        return member is not None and member.presence.status == "offline" and member.presence.farewell

    def live(self, seconds: float) -> tuple[str, ...]:
        """The instances heard within three beats and not gone, in order."""
        return tuple(sorted(each.presence.instance for each in self.members if each.is_live(seconds)))

    def possible(self, seconds: float) -> tuple[str, ...]:
        """Those, and all who may still be there."""
        return tuple(sorted(each.presence.instance for each in self.members if each.is_possible(seconds)))

    def leaving(self, unit: str, seconds: float) -> bool:
        """Whether the last step of somebody who has given this unit up still lasts."""
        return any(unit in each.presence.leaving for each in self.members if each.is_possible(seconds))

    def claims(self, unit: str, seconds: float) -> tuple[tuple[int, str], ...]:
        """Who keeps this unit for as long as it lives, each with the number of its claim; the highest has it."""
        return tuple(
            (each.presence.holds[unit], each.presence.instance)
            for each in self.members
            if unit in each.presence.holds and each.is_possible(seconds)
        )

    def all_count_on(self, instance: str, seconds: float) -> bool:
        """Whether everybody who may be there has told that it counts this one in, and so leaves its units to it."""
        return all(
            each.presence.knows is None or instance in each.presence.knows
            for each in self.members
            if each.presence.instance != instance and each.is_possible(seconds)
        )


def owner(unit: str, instances: Iterable[str]) -> str | None:
    """Who of these tends a unit, by rendezvous hashing: whoever goes or comes, only its own units move.

    Source: Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998.
    """
    return max(instances, key=lambda instance: _weight(unit, instance), default=None)


def _weight(unit: str, instance: str) -> tuple[bytes, str]:
    return blake2b(f"{unit}\0{instance}".encode(), digest_size=8).digest(), instance
