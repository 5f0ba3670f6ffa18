"""Whatever a pool answers, in whatever order: OFFLINE rests on a good last answer, ONLINE on a young one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as some

from services.pool_poller.look import AHEAD_TOLERATED, Look
from services.pool_poller.provider import NOT_MONITORED, AccountFacts, WorkerFacts
from services.pool_poller.standing import Standing, Wanted, reading, restored
from services.pool_poller.verdict import bad, fade, judge
from shared.messages import LastSeenKind, PoolVerdict

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
POLL, LIMIT = 60.0, 600.0
RIG = Wanted("m1", "mine", "rig7", LIMIT)
YOUNG = max(3 * POLL, LIMIT / 2)

ages = some.none() | some.sampled_from([0.0, 599.0, 601.0, 5000.0]) | some.floats(-1000, 100_000)
workers = some.builds(
    lambda name, age, kind, online, problem: (name, age, kind, online, problem),
    some.sampled_from(["rig7", "rig7", "rig7", "RIG7", "a.rig7", "rig8", "", "rig77"]),
    ages,
    some.sampled_from(LastSeenKind),
    some.sampled_from([None, True, False]),
    some.sampled_from([None, None, None, NOT_MONITORED]),
)
steps = some.lists(
    some.tuples(
        some.sampled_from(["good", "good", "good", "bad", "wait", "restart"]),
        some.sampled_from([60.0, 60.0, 299.0, 301.0, 601.0]) | some.floats(0, 2000),
        some.lists(workers, max_size=3, unique_by=lambda worker: worker[0]),
        some.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=400)
@given(steps, some.floats(-10_000, 10_000))
def test_offline_rests_on_a_good_answer_and_online_on_a_young_one(
    history: list[tuple[str, float, list[tuple[str, float | None, LastSeenKind, bool | None, str | None]], bool]],
    ahead_seconds: float,
) -> None:
    standing, now, seconds, ahead = Standing(since=NOON), NOON, 1000.0, timedelta(seconds=ahead_seconds)
    last_good: float | None = None
    good = 0
    for what, passed, rows, leaves_out in history:
        before, now, seconds = standing, now + timedelta(seconds=passed), seconds + passed
        if what == "good":
            facts = AccountFacts(tuple(_worker(row, now + ahead) for row in rows), leaves_out)
            standing, last_good, good = judge(before, RIG, Look(facts, now, seconds, ahead), POLL), seconds, good + 1
        elif what == "bad":
            standing = bad(before, RIG, "unreachable", "no answer", now, seconds, POLL)
        elif what == "wait":
            standing = fade(before, RIG, now, seconds, POLL)
        else:
            standing = restored(reading(before, RIG, now, retired=False), RIG, now, seconds)
        told = reading(standing, RIG, now, retired=False)
        if what == "bad":
            assert told.verdict is not PoolVerdict.OFFLINE
        if told.verdict is PoolVerdict.OFFLINE and before.verdict is not PoolVerdict.OFFLINE:
            assert what == "good"
        if told.verdict is PoolVerdict.ONLINE:
            assert last_good is not None
            assert what in {"good", "wait", "restart"} or seconds - last_good <= YOUNG
        assert told.last_seen_at is None or told.last_seen_at <= now
        assert told.since <= now
        assert (told.others_online is not None) == (good > 0)


def _worker(row: tuple[str, float | None, LastSeenKind, bool | None, str | None], now: datetime) -> WorkerFacts:
    name, age, kind, online, problem = row
    seen_at = None if age is None else now - timedelta(seconds=age)
    return WorkerFacts(name, seen_at, kind, 1e12, online, problem)


@given(some.lists(some.tuples(some.floats(1, 3000), ages), min_size=1, max_size=20))
def test_by_its_time_it_is_online_exactly_while_that_is_young(history: list[tuple[float, float | None]]) -> None:
    standing, now, seconds = Standing(since=NOON), NOON, 1000.0
    for passed, age in history:
        now, seconds = now + timedelta(seconds=passed), seconds + passed
        facts = AccountFacts((_worker(("rig7", age, LastSeenKind.SHARE, None, None), now),), absent_is_offline=False)
        standing = judge(standing, RIG, Look(facts, now, seconds), POLL)
        if age is None or timedelta(seconds=-age) > AHEAD_TOLERATED:
            assert standing.verdict is PoolVerdict.UNKNOWN
        else:
            young = timedelta(seconds=age) <= timedelta(seconds=LIMIT)
            assert standing.verdict is (PoolVerdict.ONLINE if young else PoolVerdict.OFFLINE)
