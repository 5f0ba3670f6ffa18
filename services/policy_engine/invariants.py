"""What must hold on every farm at every moment, each under its name. Pure.

Each says what would be wrong with one miner at this moment, and for how long that may last before it counts: nothing
that is measured and sent is known at once. A simulation checks them with the eyes of the world, the engine at run time
with what it is told.
"""

from datetime import timedelta

from services.policy_engine import setting_conditions
from services.policy_engine.invariant import Invariant
from services.policy_engine.rig_invariants import RIG_INVARIANTS
from services.policy_engine.sight import Scene, Sight
from shared.messages import Action, Following, MinerCommand, OverrideKind
from shared.miner_role import TOO_HOT

_STOP = timedelta(seconds=8)
"""A sound miner stops at once; one that hangs costs whoever waits for it 5 s for each request."""
_HELD_LOWER = frozenset({TOO_HOT, "warm", "temperature_unknown"})
"""Problems for which an agent holds its miner lower than it is told, on purpose."""
_CLOCKS_DIFFER = timedelta(seconds=60)


def _governed(sight: Sight) -> bool:
    return sight.rules.stop_percent is not None and not sight.hands_off


def _runs(command: MinerCommand | None) -> bool:
    return command is not None and command.action is Action.APPLY and not command.point.is_pause


def _starts(sight: Sight) -> bool:
    """Whether the newest command has just ordered a start."""
    command = sight.command
    if not sight.fresh or command is None or _runs(sight.before) or not _runs(command):
        return False
    return command.starts[-1:] == (command.at,)


def _below(scene: Scene, sight: Sight) -> bool:
    stop = sight.rules.stop_percent
    return stop is not None and scene.soc_percent is not None and scene.soc_percent < stop


def _battery_floor(scene: Scene, sight: Sight) -> str | None:
    forced = sight.person is OverrideKind.FORCE_ON
    if sight.chain and sight.draws and _governed(sight) and not forced and _below(scene, sight):
        return f"draws at {scene.soc_percent} %, stops below {sight.rules.stop_percent} %"
    return None


def _failsafe_in_time(_scene: Scene, sight: Sight) -> str | None:
    left_alone = sight.tended and sight.cut_off and not sight.hands_off
    draws = sight.draws if sight.above_failsafe is None else sight.above_failsafe
    return "draws, and no engine has led it for lease and grace" if left_alone and draws else None


def _stale_pauses(scene: Scene, sight: Sight) -> str | None:
    if not (sight.chain and sight.draws and _governed(sight)):
        return None
    if scene.soc_known_at is None or scene.now - scene.soc_known_at >= scene.rules.stale_pause:
        return f"draws, and the battery has not been known since {scene.soc_known_at}"
    return None


def _no_blind_start(scene: Scene, sight: Sight) -> str | None:
    if not _starts(sight) or not _governed(sight):
        return None
    if scene.soc_known_at is None or scene.now - scene.soc_known_at > scene.rules.stale_no_start + scene.bounds.action:
        return f"started, and the battery has not been known since {scene.soc_known_at}"
    return None


def _no_start_on_unknown(scene: Scene, sight: Sight) -> str | None:
    if not _starts(sight) or not _governed(sight) or scene.unknown_since is None or sight.chain_since is None:
        return None
    known_to_all = max(scene.unknown_since, sight.chain_since + scene.bounds.react)
    return "is told to start while the battery is unknown" if scene.now > known_to_all else None


def _minimum_off(scene: Scene, sight: Sight) -> str | None:
    paused_since = None if sight.before is None else sight.before.paused_since
    if _starts(sight) and sight.command is not None and paused_since is not None:
        ordered_off = sight.command.at - paused_since
        if ordered_off < scene.rules.minimum_off:
            return f"ordered to start after {ordered_off} of at least {scene.rules.minimum_off}"
    if sight.off_for is not None and sight.off_for < scene.rules.minimum_off - timedelta(seconds=10):
        return f"started after {sight.off_for} of at least {scene.rules.minimum_off}"
    return None


def _starts_per_day(scene: Scene, sight: Sight) -> str | None:
    allowed = scene.rules.starts_per_day
    ordered = 0 if sight.command is None else len(sight.command.starts)
    if max(ordered, sight.starts_within_day) > allowed:
        return f"{ordered} starts ordered, {sight.starts_within_day} made, {allowed} allowed"
    return None


