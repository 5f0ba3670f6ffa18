"""What is done about a miner that has failed: a restart, a power cycle, or giving up. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from services.policy_engine.rules import Rules, WatchRules
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.finding import Finding, Opinion, judge
from services.policy_engine.watchdog.patient import Patient, after_return, past_care, vain_tries
from services.policy_engine.watchdog.shares import shareless_for
from services.policy_engine.watchdog.witnesses import Word, hear_all, is_heard, pool_says
from services.policy_engine.wording import span, time_of_day
from shared.messages import CYCLE_YOUNG_SECONDS, Care, Following, MinerState

_TAKEN_WITHIN = timedelta(seconds=CYCLE_YOUNG_SECONDS)


class Remedy(Enum):
    """What can be done."""

    RESTART = "restart"
    CYCLE = "power_cycle"


@dataclass(frozen=True)
class Treatment:
    """What comes of a look at one miner."""

    care: Care | None
    restart_at: datetime | None
    """The last restart of its software that was ordered."""
    began: bool = False
    """Whether something was ordered just now."""


def treat(patient: Patient) -> Treatment:
    """A look at a miner, and what is ordered for it."""
    command = patient.view.command
    restart_at = None if command is None else command.restart_at
    if _is_plainly_well(patient.view, patient.rules):
        return Treatment(None, restart_at)
    past = past_care(patient)
    if patient.hashing_since is None:
        return Treatment(
            _kept(past, "not_watched", "it is not meant to hash, or not to be touched", patient), restart_at
        )
    witnesses = hear_all(patient.farm, patient.miner, patient.rules, patient.now)
    opinion = judge(witnesses, has_worker=patient.watch.has_worker)
    if opinion.finding is Finding.FAILED and not _is_led(patient):
        # It may have gone to the failsafe, which can be a pause.
        sentence = f"{opinion.sentence}; its agent is not heard, or follows no command"
        opinion = Opinion(Finding.DOUBTFUL, "agent_silent", sentence)
    past = after_return(past, opinion, patient)
    if opinion.finding is Finding.DOUBTFUL and patient.now < _settled_at(past, patient):
        # A pool is slow to see who has just begun: for so long a doubt is none.
        opinion = Opinion(Finding.UNKNOWN, "settling", opinion.sentence)
    if opinion.finding is not Finding.FAILED:
        return Treatment(_kept(past, opinion.code, opinion.sentence, patient, opinion.finding), restart_at)
    remedy = _remedy(past, opinion, restart_at, patient.watch)
    waits = _waits(past, remedy, patient)
    if waits is not None:
        code, changes = waits
        return Treatment(_care(past, code, opinion.sentence, patient, changes), restart_at)
    return _order(past, remedy, opinion, restart_at, patient)


def _is_plainly_well(view: MinerView, rules: Rules) -> bool:
    """Whether it hashes by its own word, and nobody else has said a word: most miners, most of the time."""
    told = view.telemetry
    if (
        told is None
        or view.heard_at is None
        or told.state is not MinerState.HASHING
        or told.last_restart_at is not None
    ):
        return False
    if view.pool is not None or view.plug is not None or (view.command is not None and view.command.care is not None):
        return False
    return shareless_for(view.shares, view.heard_at, rules) is None


# --- what is done


def _is_led(patient: Patient) -> bool:
    told, heard_at = patient.view.telemetry, patient.view.heard_at
    if told is None or heard_at is None or patient.now - heard_at > patient.rules.heard_within:
        return False
    return told.following is Following.COMMAND


def _remedy(past: Care | None, opinion: Opinion, restart_at: datetime | None, watch: WatchRules) -> Remedy | None:
    """Its software first, where it answers; then its power."""
    restartable = opinion.answers and watch.can_restart
    if restartable and (restart_at not in vain_tries(past) or not watch.has_plug):
        return Remedy.RESTART
    return Remedy.CYCLE if watch.has_plug else None


def _waits(past: Care | None, remedy: Remedy | None, patient: Patient) -> tuple[str, str] | None:
    """Why nothing is done yet, as (code, what changes it); None: now."""
    if patient.watch.tries == 0:
        return "watched_only", "max_consecutive_restarts is 0: a person must act"
    if remedy is None:
        return "no_remedy", "it has no outlet and does not answer: a person must act"
    told = patient.view.telemetry
    if told is not None and told.protected_since is not None:
        return "protected", "its firmware protects it from heat"
    return _settling(past, remedy, patient) or _given_up(past, patient) or _not_ready(remedy, patient)


def _settling(past: Care | None, remedy: Remedy, patient: Patient) -> tuple[str, str] | None:
    settled_at = _settled_at(past, patient)
    if patient.now >= settled_at:
        return _pool_knows_no_better(past, patient)
    at = time_of_day(settled_at, patient.now, patient.rules.zone)
    if remedy is Remedy.CYCLE and _was_not_taken(past, patient):
        return "cycle_not_taken", f"tried again at {at}"
    return "settling", f"it has time until {at}"


def _given_up(past: Care | None, patient: Patient) -> tuple[str, str] | None:
    vain = len(vain_tries(past))
    if vain >= patient.watch.tries:
        return "unstable", f"{vain} tries in vain: left alone until it comes back or a person says automatic"
    if past is not None and len(past.tries) >= patient.rules.starts_per_day:
        return "unstable", f"{len(past.tries)} tries within 24 h: left alone until a person says automatic"
    return None


def _not_ready(remedy: Remedy, patient: Patient) -> tuple[str, str] | None:
    if remedy is Remedy.CYCLE and not _outlet_is_ready(patient):
        return "plug_silent", "tried when its outlet answers"
    last, window = patient.last_try_of_farm, patient.rules.stagger_window
    if last is not None and patient.now - last < window:
        return "waits_for_turn", f"one miner within {span(window)}"
    return None


def _settled_at(past: Care | None, patient: Patient) -> datetime:
    """Until when it must be given time, by the slower of owner and pool."""
    return _began_at(past, patient) + max(patient.watch.cooldown, _unseen_by_pool(patient))


def _began_at(past: Care | None, patient: Patient) -> datetime:
    """From when on it could work: since it is meant to, since the last try, since it has power."""
    outlet = patient.view.outlet
    dates = [patient.hashing_since or patient.now, *(() if past is None else past.tries[-1:]), *_ordered(past, patient)]
    if outlet is not None and outlet.on:
        dates.append(min(outlet.since, patient.now))
    return max(dates + _powered_since(past, patient))


def _ordered(past: Care | None, patient: Patient) -> list[datetime]:
    """The last orders. A person who says *automatic* ends a series of tries, but no rig comes back sooner for that."""
    command = patient.view.command
    orders = [None if command is None else command.restart_at, None if past is None else past.cycle_at]
    return [min(date, patient.now) for date in orders if date is not None]


def _unseen_by_pool(patient: Patient) -> timedelta:
    pool = patient.view.pool
    return timedelta() if pool is None else timedelta(seconds=pool.offline_after_seconds)


def _pool_knows_no_better(past: Care | None, patient: Patient) -> tuple[str, str] | None:
    """What a pool last said before it could have seen the miner again is no evidence that it has failed again."""
    view = patient.view
    pool, heard_at = view.pool, view.pool_heard_at
    if pool_says(view, patient.rules, patient.miner, patient.now).word is not Word.DEAD:
        return None
    if pool is None or heard_at is None or pool.confirmed_at is None:
        return None
    confirmed_at = heard_at - max(timedelta(), pool.at - pool.confirmed_at)  # on our clock
    if confirmed_at >= _began_at(past, patient) + _unseen_by_pool(patient):
        return None
    return "settling", f"looked at again when {pool.pool} has been asked again"


def _powered_since(past: Care | None, patient: Patient) -> list[datetime]:
    """When its power came back after the last try: that may be long after the order, if its agent was away."""
    since, plug = patient.view.powered_since, patient.view.plug
    if past is None or not past.tries or plug is None or since is None or plug.last_cycle_at != past.tries[-1]:
        return []
    return [min(since, patient.now)]


def _was_not_taken(past: Care | None, patient: Patient) -> bool:
    """Whether the outlet's agent has let the last order grow too old to be begun."""
    ordered_at = None if past is None else past.cycle_at
    taken_at = None if patient.view.plug is None else patient.view.plug.last_cycle_at
    within = patient.rules.at_least(_TAKEN_WITHIN, 5)
    return ordered_at is not None and ordered_at != taken_at and patient.now - ordered_at > within


