"""Nominal watts: what a miner would draw, and what it may be drawing right now. Measured watts decide nothing. Pure."""

from collections.abc import Iterable
from datetime import datetime

from services.policy_engine.rules import MinerRules
from services.policy_engine.view import MinerView
from shared.ladder import normal_point, point_named, reported_point
from shared.messages import Limit, MinerState, MinerTelemetry

ASSUMED_W = 3500.0
"""A large machine of today; counted where neither configuration, device nor memory tells the nominal power."""


def nominal_w(view: MinerView, rules: MinerRules) -> float:
    """The power of the owner's normal point."""
    ladder = None if view.telemetry is None else view.telemetry.ladder
    if ladder is not None:
        return normal_point(ladder).power_w
    if rules.nominal_w is not None:
        return rules.nominal_w
    return commanded_w(view) or ASSUMED_W


def start_w(view: MinerView, rules: MinerRules, limits: Iterable[Limit]) -> float:
    """What a start comes to in the end: the normal point, or an exact one above it."""
    exact = [limit.point.power_w for limit in limits if limit.point is not None]
    return max([nominal_w(view, rules), *exact])


def commanded_w(view: MinerView) -> float:
    """The power of the last desired point."""
    return 0.0 if view.command is None else view.command.point.power_w


def may_draw_w(view: MinerView, rules: MinerRules, heard_after: datetime) -> float:
    """The most that a miner may be drawing: what it is told, or what it was last read to do; unknown is drawing.

    A reading from before `heard_after` is one of a dead agent: it tells nothing any more.
    """
    telemetry = view.telemetry
    if telemetry is None or view.heard_at is None or view.heard_at < heard_after:
        return max(commanded_w(view), nominal_w(view, rules))
    if not telemetry.reachable or telemetry.state.draws_power is None:
        return max(commanded_w(view), nominal_w(view, rules))
    if _is_surely_paused(telemetry):
        return commanded_w(view)
    point = reported_point(telemetry)
    return max(commanded_w(view), nominal_w(view, rules) if point is None or point.is_pause else point.power_w)


def _is_surely_paused(telemetry: MinerTelemetry) -> bool:
    """Read as paused by an agent that is not about to start it: a start may be under way behind an old reading."""
    if telemetry.state is not MinerState.PAUSED:
        return False
    if telemetry.desired is None or telemetry.ladder is None:
        return True
    desired = point_named(telemetry.ladder, telemetry.desired)
    return desired is None or desired.is_pause
