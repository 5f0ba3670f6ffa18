"""What a soak makes of its samples."""

from dataclasses import replace

import pytest

from services.simulator.home_assistant import Fault
from tests.footprint import Footprint
from tests.soak.findings import TOTAL, Growth, Kept, Sample, Verdict, growth, kept, restarts
from tests.soak.plan import STRUCK, Blow, Ill, Phases, plan

FOOTPRINT = Footprint(
    pss_mb=12.0, rss_mb=30.0, own_mb=10.0, allocated_mb=10.0, private_mb=8.0, threads=5, descriptors=20, sockets=7
)
SOUND = Verdict(
    growth={"engine": Growth(10.0, 10.1, 12.0, 12.1)},
    kept={"engine": Kept((5, 5), (7, 7), (20, 19))},
    restarts={"engine": 2, "watch": 0},
    kills={"engine": 2},
    tracebacks={},
    troubles={},
    hashing=(100, 100),
)


def sample(second: float, allocated_mb: float, pid: int = 1) -> Sample:
    return Sample(second, {"engine": (pid, replace(FOOTPRINT, allocated_mb=allocated_mb)), "watch": (9, FOOTPRINT)})


def test_the_first_quarter_is_compared_with_the_last() -> None:
    samples = [sample(second, 10.0 + second / 100) for second in range(0, 500, 5)]
    found = growth(samples, 100.0, 500.0)
    assert found["engine"].first_mb == pytest.approx(11.475)
    assert found["engine"].last_mb == pytest.approx(14.475)
    assert found["watch"].percent == 0.0
    assert found[TOTAL].first_mb == pytest.approx(21.475)


def test_a_process_that_is_just_restarted_does_not_make_the_total_smaller() -> None:
    samples = [sample(second, 10.0) for second in range(0, 400, 5)]
    samples[1] = Sample(samples[1].second, {"watch": (9, FOOTPRINT)})
    assert growth(samples, 0.0, 400.0)[TOTAL].first_mb == 20.0


def test_too_short_is_said() -> None:
    with pytest.raises(ValueError, match="too short"):
        growth([sample(1.0, 10.0)], 0.0, 400.0)


def test_what_is_left_open_is_found_and_what_is_closed_is_no_fault() -> None:
    after = Sample(9.0, {"engine": (1, replace(FOOTPRINT, threads=6, sockets=6, descriptors=22))})
    assert kept(sample(1.0, 10.0), after)["engine"].left_behind() == ["1 threads", "2 descriptors"]


def test_restarts_are_counted_by_process_id() -> None:
    samples = [sample(1, 10.0), Sample(2, {}), sample(3, 10.0, pid=2), sample(4, 10.0, pid=2), sample(5, 10.0, pid=3)]
    assert restarts(samples) == {"engine": 2, "watch": 0}


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (replace(SOUND, growth={"engine": Growth(10.0, 10.3, 12.0, 12.3)}), "engine grew by 3.0 %"),
        (replace(SOUND, growth={TOTAL: Growth(5.0, 5.15, 6.0, 6.0)}), "total grew by 3.0 %"),
        (replace(SOUND, kept={"engine": Kept((5, 5), (7, 8), (20, 20))}), "engine kept 1 sockets"),
        (replace(SOUND, restarts={"watch": 1}), "watch was restarted 1 times, killed 0 times"),
        (replace(SOUND, tracebacks={"watch.log": 3}), "3 exceptions in watch.log"),
        (replace(SOUND, hashing=(99, 100)), "only 99 of 100 miners hash"),
    ],
)
def test_each_bound_is_seen_when_it_is_broken(verdict: Verdict, said: str) -> None:
    assert SOUND.broken() == []
    assert [one[: len(said)] for one in verdict.broken()] == [said]


def test_the_plan_is_the_seed_s_and_leaves_the_counting_and_the_comparison_alone() -> None:
    phases = Phases(1200.0)
    troubles = plan(7, 1200.0, 100)
    assert troubles == plan(7, 1200.0, 100)
    assert troubles != plan(8, 1200.0, 100)
    assert {trouble.what for trouble in troubles} == {*Ill, *Fault, *Blow}
    assert all(phases.troubled(trouble.begins, trouble.ends) for trouble in troubles)
    kills = [trouble for trouble in troubles if trouble.what is Blow.KILL]
    assert sorted(kill.whom for kill in kills) == sorted([*STRUCK, *STRUCK])
    assert max(kill.ends for kill in kills) < phases.rest