def _stagger(scene: Scene, sight: Sight) -> str | None:
    if not _starts(sight) or sight.command is None:
        return None
    since = sight.command.at - scene.rules.stagger_window
    begun = [
        other.rules.nominal_w or 0.0
        for other in scene.sights.values()
        if _runs(other.command) and other.command is not None and other.command.starts[-1:] > (since,)
    ]
    if len(begun) > 1 and sum(begun) > scene.rules.stagger_w:
        return f"{sum(begun):g} W begun within {scene.rules.stagger_window}, {scene.rules.stagger_w:g} W allowed"
    return None


def _miner_cap(_scene: Scene, sight: Sight) -> str | None:
    cap_w = min((cap for cap in (sight.rules.max_w, sight.limit_w) if cap is not None), default=None)
    governed = sight.chain and not sight.hands_off and not sight.at_floor
    if governed and cap_w is not None and sight.power_w > cap_w + 1:
        return f"draws {sight.power_w:g} W of {cap_w:g} W"
    return None


def _group_cap(scene: Scene, sight: Sight) -> str | None:
    for name in scene.rules.groups_of[sight.name]:
        group = scene.rules.groups[name]
        members = [scene.sights[member] for member in group.members]
        total_w = sum(member.power_w for member in members if not member.at_floor)
        led = all(member.chain and not member.hands_off for member in members)
        caps = (group.max_w, scene.group_limits_w.get(name))
        cap_w = min((cap for cap in caps if cap is not None), default=None)
        if cap_w is not None and led and total_w > cap_w + 1:
            return f"group {name} draws {total_w:g} W of {cap_w:g} W"
    return None


def _epoch_order(_scene: Scene, sight: Sight) -> str | None:
    followed = sight.epoch_followed
    if followed is None or followed >= sight.highest_epoch_followed:
        return None
    return f"follows epoch {followed} after {sight.highest_epoch_followed}"


def _one_writer(scene: Scene, sight: Sight) -> str | None:
    if sight.command is None or not sight.fresh or sight.chain_since is None or sight.command.epoch >= scene.epoch:
        return None
    known_to_all = scene.now - sight.chain_since > scene.bounds.react
    return f"written by epoch {sight.command.epoch}, {scene.epoch} is in charge" if known_to_all else None


def _emergency_stop_wins(_scene: Scene, sight: Sight) -> str | None:
    return "draws under an emergency stop" if sight.told_to_stop and sight.tended and sight.draws else None


def _outside_pause(scene: Scene, sight: Sight) -> str | None:
    until = sight.outside_pause_until
    if not (sight.started and sight.chain) or until is None or scene.now >= until - _CLOCKS_DIFFER:
        return None
    return f"started although somebody has paused it, to be respected until {until}"


def _person_pauses(_scene: Scene, sight: Sight) -> str | None:
    paused = sight.person is OverrideKind.PAUSE and not sight.rules.observe
    return "draws although a person has paused it" if paused and sight.chain and sight.draws else None


def _hands_are_off(_scene: Scene, sight: Sight) -> str | None:
    watched = sight.handled and sight.rules.observe and not sight.stop_in_force
    return "is only to be watched, and was told something" if watched else None


def _reasoned(_scene: Scene, sight: Sight) -> str | None:
    command = sight.command
    if command is None or not sight.fresh:
        return None
    if not (command.code and command.sentence and command.limits):
        return "a command without its reason"
    lowest = min((limit.ceiling_w for limit in command.limits if limit.ceiling_w is not None), default=None)
    if lowest is not None and command.point.power_w > lowest and command.code not in {"cannot_pause", "not_read"}:
        return f"{command.point.power_w:g} W under a ceiling of {lowest:g} W"
    return None


def _converged(_scene: Scene, sight: Sight) -> str | None:
    told, command = sight.telemetry, sight.command
    if not sight.chain or command is None or told is None or sight.hands_off or sight.stop_in_force:
        return None
    if told.outside_pause_since is not None or command.action is not Action.APPLY:
        return None
    if told.protected_since is not None or told.problem in _HELD_LOWER:
        return None
    if told.following is not Following.COMMAND or told.settled is not True or told.desired != command.point.name:
        return f"follows {told.following}, wants {told.desired}, settled {told.settled}; told {command.point.name}"
    return None


def _silence_delays_nobody(_scene: Scene, sight: Sight) -> str | None:
    late = sight.stop_delay is not None and sight.stop_delay > _STOP
    return f"a stop reached it {sight.stop_delay} after its order" if late else None


