"""Answers about one worker, and what becomes of them, in seconds from noon."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.pool_poller.look import Look
from services.pool_poller.provider import AccountFacts, WorkerFacts
from services.pool_poller.standing import Standing, Wanted
from services.pool_poller.verdict import bad, fade, judge
from shared.messages import LastSeenKind, PoolVerdict

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
POLL = 60.0
RIG = Wanted("m1", "mine", "rig7", 600)
ONLINE, OFFLINE, UNKNOWN = PoolVerdict.ONLINE, PoolVerdict.OFFLINE, PoolVerdict.UNKNOWN


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def worker(name: str = "rig7", seen: float | None = 0, **facts: object) -> WorkerFacts:
    found = WorkerFacts(name, None if seen is None else after(seen), LastSeenKind.SHARE, 1e12, None)
    return replace(found, **facts)  # type: ignore[arg-type]  # as the fields are named


def look(at: float, *workers: WorkerFacts, leaves_out: bool = False, ahead: float = 0) -> Look:
    return Look(AccountFacts(workers, leaves_out), after(at), 1000 + at, timedelta(seconds=ahead))


def fails(before: Standing, at: float, problem: str = "unreachable") -> Standing:
    return bad(before, RIG, problem, "no answer", after(at), 1000 + at, POLL)


def waits(before: Standing, at: float) -> Standing:
    return fade(before, RIG, after(at), 1000 + at, POLL)


def judged(before: Standing, seen: Look, wanted: Wanted = RIG) -> Standing:
    return judge(before, wanted, seen, POLL)


NEW = Standing(since=NOON)
