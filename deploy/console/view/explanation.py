"""From what was heard to why one miner is as it is. Pure."""

from collections.abc import Iterator

from deploy.console.view.explained import (
    Decision,
    Explanation,
    LimitSeen,
    OutletSeen,
    OverrideSeen,
    PoolSeen,
    SettingSeen,
)
from deploy.console.view.look import battery_seen, engine_seen, mode_of
from deploy.console.view.miner import miner_seen
from deploy.console.view.picture import Picture
from deploy.console.view.seen import StopSeen
from services.policy_engine.decide import binding
from services.policy_engine.gates import GATES
from services.policy_engine.policies.override import ends_at
from shared.messages import Choice, MinerCommand, Override, OverrideKind, PoolReading, PoolVerdict
from shared.topics import (
    GROUP_CHOICE,
    GROUP_OVERRIDE,
    MINER_CHOICE,
    MINER_COMMAND,
    MINER_OVERRIDE,
    MINER_POOL,
    MINER_TELEMETRY,
    PLUG_TELEMETRY,
)

_GATES = tuple(name for name, _gate in GATES)
_CONFIRMATIONS = 2
_UNITS = {"stop_soc": "%", "resume_soc": "%", "max_w": "W", "point": ""}


def explanation_of(picture: Picture, name: str) -> Explanation:
    """All that is known of why."""
    seen = miner_seen(picture, name)
    command, told = picture.said(MINER_COMMAND, name), picture.said(MINER_TELEMETRY, name)
    pool, stop = picture.said(MINER_POOL, name), picture.stop
    limits = tuple(_limits(command)) if command is not None else ()
    lowered = {each.policy for each in limits if each.gate}
    fresh = told if seen.online else None
    return Explanation(
        at=picture.now,
        mode=mode_of(picture),
        miner=seen,
        uptime_seconds=None if fresh is None else fresh.uptime_seconds,
        decision=None if command is None else _decision(picture, command),
        limits=limits,
        gates_passed=() if command is None else tuple(gate for gate in _GATES if gate not in lowered),
        overrides=tuple(_overrides(picture, name)),
        settings=tuple(_settings(picture, name)),
        care=None if command is None else command.care,
        agent_live=picture.is_live(seen.agent),
        desired=None if fresh is None else fresh.desired,
        outlet=_outlet(picture, name),
        worker=None if pool is None else _worker(picture, pool),
        engine=engine_seen(picture),
        battery=battery_seen(picture),
        emergency_stop=None if stop is None else StopSeen(at=stop.at, by=stop.by, reason=stop.reason),
    )


def _decision(picture: Picture, command: MinerCommand) -> Decision:
    return Decision(
        point=command.point.name,
        power_w=command.point.power_w,
        ceiling_w=command.ceiling_w,
        code=command.code,
        sentence=command.sentence,
        changes_when=command.changes_when,
        since=command.since,
        decided_at=command.at,
        lease_ends_at=command.expires_at,
        lease_is_live=picture.now < command.expires_at,
        action=command.action,
        suspended_until=command.suspended_until,
        engine=command.engine,
        epoch=command.epoch,
        starts_within_24_h=len(command.starts),
        paused_since=command.paused_since,
        hashing_since=command.hashing_since,
    )


def _limits(command: MinerCommand) -> Iterator[LimitSeen]:
    """Policies first, then gates; the engine's own rule says which of them binds."""
    binds = binding(command.limits)
    for limit in sorted(command.limits, key=lambda each: each.policy in _GATES):
        yield LimitSeen(
            policy=limit.policy,
            gate=limit.policy in _GATES,
            binds=limit is binds,
            ceiling_w=limit.ceiling_w,
            point=None if limit.point is None else limit.point.name,
            code=limit.code,
            sentence=limit.sentence,
            since=limit.since,
            changes_when=limit.changes_when,
        )


def _overrides(picture: Picture, name: str) -> Iterator[OverrideSeen]:
    own = picture.said(MINER_OVERRIDE, name)
    found = [(name, own), *((group, picture.said(GROUP_OVERRIDE, group)) for group in picture.facts.groups_of(name))]
    for of, override in found:
        if override is not None and override.kind is not OverrideKind.AUTOMATIC:
            yield _override(picture, of, override)


def _override(picture: Picture, of: str, override: Override) -> OverrideSeen:
    until = ends_at(override)
    return OverrideSeen(
        of=of,
        kind=override.kind,
        by=override.by,
        at=override.at,
        until=until,
        reason=override.reason,
        max_w=override.max_w,
        in_force=until is None or picture.now < until,
    )


def _settings(picture: Picture, name: str) -> Iterator[SettingSeen]:
    settings = picture.facts.settings
    section = None if settings is None else settings.miners.get(name)
    yield from _pairs(name, ("stop_soc", "resume_soc", "max_w", "point"), section, picture.said(MINER_CHOICE, name))
    for group in picture.facts.groups_of(name):
        shared = None if settings is None else settings.groups.get(group)
        yield from _pairs(group, ("max_w",), shared, picture.said(GROUP_CHOICE, group))


def _pairs(of: str, keys: tuple[str, ...], section: object, choice: Choice | None) -> Iterator[SettingSeen]:
    for key in keys:
        in_file, chosen = getattr(section, key, None), getattr(choice, key, None)
        if in_file is None and chosen is None:
            continue
        by, at = (choice.by, choice.at) if choice is not None and chosen is not None else (None, None)
        yield SettingSeen(of=of, key=key, unit=_UNITS[key], in_file=in_file, chosen=chosen, by=by, at=at)


def _outlet(picture: Picture, name: str) -> OutletSeen | None:
    plug = picture.said(PLUG_TELEMETRY, name)
    if plug is None:
        return None
    live = picture.is_live(plug.by)
    if not live or not plug.reachable:
        return OutletSeen(live=live)
    return OutletSeen(on=plug.on, power_w=plug.power_w, live=live)


def _worker(picture: Picture, pool: PoolReading) -> PoolSeen:
    lasts_seconds = _CONFIRMATIONS * pool.offline_after_seconds
    confirmed_at = pool.confirmed_at
    counts = confirmed_at is not None and (picture.now - confirmed_at).total_seconds() <= lasts_seconds
    return PoolSeen(
        pool=pool.pool,
        verdict=pool.verdict.value if counts else PoolVerdict.UNKNOWN.value,
        since=pool.since,
        confirmed_at=confirmed_at,
        last_seen_at=pool.last_seen_at,
        hashrate_ths=pool.hashrate_ths if counts else None,
    )