def _outlet_is_ready(patient: Patient) -> bool:
    plug = patient.view.plug
    if plug is None or not is_heard(patient.view, patient.rules, patient.now):
        return False
    return plug.reachable and plug.on is not None and plug.cycle_off_since is None and plug.outside_off_since is None


def _order(
    past: Care | None, remedy: Remedy | None, opinion: Opinion, restart_at: datetime | None, patient: Patient
) -> Treatment:
    now, watch = patient.now, patient.watch
    count = len(vain_tries(past)) + 1
    what = "its power is cycled" if remedy is Remedy.CYCLE else "its software is restarted"
    sentence = f"{opinion.sentence}: {what}, try {count} of {watch.tries}"
    changes = f"looked at again after {span(watch.cooldown)}"
    care = _care(past, "power_cycling" if remedy is Remedy.CYCLE else "restarting", sentence, patient, changes)
    update = {"tries": (*care.tries, now), "since": now}
    if remedy is Remedy.CYCLE:
        update["cycle_at"] = now
    return Treatment(care.model_copy(update=update), now if remedy is Remedy.RESTART else restart_at, began=True)


# --- what is said


def _kept(
    past: Care | None, code: str, sentence: str, patient: Patient, finding: Finding = Finding.UNKNOWN
) -> Care | None:
    """While all is well, or nothing is known, and nothing is remembered, there is nothing to say."""
    if finding is not Finding.DOUBTFUL and (past is None or not (past.tries or past.unstable_since)):
        return None
    return _care(past, code, sentence, patient, "")


def _care(past: Care | None, code: str, sentence: str, patient: Patient, changes: str) -> Care:
    since = past.since if past is not None and past.code == code else patient.now
    unstable_since = None if past is None else past.unstable_since
    if code == "unstable":
        unstable_since = unstable_since or patient.now
    return Care(
        code=code,
        sentence=sentence,
        since=since,
        changes_when=changes,
        numbers={"tries_in_vain": len(vain_tries(past)), "tries_allowed": patient.watch.tries},
        cycle_at=None if past is None else past.cycle_at,
        tries=() if past is None else past.tries,
        returned_at=None if past is None else past.returned_at,
        unstable_since=unstable_since,
    )
