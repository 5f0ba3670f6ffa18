"""The verdict: only good answers make a worker online or offline, and nothing bad makes it offline."""

from dataclasses import replace

import pytest

from services.pool_poller.provider import NOT_MONITORED
from shared.messages import LastSeenKind, PoolVerdict
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
    worker,
)

# --- by time


@pytest.mark.parametrize(
    ("age", "verdict"), [(0, ONLINE), (600, ONLINE), (601, OFFLINE), (-119, ONLINE), (-120, ONLINE), (-121, UNKNOWN)]
)
def test_a_time_decides(age: float, verdict: PoolVerdict) -> None:
    found = judged(NEW, look(1000, worker(seen=1000 - age)))
    assert found.verdict is verdict
    assert found.problem == ("time_in_future" if verdict is UNKNOWN else None)
    if verdict is not UNKNOWN:
        assert found.last_seen_at == after(min(1000, 1000 - age))


@pytest.mark.parametrize("ahead", [-86_400, -600, 600, 86_400])
def test_ages_are_compared_by_the_pools_own_clock(ahead: float) -> None:
    """Its times and its clock differ from ours by as much."""
    young = judged(NEW, look(1000, worker(seen=900 + ahead), ahead=ahead))
    assert (young.verdict, young.last_seen_at) == (ONLINE, after(900))
    assert judged(NEW, look(1000, worker(seen=300 + ahead), ahead=ahead)).verdict is OFFLINE


def test_a_time_in_the_future_is_nobody_elses_business() -> None:
    seen = look(0, worker(seen=10_000), worker("rig8"))
    assert judged(NEW, seen).verdict is UNKNOWN
    other = judged(NEW, seen, replace(RIG, worker="rig8"))
    assert (other.verdict, other.others_online) == (ONLINE, 0)


def test_an_unmonitored_worker_is_neither() -> None:
    found = judged(NEW, look(1000, worker(problem=NOT_MONITORED)))
    assert (found.verdict, found.problem) == (UNKNOWN, "not_monitored")


def test_a_flag_against_a_young_time_is_unknown_and_with_an_old_one_offline() -> None:
    assert judged(NEW, look(100, worker(online=False))).problem == "said_offline"
    assert judged(NEW, look(1000, worker(online=False))).verdict is OFFLINE


def test_a_share_of_long_ago_counts_more_than_a_flag_and_a_status_less() -> None:
    assert judged(NEW, look(1000, worker(online=True))).verdict is OFFLINE
    assert judged(NEW, look(1000, worker(online=True, kind=LastSeenKind.STATUS))).verdict is ONLINE


# --- by flag alone


def test_a_flag_without_a_time() -> None:
    assert judged(NEW, look(0, worker(seen=None, online=True))).verdict is ONLINE
    assert judged(NEW, look(0, worker(seen=None))).problem == "no_last_seen"


def test_a_flag_that_says_offline_counts_when_it_has_said_so_for_long_enough() -> None:
    standing, off = NEW, worker(seen=None, online=False)
    for at in range(0, 600, 60):
        standing = judged(standing, look(at, off))
        assert standing.verdict is UNKNOWN
    assert judged(standing, look(600, off)).verdict is OFFLINE


# --- absent


def test_a_worker_that_was_never_seen_is_unknown_and_the_names_are_told() -> None:
    others = [worker(f"rig{number}") for number in range(20, 40)]
    found = judged(NEW, look(0, *others, leaves_out=True))
    assert (found.verdict, found.problem, found.others_online) == (UNKNOWN, "worker_never_seen", 20)
    assert "rig20, rig21" in found.detail
    assert "and 12 more" in found.detail


def test_names_from_outside_are_told_short_and_in_print() -> None:
    found = judged(NEW, look(0, worker("x" * 500 + ".e\x1b[2Jnd")))
    assert "\x1b" not in found.detail
    assert len(found.detail) < 200
    assert "nd" in found.detail


def test_absent_after_having_been_seen_is_offline_after_long_enough() -> None:
    standing = judged(NEW, look(0, worker(), leaves_out=True))
    verdicts = []
    for at in range(60, 1201, 60):
        standing = judged(standing, look(at, worker("rig8", seen=at), leaves_out=True))
        verdicts.append(standing.verdict)
    # Its last share is still young; then it is not known; absent for 600 s since the first answer without it: offline.
    assert verdicts == [ONLINE] * 10 + [OFFLINE] * 10
    assert standing.since == after(660)


def test_absent_from_a_list_that_leaves_nobody_out_is_unknown() -> None:
    standing = judged(NEW, look(0, worker()))
    for at in range(60, 3000, 60):
        standing = judged(standing, look(at, worker("rig8", seen=at)))
    assert (standing.verdict, standing.problem) == (UNKNOWN, "worker_absent")


def test_one_answer_that_leaves_it_out_proves_nothing() -> None:
    standing = judged(NEW, look(0, worker(), leaves_out=True))
    standing = judged(standing, look(60, leaves_out=True))
    for at in range(120, 1200, 120):
        standing = fails(standing, at)
        standing = judged(standing, look(at + 60, leaves_out=True))
        assert standing.verdict is not OFFLINE
    assert judged(standing, look(1260, leaves_out=True)).verdict is OFFLINE


def test_one_that_is_offline_by_its_time_stays_so_when_it_is_left_out() -> None:
    standing = judged(NEW, look(700, worker(), leaves_out=True))
    assert standing.verdict is OFFLINE
    left_out = judged(standing, look(760, leaves_out=True))
    assert (left_out.verdict, left_out.since, left_out.hashrate_hs) == (OFFLINE, after(700), None)


def test_another_that_only_resembles_a_dead_one_is_not_taken_for_it() -> None:
    standing = judged(NEW, look(0, worker(), worker("shed.rig7"), leaves_out=True))
    assert standing.verdict is ONLINE
    standing = judged(standing, look(60, worker("shed.rig7", seen=60), leaves_out=True))
    assert (standing.verdict, standing.problem) == (UNKNOWN, "worker_ambiguous")


def test_a_pool_that_changes_the_case_of_a_name_means_the_same_worker() -> None:
    standing = judged(NEW, look(0, worker("Rig7")))
    assert judged(standing, look(60, worker("RIG7", seen=60))).verdict is ONLINE


def test_several_that_could_be_meant_are_unknown() -> None:
    found = judged(NEW, look(0, worker("a.rig7"), worker("b.rig7")))
    assert (found.verdict, found.problem) == (UNKNOWN, "worker_ambiguous")
    assert "a.rig7, b.rig7" in found.detail
