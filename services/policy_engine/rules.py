"""What the owner has set, as the core needs it: plain values, no files. Times are durations, powers nominal watts."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from functools import cached_property

from shared.messages import Identifier
from shared.schedule import Timetable

MinerId = Identifier
GroupId = Identifier


@dataclass(frozen=True)
class WatchRules:
    """How a miner is watched, and what may be done to bring it back."""

    has_worker: bool = False
    """Whether a pool is asked about it."""
    has_plug: bool = False
    is_plug: bool = False
    """It has no interface of its own: the outlet is its switch."""
    can_restart: bool = False
    """Whether its agent can restart its software."""
    nominal_w: float | None = None
    """Against which measured watts tell work from standstill."""
    cooldown: timedelta = timedelta(minutes=10)
    """How long it has to come back before the next try."""
    tries: int = 3
    """After so many vain ones it is given up on; 0: it is only watched."""
    off_for: timedelta = timedelta(seconds=10)
    """How long a power cycle keeps it off, in real seconds."""
    cut_below_celsius: float | None = None
    """How cool it must be before its outlet is switched off after a pause; None: the outlet stays on."""
    asked_every: timedelta = timedelta()
    """How often its pool is asked, where the owner has said so."""

    @property
    def can_act(self) -> bool:
        return self.has_plug or self.can_restart


@dataclass(frozen=True)
class Instead:
    """That a person has chosen a setting, and what the farm file says in its place."""

    by: str
    file: float | None = None
    """None where the file says nothing."""


@dataclass(frozen=True)
class MinerRules:
    """The rules of one miner."""

    stop_percent: float | None = None
    resume_percent: float | None = None
    nominal_w: float | None = None
    max_w: float | None = None
    stock_w: float | None = None
    """What a board of this kind reads as it was bought, where that is known."""
    require_grid: bool = False
    observe: bool = False
    timetable: Timetable | None = None
    max_chip_celsius: float | None = None
    max_regulator_celsius: float | None = None
    watch: WatchRules = WatchRules()
    point: str | None = None
    """The name of the operating point that a person has chosen: at most that one."""
    chosen: Mapping[str, Instead] = field(default_factory=dict)
    """What of the above a person has chosen, by the name of the setting in the farm file."""


@dataclass(frozen=True)
class GroupRules:
    """Miners that share a limit, by falling priority."""

    members: tuple[MinerId, ...]
    max_w: float | None = None
    chosen: Instead | None = None
    """Whether a person has chosen `max_w`."""


@dataclass(frozen=True)
class Rules:
    """The whole rule book of a farm."""

    miners: Mapping[MinerId, MinerRules]
    groups: Mapping[GroupId, GroupRules] = field(default_factory=dict)
    lease: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=120)
    heard_within: timedelta = timedelta(seconds=120)
    """An agent that has not been heard for longer may be at its failsafe: nothing is assumed of its miners."""
    minimum_off: timedelta = timedelta(minutes=5)
    minimum_on: timedelta = timedelta(minutes=5)
    """What was started is not paused for comfort before that."""
    starts_per_day: int = 6
    stale_no_start: timedelta = timedelta(minutes=5)
    stale_pause: timedelta = timedelta(minutes=15)
    stagger_w: float = 7000
    stagger_window: timedelta = timedelta(seconds=30)
    heat_step: timedelta = timedelta(seconds=30)
    """What is still too hot after that goes down one more step."""
    heat_restore: timedelta = timedelta(minutes=5)
    """What has been cool for so long goes up one step."""
    outside_pause: timedelta = timedelta(hours=12)
    latitude: float | None = None
    longitude: float | None = None
    zone: tzinfo = UTC
    """Only for the times in sentences."""

    @property
    def memory_lasts(self) -> timedelta:
        """How old a command may be for its latches still to count: by then every agent is at its failsafe."""
        return self.lease + self.grace

    def at_least(self, time: timedelta, leases: float) -> timedelta:
        """A time, but never less than so many leases: a fast clock lengthens those, and all that hangs on them."""
        return max(time, leases * self.lease)

    @cached_property
    def groups_of(self) -> Mapping[MinerId, tuple[GroupId, ...]]:
        """The groups of each miner."""
        found: dict[MinerId, tuple[GroupId, ...]] = dict.fromkeys(self.miners, ())
        for name, group in self.groups.items():
            for member in dict.fromkeys(group.members):
                found[member] = (*found.get(member, ()), name)
        return found

    @cached_property
    def order(self) -> tuple[MinerId, ...]:
        """All miners by falling priority: the groups' members as they stand there, then the others."""
        members = [member for group in self.groups.values() for member in group.members if member in self.miners]
        return tuple(dict.fromkeys([*members, *self.miners]))

    @cached_property
    def rank(self) -> Mapping[MinerId, int]:
        """The place of each miner in `order`."""
        return {miner: index for index, miner in enumerate(self.order)}

    def together_with(self, miners: frozenset[MinerId], limited: Container[GroupId] = ()) -> tuple[MinerId, ...]:
        """These miners and all that share a cap with them, directly or through others, by priority.

        `limited`: groups that may have a cap for a time, though by these rules they have none.
        """
        reached, frontier = set(miners), list(miners)
        while frontier:
            for group in self.groups_of[frontier.pop()]:
                capped = self.groups[group].max_w is not None or group in limited
                fresh = set(self.groups[group].members) - reached if capped else set()
                reached |= fresh
                frontier += fresh
        return tuple(sorted(reached, key=self.rank.__getitem__))

    def shares(self, size: int) -> tuple[tuple[MinerId, ...], ...]:
        """All miners in parts of about this size, none of which cuts a shared cap in two."""
        found: list[list[MinerId]] = []
        seen: set[MinerId] = set()
        for miner in self.order:
            if miner in seen:
                continue
            if not found or len(found[-1]) >= size:
                found.append([])
            together = self.together_with(frozenset({miner}))
            seen.update(together)
            found[-1] += together
        return tuple(tuple(share) for share in found)
