"""From a verdict to the command: reason, dates and lease; and when a command is worth publishing. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from zlib import crc32

from services.policy_engine.ledger import Ledger
from services.policy_engine.memory import NOT_READ, Memory, is_alive
from services.policy_engine.policies.choice import NAME as CHOICE
from services.policy_engine.policies.outside_pause import OVER, outside_pause_since
from services.policy_engine.policies.override import FORCED, maintenance_until
from services.policy_engine.policies.override import NAME as OVERRIDE
from services.policy_engine.policies.person_limit import NAME as PERSON_LIMIT
from services.policy_engine.policies.schedule import NAME as SCHEDULE
from services.policy_engine.policies.soc_hysteresis import NAME as SOC_HYSTERESIS
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.asked import as_asked
from services.policy_engine.watchdog.care import treat
from services.policy_engine.watchdog.patient import Patient
from services.policy_engine.watts import nominal_w
from shared.messages import Action, Care, Command, Limit, MinerCommand, OperatingPoint

_EARLIEST, _SPREAD = 0.4, 0.1
"""Renewals come between 0.4 and 0.5 of the lease, each miner at its own place: a large farm's do not pile up."""
_OF_PEOPLE = frozenset({OVERRIDE, PERSON_LIMIT, CHOICE})
"""What these say is news also where only the words are others: who wants it, and why."""


@dataclass(frozen=True)
class Term:
    """Who decides, and how long it holds."""

    engine: str
    epoch: int
    lease: timedelta


@dataclass(frozen=True)
class Verdict:
    """What the two stages came to."""

    point: OperatingPoint
    free: OperatingPoint
    """What it would be without any ceiling: its normal point, or an exact one above that."""
    limits: tuple[Limit, ...]
    binding: Limit | None
    unread: bool
    started: bool


@dataclass(frozen=True)
class _Reason:
    code: str
    sentence: str
    changes_when: str = ""


def command_of(
    verdict: Verdict,
    farm: Farm,
    miner: MinerId,
    memory: Memory,
    rules: Rules,
    now: datetime,
    term: Term,
    ledger: Ledger,
) -> MinerCommand:
    """The command, with everything that the next decision has to remember. Books a try to bring the miner back."""
    reason = _reason(verdict)
    telemetry = farm.miners[miner].telemetry
    until = maintenance_until(farm, miner, rules, now)
    watched = verdict.unread or rules.miners[miner].observe
    touched = not rules.miners[miner].observe and until is None
    hashing_since = _hashing_since(farm.miners[miner], verdict, rules, miner, now) if touched else None
    patient = Patient(farm, miner, rules, now, hashing_since, ledger.last_try_at)
    treatment = treat(patient) if farm.miners[miner].asked is None else as_asked(patient)
    if treatment.began:
        ledger.last_try_at = now
    return MinerCommand(
        at=now,
        engine=term.engine,
        epoch=term.epoch,
        expires_at=now + term.lease,
        action=Action.OBSERVE if watched else Action.APPLY if until is None else Action.MAINTENANCE,
        suspended_until=None if watched else until,
        point=verdict.point,
        ceiling_w=None if verdict.binding is None else verdict.binding.ceiling_w,
        code=reason.code,
        sentence=reason.sentence,
        changes_when=reason.changes_when,
        since=_since(farm.miners[miner].command, verdict.point, reason.code, rules, now),
        limits=verdict.limits,
        paused_since=_paused_since(verdict, memory, now),
        starts=(*memory.starts, now) if verdict.started else memory.starts,
        answers=None if telemetry is None else telemetry.at,
        outside_pause_over=_outside_pause_over(farm, miner, verdict.limits),
        hashing_since=hashing_since,
        restart_at=treatment.restart_at,
        care=treatment.care,
    )


def is_worth_publishing(last: MinerCommand | None, fresh: MinerCommand, miner: MinerId) -> bool:
    """Whether it says something else than the last one, or its lease is half over. Figures alone are no news."""
    return last is None or _meaning(last) != _meaning(fresh) or renewal_is_due(last, fresh.at, miner)


def renewal_is_due(last: Command, now: datetime, miner: MinerId) -> bool:
    """Whether a command has lasted so long that it must be said again, or was said by a clock that was ahead."""
    share = _EARLIEST + _SPREAD * (crc32(miner.encode()) % 100) / 100
    lasted = now - last.at
    return lasted < timedelta() or lasted >= share * (last.expires_at - last.at)


