"""What must hold of rigs that hang and what is done about it. Conditions as in `invariants.py`. Pure."""

from datetime import timedelta

from services.policy_engine.invariant import Invariant
from services.policy_engine.sight import Bounds, Scene, Sight
from services.policy_engine.watchdog.witnesses import POOL_YOUNG, UNREACHABLE_FOR
from shared.messages import Action

_POOL_SECONDS = 900.0
"""No pool of a simulation takes longer to find a worker offline."""
_LATE = timedelta(seconds=10)


def _no_needless_cycle(scene: Scene, sight: Sight) -> str | None:
    """Its power cut, or its software restarted, although it works or is to be paused."""
    rig, command = sight.rig, sight.command
    if not rig.touched or command is None:
        return None
    held_back = [limit for limit in command.limits if limit.ceiling_w == 0]
    if held_back and scene.now - min(limit.since for limit in held_back) > scene.bounds.react:
        return f"is touched while it is to be paused: {held_back[0].sentence}"
    if sight.hands_off:
        return "is touched although it is only watched"
    if rig.works_since is None:
        return None
    works_for, known = scene.now - rig.works_since, _known_within(scene.bounds, sight)
    heard = rig.pool_since is not None and scene.now - rig.pool_since > known
    if works_for > (known if heard else _evidence_lasts(scene.bounds, sight)):
        return f"is touched although it has worked for {works_for}"
    return None


def _known_within(bounds: Bounds, sight: Sight) -> timedelta:
    """Within which time a pool in good order has told that it works."""
    return 2 * sight.rules.watch.asked_every + timedelta(minutes=3) + bounds.react


def _evidence_lasts(bounds: Bounds, sight: Sight) -> timedelta:
    """For how long a pool's last answer counts."""
    return bounds.rules.at_least(max(POOL_YOUNG, 2 * sight.rules.watch.asked_every), 10) + bounds.react


def _cycle_budget(scene: Scene, sight: Sight) -> str | None:
    rig, watch = sight.rig, sight.rules.watch
    if rig.tries_within_day > scene.rules.starts_per_day:
        return f"{rig.tries_within_day} tries within a day, {scene.rules.starts_per_day} allowed"
    if rig.vain_tries > watch.tries:
        return f"{rig.vain_tries} tries in vain, {watch.tries} allowed"
    return None


def _one_cycle_for_one_cause(scene: Scene, sight: Sight) -> str | None:
    before = sight.rig.before_touch_at
    if not sight.rig.touched or before is None:
        return None
    after = scene.now - before
    if after < sight.rules.watch.cooldown - _LATE:
        return f"is touched again {after} after the last time, has {sight.rules.watch.cooldown} to come back"
    return None


def _outlet_as_desired(_scene: Scene, sight: Sight) -> str | None:
    rig, outlet = sight.rig, sight.rig.outlet
    if rig.plug_since is None or rig.outlet_on is None or outlet is None or outlet.action is not Action.APPLY:
        return None
    if sight.hands_off or sight.stop_in_force or sight.outside_pause_until is not None:
        return None
    if rig.outlet_on is not outlet.on:
        return f"its outlet is {_word(on=rig.outlet_on)}, wanted {_word(on=outlet.on)}"
    return None


def _power_comes_back(_scene: Scene, sight: Sight) -> str | None:
    """Whoever leads it: what has its own interface needs its power."""
    rig, outlet = sight.rig, sight.rig.outlet
    if rig.plug_tended_since is None or rig.outlet_on is not False or outlet is None or sight.hands_off:
        return None
    return "has no power, which nobody wants" if outlet.on and not sight.rules.watch.is_plug else None


def _word(*, on: bool) -> str:
    return "on" if on else "off"


def _rescued(scene: Scene, sight: Sight) -> str | None:
    rig, command, watch = sight.rig, sight.command, sight.rules.watch
    if rig.hangs_since is None or rig.plug_since is None or rig.pool_since is None or command is None:
        return None
    care, meant_since = command.care, command.hashing_since
    if not watch.has_worker or watch.tries == 0 or sight.hands_off or meant_since is None or sight.stop_in_force:
        return None
    if care is not None and (
        care.code == "unstable" or len(care.tries) >= min(watch.tries, scene.rules.starts_per_day)
    ):
        return None
    since = max(rig.hangs_since, rig.plug_since, rig.pool_since, meant_since, *(care.tries[-1:] if care else ()))
    left = scene.now - since
    return f"has hung for {left}, and nobody does anything" if left > _rescue_takes(scene.bounds, sight) else None


def _rescue_takes(bounds: Bounds, sight: Sight) -> timedelta:
    watch, rules = sight.rules.watch, bounds.rules
    unseen = timedelta(seconds=_POOL_SECONDS) + 2 * watch.asked_every
    unread = rules.at_least(UNREACHABLE_FOR, 2) + 3 * bounds.poll
    turns = len(rules.miners) * rules.stagger_window
    return max(watch.cooldown, timedelta(seconds=_POOL_SECONDS)) + unseen + unread + turns + bounds.react


RIG_INVARIANTS: tuple[Invariant, ...] = (
    Invariant("no_needless_cycle", "what works, or is meant to be paused, is left alone", _no_needless_cycle),
    Invariant("cycle_budget", "nothing is tried more often than allowed", _cycle_budget),
    Invariant("one_cycle_for_one_cause", "what was restarted has its time to come back", _one_cycle_for_one_cause),
    Invariant("outlet_as_desired", "every outlet is as commanded", _outlet_as_desired, lambda b: b.rounds),
    Invariant(
        "power_comes_back",
        "what was cut to be cycled gets its power back, whoever leads it",
        _power_comes_back,
        lambda b: b.rules.memory_lasts + b.react,
    ),
    Invariant("rescued", "what hangs is brought back", _rescued),
    Invariant(
        "never_the_parent",
        "no outlet is switched but a miner's own",
        lambda _scene, sight: "an outlet was switched that is nobody's" if sight.rig.stranger_switched else None,
    ),
)
