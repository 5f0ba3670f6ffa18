"""A miner under care, and what is remembered of it. The memory is its last command, and what the devices tell. Pure."""

from dataclasses import dataclass
from datetime import datetime

from services.policy_engine.memory import DAY
from services.policy_engine.policies.override import every
from services.policy_engine.rules import MinerId, Rules, WatchRules
from services.policy_engine.state import Farm
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.finding import Finding, Opinion
from services.policy_engine.watchdog.witnesses import Word, pool_says
from shared.messages import Care, OverrideKind


@dataclass(frozen=True)
class Patient:
    """One miner at the moment of the look, with what is remembered of it."""

    farm: Farm
    miner: MinerId
    rules: Rules
    now: datetime
    hashing_since: datetime | None
    """Since when it has been meant to hash; None while it is not, or while nothing may be done to it."""
    last_try_of_farm: datetime | None
    """When anything was last ordered for any miner: they come back one by one."""

    @property
    def view(self) -> MinerView:
        return self.farm.miners[self.miner]

    @property
    def watch(self) -> WatchRules:
        return self.rules.miners[self.miner].watch


def past_care(patient: Patient) -> Care | None:
    """The last care, without tries of more than a day ago and with those that only the devices remember."""
    command, now = patient.view.command, patient.now
    last = None if command is None else command.care
    told = {
        None if patient.view.plug is None else patient.view.plug.last_cycle_at,
        None if patient.view.telemetry is None else patient.view.telemetry.last_restart_at,
    }
    known = set(() if last is None else last.tries)
    tries = tuple(sorted(min(date, now) for date in {*known, *told} if date is not None and now - date < DAY))
    if last is None:
        return None if not tries else Care(code="not_watched", sentence="", since=now, tries=tries)
    return last if last.tries == tries else last.model_copy(update={"tries": tries})


def vain_tries(care: Care | None) -> tuple[datetime, ...]:
    """The tries since it was last found at work."""
    if care is None:
        return ()
    return tuple(date for date in care.tries if care.returned_at is None or date > care.returned_at)


def after_return(past: Care | None, opinion: Opinion, patient: Patient) -> Care | None:
    """A worker that has come back, and a person who says so, end a series of tries."""
    if past is None or not (past.tries or past.unstable_since):
        return past
    person_at = _said_anew_at(past, patient)
    if person_at is not None:
        tries = tuple(date for date in past.tries if date > person_at)
        return past.model_copy(update={"tries": tries, "returned_at": person_at, "unstable_since": None})
    if opinion.finding is Finding.AT_WORK and vain_tries(past) and _is_back(past, patient):
        return past.model_copy(update={"returned_at": patient.now, "unstable_since": None})
    return past


def _said_anew_at(past: Care, patient: Patient) -> datetime | None:
    """When a person last said *automatic*, if that was after the last try."""
    said = [one.at for one in every(patient.farm, patient.miner, patient.rules) if one.kind is OverrideKind.AUTOMATIC]
    newest = max((min(at, patient.now) for at in said), default=None)
    after = max([*past.tries, *([past.returned_at] if past.returned_at else [])], default=None)
    return newest if newest is not None and after is not None and newest > after else None


def _is_back(past: Care, patient: Patient) -> bool:
    """Whether it has been seen at work after the last try, and not only from before it."""
    last = past.tries[-1]
    pool = patient.view.pool
    if pool_says(patient.view, patient.rules, patient.miner, patient.now).word is Word.ALIVE and pool is not None:
        return (pool.last_seen_at or pool.since) > last
    return not patient.watch.has_worker and patient.now - last >= patient.watch.cooldown
