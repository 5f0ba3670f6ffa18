"""One miner as the engine knows it, and how each message changes that. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.policy_engine.altered import altered
from services.policy_engine.watchdog.shares import SharesSeen, shares_after
from shared.messages import (
    CYCLE_YOUNG_SECONDS,
    Action,
    Command,
    Message,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    Override,
    PlugCommand,
    PlugTelemetry,
    PoolReading,
    RequestKind,
)
from shared.topics import MINER_COMMAND, MINER_OVERRIDE, MINER_POOL, MINER_TELEMETRY, PLUG_COMMAND, PLUG_TELEMETRY
from shared.topics import Topic as TopicOf

AHEAD_TOLERATED = timedelta(seconds=30)
_CYCLE_LASTS = timedelta(seconds=CYCLE_YOUNG_SECONDS + 60)
"""From its order until power is back, where an outlet's agent is not away meanwhile."""


@dataclass(frozen=True)
class Asked:
    """What a person has asked to be done to a miner in the very next decision. Checked before."""

    kind: RequestKind
    by: str


@dataclass(frozen=True)
class MinerView:
    """One miner: what it reports, what a person wants of it, and the last command as memory."""

    telemetry: MinerTelemetry | None = None
    heard_at: datetime | None = None
    """When the telemetry came in; for one from the broker's memory, when it was written."""
    override: Override | None = None
    command: MinerCommand | None = None
    unreachable_since: datetime | None = None
    """Since when its agent has told that it does not answer."""
    ramping_since: datetime | None = None
    """Since when it has been told to be starting."""
    paused_read_at: datetime | None = None
    """When it was last read as paused."""
    shares: SharesSeen = field(default_factory=SharesSeen)
    pool: PoolReading | None = None
    pool_heard_at: datetime | None = None
    plug: PlugTelemetry | None = None
    plug_heard_at: datetime | None = None
    powered_since: datetime | None = None
    """Since when its outlet is known to have power and no cycle under way; None while it has not."""
    outlet: PlugCommand | None = None
    """The last command to its outlet."""
    asked: Asked | None = None

    @property
    def is_cut(self) -> bool:
        """Whether we have had its power cut. What was only watched was not our doing."""
        return self.outlet is not None and not self.outlet.on and self.outlet.action is Action.APPLY


def from_the_future(message: Message, received_at: datetime) -> bool:
    """Whether the sender's clock is so far ahead that its dates cannot be used."""
    return message.at - received_at > AHEAD_TOLERATED


def miner_after(
    view: MinerView, topic: TopicOf[Any], message: Message | None, received_at: datetime, *, retained: bool
) -> MinerView:
    """The view after a message about this miner."""
    if topic is MINER_OVERRIDE and isinstance(message, Override | None):
        return replace(view, override=message)
    if message is None:
        return view
    heard_at = min(message.at, received_at) if retained else received_at
    if topic is MINER_TELEMETRY and isinstance(message, MinerTelemetry):
        return _told(view, message, heard_at)
    if topic is MINER_COMMAND and isinstance(message, MinerCommand) and not _is_overtaken(message, view.command):
        return replace(view, command=message)
    return _by_witness(view, topic, message, received_at, heard_at)


def _by_witness(
    view: MinerView, topic: TopicOf[Any], message: Message, received_at: datetime, heard_at: datetime
) -> MinerView:
    if topic is MINER_POOL and isinstance(message, PoolReading) and not from_the_future(message, received_at):
        return replace(view, pool=message, pool_heard_at=heard_at)
    if topic is PLUG_TELEMETRY and isinstance(message, PlugTelemetry):
        return replace(
            view, plug=message, plug_heard_at=heard_at, powered_since=_powered_since(view, message, heard_at)
        )
    if topic is PLUG_COMMAND and isinstance(message, PlugCommand) and not _is_overtaken(message, view.outlet):
        return replace(view, outlet=message)
    return view


def _powered_since(view: MinerView, plug: PlugTelemetry, heard_at: datetime) -> datetime | None:
    if plug.on is False or plug.cycle_off_since is not None:
        return None
    before = view.plug
    same = before is not None and before.last_cycle_at == plug.last_cycle_at
    if plug.on is None or (view.powered_since is not None and same):
        return view.powered_since  # an outlet that does not tell for a while is not taken to have been off
    if before is None and plug.last_cycle_at is not None:
        return min(heard_at, plug.last_cycle_at + _CYCLE_LASTS)  # so that an engine that restarts often waits no longer
    return heard_at


def _told(view: MinerView, message: MinerTelemetry, heard_at: datetime) -> MinerView:
    ramping = message.state is MinerState.RAMPING
    return altered(
        view,
        telemetry=message,
        heard_at=heard_at,
        unreachable_since=None if message.reachable else view.unreachable_since or heard_at,
        ramping_since=(view.ramping_since or heard_at) if ramping else None,
        paused_read_at=heard_at if message.state is MinerState.PAUSED else view.paused_read_at,
        shares=shares_after(view.shares, message, heard_at),
    )


def _is_overtaken(command: Command, known: Command | None) -> bool:
    """Whether a late word of a deposed engine comes after that of its successor, whose starts it does not know."""
    return known is not None and command.epoch < known.epoch and command.at < known.at
