"""What the engine itself can see of the invariants while it runs: reported where a simulation has the truth. Pure.

It sees less: a miner that lies, or an agent that is dead, is only caught by what it leaves undone.
"""

from datetime import datetime, timedelta

from services.policy_engine.caps import person_limit_w
from services.policy_engine.policies.override import active
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.sight import Bounds, Scene, Sight
from services.policy_engine.state import Farm, active_stop
from services.policy_engine.view import MinerView
from shared.ladder import is_at_floor, point_named
from shared.messages import Following, MinerTelemetry, OverrideKind

_STRICTEST_FIRST = (OverrideKind.PAUSE, OverrideKind.FORCE_ON, OverrideKind.MAINTENANCE)


def bounds_of(rules: Rules) -> Bounds:
    """Measured by the lease: on the demo's fast clock it is lengthened with everything else, and so are these."""
    lease = rules.lease
    return Bounds(turn=lease / 12, poll=rules.heard_within / 3, rules=rules, action=2.5 * lease, ramp=7 * lease)


def scene_of(farm: Farm, before: Farm, bounds: Bounds, now: datetime, synced_at: datetime, epoch: int) -> Scene:
    """The farm as it is reported. `before`: at the last look; `synced_at`: since when the broker has been heard."""
    sights = {name: _sight(name, farm, before.miners[name], bounds.rules, now, synced_at) for name in farm.miners}
    soc_percent = farm.site.fresh_soc_percent(now, bounds.rules.stale_no_start)
    limits_w = {name: person_limit_w(one, now) for name, one in farm.groups.items()}
    return Scene(
        now,
        bounds,
        sights,
        soc_percent=soc_percent,
        soc_known_at=farm.site.confirmed_at,
        epoch=epoch,
        group_limits_w={name: limit_w for name, limit_w in limits_w.items() if limit_w is not None},
    )


def _sight(name: MinerId, farm: Farm, before: MinerView, rules: Rules, now: datetime, synced_at: datetime) -> Sight:
    view = farm.miners[name]
    told = view.telemetry
    heard = view.heard_at is not None and now - view.heard_at <= rules.heard_within
    led = heard and told is not None and told.reachable and told.following is Following.COMMAND
    stopped = active_stop(farm) is not None
    at_floor = told is not None and is_at_floor(told)
    return Sight(
        name=name,
        rules=rules.miners[name],
        draws=told.state.draws_power and not at_floor if told is not None and led else None,
        at_floor=at_floor,
        power_w=_power_w(told) if told is not None and led else 0.0,
        tended=heard and told is not None and told.reachable,
        chain_since=max(synced_at, now - timedelta(days=1)) if led else None,
        stop_in_force=stopped,
        told_to_stop=stopped and heard,
        command=view.command,
        before=before.command,
        fresh=view.command is not before.command,
        telemetry=told,
        heard_at=view.heard_at,
        person=_person(farm, name, rules, now),
        limit_w=person_limit_w(view.override, now),
    )


def _power_w(told: MinerTelemetry) -> float:
    point = None if told.ladder is None or told.point is None else point_named(told.ladder, told.point)
    return point.power_w if point is not None and told.state.draws_power else 0.0


def _person(farm: Farm, name: MinerId, rules: Rules, now: datetime) -> OverrideKind | None:
    kinds = {one.kind for one in active(farm, name, rules, now)}
    return next((kind for kind in _STRICTEST_FIRST if kind in kinds), None)