def _heard_of(scene: Scene, sight: Sight) -> str | None:
    if not sight.chain or sight.heard_at is None or scene.now - sight.heard_at <= scene.bounds.poll:
        return None
    return f"not heard of since {sight.heard_at}"


def _nobody_home(scene: Scene, sight: Sight) -> str | None:
    if scene.clocks_differ:
        return None
    unheard = sight.heard_at is None or scene.now - sight.heard_at > scene.rules.memory_lasts
    if sight.fresh and unheard and _runs(sight.command):
        return "told to run, and nobody has heard of it since lease and grace"
    return None


INVARIANTS: tuple[Invariant, ...] = (
    Invariant("battery_floor", "below its stop threshold no miner draws", _battery_floor, lambda b: b.react),
    Invariant("failsafe_in_time", "nor does any that nobody leads", _failsafe_in_time, lambda b: b.alone),
    Invariant("stale_pauses", "a battery that nobody knows ends in a pause", _stale_pauses, lambda b: b.react),
    Invariant("no_blind_start", "nothing starts on an old state of charge", _no_blind_start),
    Invariant("no_start_on_unknown", "nor while the source says unknown", _no_start_on_unknown),
    Invariant("minimum_off", "what was paused stays so for a while", _minimum_off),
    Invariant("starts_per_day", "no more starts than are allowed", _starts_per_day),
    Invariant("stagger", "not too many watts begin at once", _stagger),
    Invariant("miner_cap", "no miner above its power", _miner_cap, lambda b: b.rounds),
    Invariant("group_cap", "no group above its power", _group_cap, lambda b: b.rounds),
    Invariant(
        "heat_limits",
        "what is too hot is told to draw less",
        setting_conditions.heat_limits,
        lambda b: b.rules.heat_step + b.react,
    ),
    Invariant("heat_answered", "and does so", setting_conditions.is_hot, lambda b: b.rules.heat_step + b.react),
    Invariant(
        "heat_alone",
        "far above its limits its own agent lowers it",
        setting_conditions.is_far_too_hot,
        lambda b: b.react,
    ),
    Invariant(
        "set_with_care",
        "nothing is set above its limits, nor a voltage lowered before its frequency",
        lambda _scene, sight: sight.written_badly or None,
    ),
    Invariant("clamps", "nor does it stay above its limits", setting_conditions.is_above_clamps, lambda b: b.rounds),
    Invariant(
        "schedule",
        "no window of a schedule is exceeded",
        setting_conditions.schedule,
        lambda b: b.rounds + b.rules.minimum_on,
    ),
    Invariant("epoch_order", "no lower epoch is obeyed", _epoch_order),
    Invariant("one_writer", "one engine writes the commands", _one_writer),
    Invariant("emergency_stop_wins", "an emergency stop stops everything", _emergency_stop_wins, lambda b: b.react),
    Invariant("outside_pause", "a pause made at the miner is respected", _outside_pause),
    Invariant("person_pauses", "a pause by a person is carried out", _person_pauses, lambda b: b.react),
    Invariant("hands_off", "what is only watched is never told anything", _hands_are_off),
    Invariant("reasoned", "every command says why, and keeps to it", _reasoned),
    Invariant("converged", "after the last fault all is as commanded", _converged, lambda b: b.rounds),
    Invariant("silence_delays_nobody", "a silent device keeps no other from its stop", _silence_delays_nobody),
    Invariant(
        "heard_of",
        "of every sound miner something is heard",
        _heard_of,
        lambda b: timedelta(seconds=30) + 2 * b.turn,
    ),
    Invariant("nobody_home", "nobody is told to run of whom nothing is heard", _nobody_home),
    Invariant(
        "restart_changes_nothing",
        "a restarted engine decides as the one before",
        lambda _scene, sight: sight.restart_changed or None,
    ),
    Invariant(
        "unknown_stays_unknown",
        "what cannot be read is not told as if it were",
        lambda _scene, sight: "tells a reading that nobody can have taken" if sight.impossible else None,
    ),
    Invariant(
        "right_device",
        "no command reaches another device",
        lambda _scene, sight: "a command has reached another device" if sight.stranger_handled else None,
    ),
    Invariant(
        "nothing_crashes",
        "no handler and no loop ends by an exception",
        lambda scene, _sight: f"{scene.crashes} crashes" if scene.crashes else None,
    ),
    *RIG_INVARIANTS,
)

PROMISES = {invariant.name: invariant.promise for invariant in INVARIANTS}