def _meaning(command: MinerCommand) -> tuple[object, ...]:
    # Every limit's code belongs to it: codes are the memory of latches, also of those that do not bind.
    limits = tuple((limit.policy, limit.code, limit.ceiling_w) for limit in command.limits)
    people = [limit.sentence for limit in command.limits if limit.policy in _OF_PEOPLE]
    return (
        command.engine,
        command.epoch,
        command.action,
        command.suspended_until,
        command.point,
        command.code,
        command.paused_since,
        command.starts,
        command.outside_pause_over,
        command.hashing_since,
        command.restart_at,
        _care_meaning(command.care),
        limits,
        people,
    )


def _care_meaning(care: Care | None) -> tuple[object, ...] | None:
    if care is None:
        return None
    return care.code, care.since, care.cycle_at, care.tries, care.returned_at, care.unstable_since


def _reason(verdict: Verdict) -> _Reason:
    binding = verdict.binding
    if verdict.unread:
        return _Reason(NOT_READ, "nothing is heard of this miner: only watched", "decides at the first reading")
    if binding is not None and binding.ceiling_w is not None:
        if verdict.point.power_w > binding.ceiling_w:
            sentence = f"cannot pause, so it stays at its floor of {verdict.point.power_w:g} W; {binding.sentence}"
            return _Reason("cannot_pause", sentence, binding.changes_when)
        if binding.ceiling_w == 0 or verdict.free.power_w > binding.ceiling_w or verdict.point == binding.point:
            return _Reason(binding.code, binding.sentence, binding.changes_when)
    if verdict.point.is_pause:
        return _Reason("no_ladder", "it cannot be read at present, so it is not started", "decides at the next reading")
    speaking = _speaking(verdict.limits)
    if speaking is None:
        return _Reason("no_limit", "nothing holds it back")
    return _Reason(speaking.code, speaking.sentence, speaking.changes_when)


def _speaking(limits: tuple[Limit, ...]) -> Limit | None:
    """Who explains that a miner runs: the person who forces it, else the battery's rule, else the schedule's."""
    forced = next((limit for limit in limits if limit.code == FORCED), None)
    speakers = (limit for name in (SOC_HYSTERESIS, SCHEDULE) for limit in limits if limit.policy == name)
    return forced or next(speakers, None)


def _since(last: MinerCommand | None, point: OperatingPoint, code: str, rules: Rules, now: datetime) -> datetime:
    if last is None or last.code != code or last.point.name != point.name or not is_alive(last, rules, now):
        return now
    return last.since


def _paused_since(verdict: Verdict, memory: Memory, now: datetime) -> datetime | None:
    if not verdict.point.is_pause or verdict.unread:
        return memory.paused_since if verdict.unread else None
    return memory.paused_since or now


def _hashing_since(view: MinerView, verdict: Verdict, rules: Rules, miner: MinerId, now: datetime) -> datetime | None:
    """Since when it has been meant to hash. Agents that were left alone may have paused it: then it begins anew."""
    last = view.command
    before = None if last is None else last.hashing_since
    if verdict.point.is_pause and not _only_unreadable(view, verdict, rules, miner):
        return None
    if verdict.unread and before is None and (last is None or last.paused_since is None):
        return None  # nothing was ever decided of it: nobody can tell whether it hangs, or is meant to
    return before if before is not None and last is not None and is_alive(last, rules, now) else now


def _only_unreadable(view: MinerView, verdict: Verdict, rules: Rules, miner: MinerId) -> bool:
    """Whether it would hash if only it could be read: one that has hung while it was paused never will by itself."""
    ladder = None if view.telemetry is None else view.telemetry.ladder
    ceilings_w = [limit.ceiling_w for limit in verdict.limits if limit.ceiling_w is not None]
    unreadable = ladder is None or verdict.unread
    return unreadable and min(ceilings_w, default=inf) >= nominal_w(view, rules.miners[miner])


def _outside_pause_over(farm: Farm, miner: MinerId, limits: tuple[Limit, ...]) -> datetime | None:
    return outside_pause_since(farm.miners[miner]) if any(limit.code == OVER for limit in limits) else None
