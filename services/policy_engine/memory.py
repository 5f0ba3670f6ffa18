"""What the last command remembers of a miner: latches, dwell times, starts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.view import AHEAD_TOLERATED, MinerView
from shared.ladder import can_pause
from shared.messages import PAUSE, Action, Following, Limit, MinerCommand, MinerState, OperatingPoint

DAY = timedelta(hours=24)
NOT_READ = "not_read"
"""The code of a command that only watches, because nothing has ever been read of the miner."""


@dataclass(frozen=True)
class Memory:
    """What counts at the beginning of a decision."""

    limits: Mapping[str, Limit]
    """The last limit of each policy and gate; empty where the memory is void."""
    running: bool | None
    """Whether the miner is meant to hash; None where nothing was ever decided and nothing can be read."""
    point: OperatingPoint
    """The last desired point; a pause unless running."""
    paused_since: datetime | None
    starts: tuple[datetime, ...]


def recall(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> Memory:
    """The memory of a miner. Latches of a memory that is too old are void; dates stand for themselves."""
    view = farm.miners[miner]
    command = view.command
    alive = command is not None and is_alive(command, rules, now)
    limits = {limit.policy: limit for limit in command.limits} if command is not None and alive else {}
    starts = () if command is None else tuple(min(start, now) for start in command.starts if now - start < DAY)
    running, paused_since = _standing(view, rules, miner, now, alive=alive)
    point = _point_held(view) if running else PAUSE
    return Memory(limits, running, point, paused_since, starts)


def is_alive(command: MinerCommand, rules: Rules, now: datetime) -> bool:
    """Whether a command is young enough for its latches to count."""
    return -AHEAD_TOLERATED <= now - command.at <= rules.memory_lasts


def may_continue(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> bool:
    """Whether letting the miner hash would be no start: it is meant to hash, and nobody reads it as paused."""
    telemetry = farm.miners[miner].telemetry
    if telemetry is not None and telemetry.state is MinerState.PAUSED:
        return False
    return recall(farm, miner, rules, now).running is True


def _standing(
    view: MinerView, rules: Rules, miner: MinerId, now: datetime, *, alive: bool
) -> tuple[bool | None, datetime | None]:
    command = view.command
    paused_since = None
    if command is not None and command.paused_since is not None and not _only_imagined(command, rules, miner):
        paused_since = min(command.paused_since, now)
    if is_silent(view, rules, now):
        # Also of one that is paused: nobody would see what comes of a start.
        return None, paused_since
    if _never_pauses(view):
        return True, None
    if paused_since is not None:
        return False, paused_since
    if _has_paused_by_itself(view):
        return False, now
    if command is not None and alive and command.code != NOT_READ and not _only_imagined(command, rules, miner):
        return (False, now) if command.point.is_pause else (True, None)
    return _first_sight(view, now)


def _never_pauses(view: MinerView) -> bool:
    """Whether it hashes whatever is commanded: at its floor in place of a pause. To raise it again is no start."""
    telemetry = view.telemetry
    if telemetry is None or telemetry.ladder is None or telemetry.state is MinerState.PAUSED:
        return False
    return not can_pause(telemetry.ladder)


def is_silent(view: MinerView, rules: Rules, now: datetime) -> bool:
    """Whether its agent has not been heard for so long that it may have gone to the failsafe, or be dead."""
    return view.heard_at is not None and now - view.heard_at > rules.heard_within


def _has_paused_by_itself(view: MinerView) -> bool:
    """Whether the agent has stopped it, or is about to, and we did not know: what we have commanded counts no more."""
    telemetry, command = view.telemetry, view.command
    if telemetry is None:
        return False
    if telemetry.stopped_at is not None:
        answers = None if command is None else command.answers
        if answers is None or answers < telemetry.stopped_at:
            return True
    return telemetry.following in {Following.FAILSAFE, Following.EMERGENCY_STOP} and telemetry.desired == PAUSE.name


def _only_imagined(command: MinerCommand, rules: Rules, miner: MinerId) -> bool:
    """What was decided while only watching never came true; once we act, only the reading counts."""
    return command.action is Action.OBSERVE and not rules.miners[miner].observe


def _first_sight(view: MinerView, now: datetime) -> tuple[bool | None, datetime | None]:
    telemetry = view.telemetry
    if telemetry is None or not telemetry.reachable:
        return None, None
    # Nobody knows for how long it has been paused, so it waits its full time; unknown counts as paused.
    return (True, None) if telemetry.state.draws_power else (False, now)


def _point_held(view: MinerView) -> OperatingPoint:
    """The point of a running miner: as commanded, else as reported; only its watts matter where it is neither."""
    if view.command is not None and not view.command.point.is_pause:
        return view.command.point
    telemetry = view.telemetry
    if telemetry is not None and telemetry.ladder is not None:
        named = [point for point in telemetry.ladder.points if point.name == telemetry.point]
        return named[0] if named else max(telemetry.ladder.points, key=lambda point: point.power_w, default=PAUSE)
    return PAUSE
