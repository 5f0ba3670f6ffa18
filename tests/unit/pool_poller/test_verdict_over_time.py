"""The verdict over bad answers, outages and restarts, and how it is told."""

from dataclasses import replace

import pytest

from services.pool_poller.provider import NOT_MONITORED
from services.pool_poller.standing import Standing, Wanted, reading, restored
from services.pool_poller.verdict import bad, judge
from tests.unit.pool_poller.looks import (
    NEW,
    OFFLINE,
    ONLINE,
    RIG,
    UNKNOWN,
    after,
    fails,
    judged,
    look,
    waits,
    worker,
)


@pytest.mark.parametrize("problem", ["unreachable", "bad_answer", "rate_limited", "unknown_account", "unauthorized"])
def test_offline_does_not_outlive_a_bad_answer_and_online_does_for_a_while(problem: str) -> None:
    offline = judged(NEW, look(700, worker()))
    assert offline.verdict is OFFLINE
    assert fails(offline, 760, problem).verdict is UNKNOWN
    online = judged(NEW, look(0, worker()))
    assert fails(online, 300, problem).verdict is ONLINE
    assert fails(online, 301, problem).verdict is UNKNOWN
    assert fails(online, 60, problem).problem == problem


def test_nothing_bad_makes_anything_offline() -> None:
    standing = judged(NEW, look(0, worker()))
    for at in range(60, 86_400, 60):
        standing = waits(fails(standing, at), at + 30)
        assert standing.verdict is not OFFLINE


def test_online_fades_while_a_pool_in_trouble_wants_to_be_left_alone_and_else_not() -> None:
    online = judged(NEW, look(0, worker()))
    troubled = fails(online, 60)
    assert waits(troubled, 299).verdict is ONLINE
    assert waits(troubled, 301).verdict is UNKNOWN
    assert waits(online, 5000) == online


def test_a_long_poll_is_waited_for() -> None:
    online = judge(NEW, RIG, look(0, worker()), 3600)
    assert bad(online, RIG, "unreachable", "", after(10_000), 11_000, 3600).verdict is ONLINE


def test_a_pool_that_was_away_says_little_of_who_is_at_work_when_it_is_back() -> None:
    standing = judged(NEW, look(0, worker()))
    for at in range(60, 3600, 60):
        standing = fails(standing, at)
    standing = judged(standing, look(3600, worker()))
    assert (standing.verdict, standing.problem) == (UNKNOWN, "pool_just_back")
    assert judged(standing, look(3700, worker(seen=3690))).verdict is ONLINE
    for at in range(3660, 4200, 60):
        standing = judged(standing, look(at, worker()))
        assert standing.verdict is UNKNOWN
    assert judged(standing, look(4200, worker())).verdict is OFFLINE


def test_after_a_short_outage_the_next_good_answer_counts_at_once() -> None:
    offline = judged(NEW, look(700, worker()))
    again = judged(fails(offline, 760), look(820, worker()))
    assert (again.verdict, again.since) == (OFFLINE, after(820))


# --- others, and what is told


def test_others_at_work_are_counted_by_the_same_rule() -> None:
    seen = look(
        1000,
        worker(),
        worker("young", seen=900),
        worker("old", seen=300),
        worker("flag", seen=None, online=True),
        worker("off", seen=990, online=False),
        worker("nobody", seen=None),
        worker("unwatched", seen=999, problem=NOT_MONITORED),
        worker("future", seen=5000),
    )
    assert judged(NEW, seen).others_online == 2


def test_before_any_good_answer_nobody_knows_of_others() -> None:
    assert fails(NEW, 0).others_online is None


def test_what_is_told() -> None:
    told = reading(judged(NEW, look(0, worker())), RIG, after(5), retired=False)
    assert (told.at, told.pool, told.worker, told.hashrate_ths) == (after(5), "mine", "rig7", 1.0)
    assert told.offline_after_seconds == 600


def test_a_hashrate_is_not_told_again_after_a_bad_answer() -> None:
    assert fails(judged(NEW, look(0, worker())), 60).hashrate_hs is None


# --- after a restart


def test_a_restart_changes_nothing() -> None:
    before = judged(judged(NEW, look(0, worker(), leaves_out=True)), look(700, worker(), leaves_out=True))
    told = reading(before, RIG, after(705), retired=False)
    again = restored(told, RIG, after(710), 20.0)
    assert judged(again, replace(look(720, leaves_out=True), seconds=30.0)).verdict is OFFLINE
    assert judged(again, replace(look(720, leaves_out=True), seconds=30.0)).since == after(700)


def test_after_a_long_time_down_what_was_unseen_is_counted_anew() -> None:
    before = judged(NEW, look(700, worker(), leaves_out=True))
    told = reading(before, RIG, after(705), retired=False)
    again = restored(told, RIG, after(90_000), 20.0)
    found = judged(again, replace(look(90_000, leaves_out=True), seconds=20.0))
    assert (found.verdict, found.problem) == (UNKNOWN, "worker_absent")
    by_time = judged(again, replace(look(90_000, worker(), leaves_out=True), seconds=20.0))
    assert (by_time.verdict, by_time.since) == (OFFLINE, after(700))


@pytest.mark.parametrize("other", [replace(RIG, worker="rig8"), replace(RIG, pool="theirs")])
def test_what_is_remembered_of_another_worker_does_not_count(other: Wanted) -> None:
    told = reading(judged(NEW, look(0, worker())), RIG, after(5), retired=False)
    assert restored(told, other, after(10), 20.0) == Standing(since=after(10))


def test_an_outage_is_remembered_over_a_restart() -> None:
    told = reading(fails(judged(NEW, look(0, worker())), 4000), RIG, after(4000), retired=False)
    found = judged(restored(told, RIG, after(4010), 20.0), replace(look(4020, worker()), seconds=30.0))
    assert found.problem == "pool_just_back"
