"""What can be seen of a farm at one moment, by whoever checks it: the world in a simulation, the engine at run time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.policy_engine.rig_sight import RigSight
from services.policy_engine.rules import GroupId, MinerId, MinerRules, Rules
from shared.messages import MinerCommand, MinerTelemetry, OverrideKind


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long things may take on this farm."""

    turn: timedelta
    """How late a service that is due may be: a machine that is busy, or a simulation's slack."""
    poll: timedelta
    rules: Rules
    action: timedelta = timedelta(seconds=150)
    """For a sound device to carry out a command: two vain tries and the pauses between them."""
    ramp: timedelta = timedelta(seconds=420)
    """For a start."""

    @property
    def react(self) -> timedelta:
        """Detection and action, with everything in working order."""
        return self.action + self.poll + 3 * self.turn

    @property
    def alone(self) -> timedelta:
        """The same with nothing in working order but the miner and its agent."""
        return self.rules.memory_lasts + self.react

    @property
    def rounds(self) -> timedelta:
        """Four rounds of reading and applying, with a start in the midst of them."""
        return 4 * self.poll + self.ramp + 3 * self.turn


@dataclass(frozen=True, slots=True)
class Sight:
    """One miner at one moment. What nobody can tell stays at its default, which breaks nothing."""

    name: MinerId
    rules: MinerRules
    draws: bool | None = None
    """Whether it draws more than standby power; where it cannot pause, more than at its lowest point."""
    at_floor: bool = False
    """It cannot pause, and is at its lowest point."""
    power_w: float = 0.0
    """The nominal power of what it does."""
    tended: bool = False
    """The miner answers truthfully, and its agent is at work."""
    cut_off: bool = False
    """No engine in charge can reach its agent."""
    chain_since: datetime | None = None
    """Since when everything else between it, the battery's source and people has been at work, too."""
    stop_in_force: bool = False
    """Somebody has ordered an emergency stop, and nobody has lifted it."""
    told_to_stop: bool = False
    """So it is, and nothing keeps that from its agent."""
    command: MinerCommand | None = None
    before: MinerCommand | None = None
    """The command before that one."""
    fresh: bool = False
    """The command has come since the last look."""
    telemetry: MinerTelemetry | None = None
    heard_at: datetime | None = None
    person: OverrideKind | None = None
    """What a person wants of it, where that is in force."""
    limit_w: float | None = None
    """How many watts a person allows it, where that is in force."""
    outside_pause_until: datetime | None = None
    """For how long a pause that somebody made at the miner is to be respected, once it has been noticed."""
    handled: bool = False
    """A request that changes something has reached it since the last look."""
    stranger_handled: bool = False
    """Such a request has reached another device at its address."""
    started: bool = False
    """We have started it since the last look."""
    off_for: timedelta | None = None
    """For how long we had kept it off before that start."""
    stop_delay: timedelta | None = None
    """How long it took from the order to a stop that has just reached a sound miner, with everything at work."""
    starts_within_day: int = 0
    epoch_followed: int | None = None
    """Of the command that its agent obeys at present."""
    highest_epoch_followed: int = -1
    """What the same agent has followed before, within lease and grace."""
    impossible: bool = False
    """Its newest telemetry tells a reading that nobody can have taken."""
    restart_changed: str = ""
    """What an engine decides otherwise than the one before it would have done on the same facts."""

    above_failsafe: bool | None = None
    """Whether it draws more than its failsafe lets it; None: its failsafe is a pause."""
    written_badly: str = ""
    """How a request of ours has just set it that must never set it so."""
    above_clamps: str = ""
    """How it is set above its limits."""
    hot: str = ""
    """How it truly is above its heat limits, and has not been lowered since the last look."""
    far_too_hot: str = ""
    """The same for what its agent answers by itself."""
    rig: RigSight = field(default_factory=RigSight)
    """Its power, and what is done to bring it back."""

    @property
    def hands_off(self) -> bool:
        """Whether it is only watched."""
        return self.rules.observe or self.person is OverrideKind.MAINTENANCE

    @property
    def chain(self) -> bool:
        return self.chain_since is not None


@dataclass(frozen=True, slots=True)
class Scene:
    """A farm at one moment."""

    now: datetime
    bounds: Bounds
    sights: Mapping[MinerId, Sight]
    soc_percent: float | None = None
    """What the source shows; None while it shows nothing valid."""
    soc_known_at: datetime | None = None
    """When it last showed something valid."""
    unknown_since: datetime | None = None
    """Since when the engine has been told that the state of charge is unknown."""
    epoch: int = -1
    """The highest that has been written."""
    clocks_differ: bool = False
    """Services disagree about the time by more than is tolerated: nobody can tell then how old a memory is."""
    crashes: int = 0
    """Handlers and loops that ended by an exception."""
    group_limits_w: Mapping[GroupId, float] = field(default_factory=dict)
    """How many watts a person allows whole groups, where that is in force."""

    @property
    def rules(self) -> Rules:
        return self.bounds.rules
