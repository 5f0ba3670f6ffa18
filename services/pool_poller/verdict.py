"""The verdict on one worker. Pure: a function of what was known, of an answer or its failure, and of time.

Only good answers make a worker online or offline. OFFLINE is neither entered nor kept by a bad one, for a power cycle
may follow from it; ONLINE is kept for as long as an answer that said so is young.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.pool_poller.look import Look
from services.pool_poller.provider import WorkerFacts
from services.pool_poller.standing import POOL_JUST_BACK, Standing, Wanted
from shared.messages import PoolVerdict

YOUNG_POLLS = 3
ABSENCES_MIN = 2
"""A pool that has just been started lists nobody: one answer that leaves a worker out proves nothing."""
NAMES_TOLD_MAX = 8
_NAME_LENGTH_MAX = 32

ONLINE, OFFLINE, UNKNOWN = PoolVerdict.ONLINE, PoolVerdict.OFFLINE, PoolVerdict.UNKNOWN


@dataclass(frozen=True)
class _Finding:
    verdict: PoolVerdict
    problem: str | None = None
    detail: str = ""


def judge(before: Standing, wanted: Wanted, look: Look, poll_seconds: float) -> Standing:
    """What a good answer makes of it."""
    known = _taken_up(before, wanted, look, poll_seconds)
    found = look.listed.fitting(wanted.worker)
    if not found:
        after = _absent(known, wanted, look)
    elif len(found) > 1:
        detail = f"several workers could be meant: {_names(found)}"
        after = _with(known, _Finding(UNKNOWN, "worker_ambiguous", detail), look.now)
    elif (known.listed_as or found[0].name).casefold() != found[0].name.casefold():
        # Left out for being dead, and another that only resembles it is alive? Or renamed by the pool?
        detail = f"it was listed as {_printable(known.listed_as or '')}, and now there is only {_names(found)}"
        after = _with(known, _Finding(UNKNOWN, "worker_ambiguous", detail), look.now)
    else:
        after = _present(replace(known, listed_as=found[0].name), wanted, found[0], look)
    same = (after.verdict, after.last_seen_at) == (before.verdict, before.last_seen_at)
    return replace(
        after,
        since=before.since if same else after.since,
        confirmed_at=look.now,
        confirmed_seconds=look.seconds,
        others_online=look.at_work(wanted.offline_after_seconds, besides=found),
    )


def bad(
    before: Standing, wanted: Wanted, problem: str, detail: str, now: datetime, seconds: float, poll_seconds: float
) -> Standing:
    """What a bad answer, or none, makes of it."""
    young = _young(before, wanted, seconds, poll_seconds)
    verdict = ONLINE if before.verdict is ONLINE and young else UNKNOWN
    after = replace(before, hashrate_hs=None, unseen_in_row=0, cut_off=before.cut_off or not young)
    return _with(after, _Finding(verdict, problem, detail), now)


def fade(before: Standing, wanted: Wanted, now: datetime, seconds: float, poll_seconds: float) -> Standing:
    """What waiting makes of it while the pool is in trouble: ONLINE does not outlive its last confirmation."""
    if before.problem is None or before.verdict is not ONLINE or _young(before, wanted, seconds, poll_seconds):
        return before
    return _with(replace(before, cut_off=True), _Finding(UNKNOWN, before.problem, before.detail), now)


# --- the cases


def _present(before: Standing, wanted: Wanted, worker: WorkerFacts, look: Look) -> Standing:
    seen_at = worker.last_seen_at
    if worker.problem is not None:
        return _with(before, _Finding(UNKNOWN, worker.problem, "the pool does not watch this worker"), look.now)
    if seen_at is not None and look.is_in_future(seen_at):
        ahead = (seen_at - look.pool_now).total_seconds()
        detail = f"the pool saw it last {ahead:.0f} s in its own future"
        return _with(before, _Finding(UNKNOWN, "time_in_future", detail), look.now)
    known = replace(
        before,
        seen=True,
        last_seen_at=before.last_seen_at if seen_at is None else min(seen_at - look.ahead, look.now),
        last_seen_kind=before.last_seen_kind if seen_at is None else worker.kind,
        hashrate_hs=worker.hashrate_hs,
    )
    if seen_at is None:
        return _by_flag(known, wanted, worker.online, look)
    finding = _by_time(known, wanted, worker, look)
    return _with(replace(known, unseen_since=None, unseen_in_row=0), finding, look.now)


def _by_time(known: Standing, wanted: Wanted, worker: WorkerFacts, look: Look) -> _Finding:
    if look.is_young(worker, wanted.offline_after_seconds):
        if worker.online is False:
            return _Finding(UNKNOWN, "said_offline", "the pool calls it offline, and has seen it only just now")
        return _Finding(ONLINE)
    return _unseen(known, wanted, look)


def _by_flag(known: Standing, wanted: Wanted, online: bool | None, look: Look) -> Standing:
    if online is None:
        detail = "the pool lists it, and tells nothing of when it worked"
        return _with(known, _Finding(UNKNOWN, "no_last_seen", detail), look.now)
    if online:
        return _with(replace(known, unseen_since=None, unseen_in_row=0), _Finding(ONLINE), look.now)
    return _for_long_enough(known, wanted, look, _Finding(UNKNOWN, "said_offline", "the pool calls it offline"))


def _absent(before: Standing, wanted: Wanted, look: Look) -> Standing:
    before = replace(before, hashrate_hs=None)
    if not before.seen:
        names = _names(look.facts.workers)
        detail = f"the pool knows no {wanted.worker!r}; it lists {names or 'no worker at all'}"
        return _with(before, _Finding(UNKNOWN, "worker_never_seen", detail), look.now)
    if not look.facts.absent_is_offline:
        detail = "the pool has left off listing it"
        return _with(before, _Finding(UNKNOWN, "worker_absent", detail), look.now)
    if before.last_seen_at is not None and look.now - before.last_seen_at <= _limit(wanted):
        meanwhile = _Finding(ONLINE, None, "left out of the pool's list, and seen only just now")
    else:
        meanwhile = _Finding(UNKNOWN, "worker_absent", "the pool has left it out of its list")
    return _for_long_enough(before, wanted, look, meanwhile)


def _for_long_enough(before: Standing, wanted: Wanted, look: Look, meanwhile: _Finding) -> Standing:
    """Unseen without a time of its own: the time is ours, and begins with the first good answer that shows it so."""
    since = before.unseen_since or look.now
    after = replace(before, unseen_since=since, unseen_in_row=before.unseen_in_row + 1)
    long_enough = after.unseen_in_row >= ABSENCES_MIN and look.now - since >= _limit(wanted)
    finding = _unseen(after, wanted, look) if before.verdict is OFFLINE or long_enough else meanwhile
    return _with(after, finding, look.now)


def _unseen(known: Standing, wanted: Wanted, look: Look) -> _Finding:
    """Unseen for long enough; but while the pool itself was away nobody could be seen."""
    since_back = None if known.back_since is None else look.now - known.back_since
    if since_back is not None and since_back < _limit(wanted):
        return _Finding(UNKNOWN, POOL_JUST_BACK, "unseen for long, but so long was the pool itself away")
    return _Finding(OFFLINE)


# --- what they share


def _limit(wanted: Wanted) -> timedelta:
    """How long unseen is offline."""
    return timedelta(seconds=wanted.offline_after_seconds)


def _taken_up(before: Standing, wanted: Wanted, look: Look, poll_seconds: float) -> Standing:
    """What was known, as far as it still counts when the pool answers again."""
    if before.cut_off:
        before = replace(before, cut_off=False, back_since=look.now)
    if before.confirmed_seconds is not None and not _young(before, wanted, look.seconds, poll_seconds):
        # Between the two answers it may have worked: what was unseen is counted anew.
        verdict = UNKNOWN if before.verdict is OFFLINE else before.verdict
        return replace(before, verdict=verdict, unseen_since=None, unseen_in_row=0)
    return before


def _young(standing: Standing, wanted: Wanted, seconds: float, poll_seconds: float) -> bool:
    limit = max(YOUNG_POLLS * poll_seconds, wanted.offline_after_seconds / 2)
    return standing.confirmed_seconds is not None and seconds - standing.confirmed_seconds <= limit


def _with(before: Standing, finding: _Finding, now: datetime) -> Standing:
    since = before.since if finding.verdict is before.verdict else now
    return replace(before, verdict=finding.verdict, since=since, problem=finding.problem, detail=finding.detail)


def _names(workers: Sequence[WorkerFacts]) -> str:
    """Few of the names, short and in print: they come from outside."""
    told = [_printable(worker.name) for worker in workers[:NAMES_TOLD_MAX]]
    more = len(workers) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def _printable(name: str) -> str:
    clean = "".join(character for character in name if character.isprintable())
    # The end is what differs: many pools write the account before it.
    return clean if len(clean) <= _NAME_LENGTH_MAX else f"…{clean[-_NAME_LENGTH_MAX:]}"
