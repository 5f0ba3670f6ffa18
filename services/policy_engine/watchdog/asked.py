"""What a person asks to be done to one miner: whether it can be done now, and what comes of it. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.policy_engine.policies.override import maintenance_until
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm, active_stop
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.care import Treatment
from services.policy_engine.watchdog.patient import Patient, past_care, vain_tries
from services.policy_engine.watchdog.witnesses import is_heard
from services.policy_engine.wording import span
from shared.messages import Action, Care, Following, MinerState, RequestKind

_RESTARTABLE = {MinerState.HASHING, MinerState.RAMPING, MinerState.FAULT}
_TICK = timedelta(microseconds=1)
_WAIT = "Fix: wait for that, and ask again"
_READ = "Fix: see to its network and its power"


def refusal(kind: RequestKind, farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> str | None:
    """Why this cannot be done now, and the fix; None: it can."""
    if kind is RequestKind.CLEAR_UNSTABLE:
        care = past_care(Patient(farm, miner, rules, now, None, None))
        nothing = care is None or not (care.unstable_since or vain_tries(care))
        return "no try has been in vain: there is nothing to clear. Fix: none is needed" if nothing else None
    causes = _of_restart if kind is RequestKind.RESTART else _of_cycle
    found = next(_hands_off(farm, miner, rules, now), None) or next(causes(farm.miners[miner], miner, rules, now), None)
    return found or _under_way(farm, miner, rules, now)


def as_asked(patient: Patient) -> Treatment:
    """A person's word in place of a look: it counts as a try with its time to come back, and begins the count anew."""
    asked, now = patient.view.asked, patient.now
    past, command = past_care(patient), patient.view.command
    restart_at = None if command is None else command.restart_at
    if asked is None or asked.kind is RequestKind.CLEAR_UNSTABLE:
        by = "nobody" if asked is None else asked.by
        care = _care(past, "cleared", f"{by} has had its vain tries forgotten", patient, tries=False)
        return Treatment(care, restart_at)
    cycles = asked.kind is RequestKind.CYCLE
    what = "its power is cycled" if cycles else "its software is restarted"
    code = "power_cycling" if cycles else "restarting"
    care = _care(past, code, f"{asked.by} has asked for it: {what}", patient, tries=True)
    if cycles:
        care = care.model_copy(update={"cycle_at": now})
    return Treatment(care, restart_at if cycles else now, began=True)


def _care(past: Care | None, code: str, sentence: str, patient: Patient, *, tries: bool) -> Care:
    """What went before was in vain no more: it dates from before the return."""
    now, watch = patient.now, patient.watch
    return Care(
        code=code,
        sentence=sentence,
        since=now,
        changes_when=f"looked at again after {span(watch.cooldown)}" if tries else "",
        numbers={"tries_in_vain": 0, "tries_allowed": watch.tries},
        cycle_at=None if past is None else past.cycle_at,
        tries=(now,) if tries else (),
        returned_at=now - _TICK,
    )


# --- why not


def _hands_off(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> Iterator[str]:
    """What holds for every touch."""
    if active_stop(farm) is not None:
        yield "the emergency stop is set. Fix: lift it first"
    if rules.miners[miner].observe:
        yield "it is only watched (observe: true). Fix: take that out of the farm file"
    if maintenance_until(farm, miner, rules, now) is not None:
        yield "it is in maintenance. Fix: end that first"
    if farm.miners[miner].command is None:
        yield f"nothing has been decided of it yet. {_WAIT}"


def _of_restart(view: MinerView, miner: MinerId, rules: Rules, now: datetime) -> Iterator[str]:
    if view.command is not None and view.command.action is not Action.APPLY:
        yield f"nothing is commanded of it at present: {view.command.sentence}. {_READ}"
    if not rules.miners[miner].watch.can_restart:
        yield "its software cannot be restarted from here. Fix: cycle its power, if it has an outlet"
    told, heard_at = view.telemetry, view.heard_at
    if told is None or heard_at is None or now - heard_at > rules.heard_within:
        yield f"its agent is not heard. {_READ}"
    elif not told.reachable:
        cause = f": {told.detail}" if told.detail else ""
        yield f"it does not answer{cause}. Fix: cycle its power, if it has an outlet"
    elif told.following is not Following.COMMAND:
        yield f"its agent follows no command at present. {_WAIT}"
    elif view.command is not None and view.command.point.is_pause:
        yield f"it is paused: {view.command.sentence}. Fix: wait until it may run, and ask again"
    elif told.state not in _RESTARTABLE:
        yield f"it stands {told.state}, and a restart would start it. Fix: wait until it runs, and ask again"
    elif told.protected_since is not None:
        yield "its firmware protects it from heat. Fix: let it cool down"


def _of_cycle(view: MinerView, miner: MinerId, rules: Rules, now: datetime) -> Iterator[str]:
    plug, outlet = view.plug, view.outlet
    if not rules.miners[miner].watch.has_plug:
        yield "it hangs on no outlet that is known. Fix: give it a plug in the farm file"
    elif plug is None or not is_heard(view, rules, now):
        yield f"the agent of its outlet is not heard. {_READ}"
    elif not plug.reachable or plug.on is None:
        yield f"its outlet does not answer. {_READ}"
    elif plug.cycle_off_since is not None:
        yield f"its power is being cycled. {_WAIT}"
    elif not plug.on:
        yield "its outlet is off, so there is nothing to cycle. Fix: let it run, which switches its outlet on"
    elif outlet is None or outlet.action is not Action.APPLY or not outlet.on:
        yield f"its outlet is not to be on at present. {_WAIT}"
    elif plug.following is not Following.COMMAND:
        yield f"the agent of its outlet follows no command at present. {_WAIT}"


def _under_way(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> str | None:
    """Whatever was done to it last has its time to come back, whoever asked for it."""
    command, care = farm.miners[miner].command, past_care(Patient(farm, miner, rules, now, None, None))
    orders = [] if care is None else [*care.tries[-1:], care.cycle_at]
    orders.append(None if command is None else command.restart_at)
    last = max((min(order, now) for order in orders if order is not None), default=None)
    cooldown = rules.miners[miner].watch.cooldown
    if last is None or now - last >= cooldown:
        return None
    ago, left = span(now - last), span(cooldown - (now - last))
    return f"it was restarted or cycled {ago} ago and has its time to come back. Fix: ask again in {left}"
