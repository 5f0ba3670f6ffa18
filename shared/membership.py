"""Which replicas are alive: only those that are heard. A retained `online` of a dead client proves nothing."""

from dataclasses import dataclass, replace

from shared.messages import Presence

BEATS_TOLERATED = 3


@dataclass(frozen=True)
class Member:
    """A replica as it was last heard. `heard_at_seconds` is our monotonic time; None: only remembered by the broker."""

    presence: Presence
    heard_at_seconds: float | None


@dataclass(frozen=True)
class Roster:
    """All replicas that we know of. Immutable: `heard` makes the next one."""

    members: tuple[Member, ...] = ()

    def heard(self, presence: Presence, seconds: float, *, retained: bool) -> "Roster":
        """Takes in a heartbeat, a will or a memory."""
        others = tuple(member for member in self.members if member.presence.instance != presence.instance)
        return replace(self, members=(*others, Member(presence, None if retained else seconds)))

    def live(self, seconds: float) -> tuple[str, ...]:
        """The instances heard within three beats and not gone, in order."""
        return tuple(sorted(member.presence.instance for member in self.members if _is_live(member, seconds)))


def _is_live(member: Member, seconds: float) -> bool:
    if member.presence.status == "offline" or member.heard_at_seconds is None:
        return False
    return seconds - member.heard_at_seconds <= BEATS_TOLERATED * member.presence.beat_seconds
