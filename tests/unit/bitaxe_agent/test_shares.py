"""Flatline or not, from counters alone."""

import pytest

from services.bitaxe_agent.parse import Readout
from services.bitaxe_agent.setting import Setting
from services.bitaxe_agent.shares import FROZEN_SECONDS, SHARELESS_SECONDS, Evidence, ShareWatch

POLL = 10


def readout(uptime: float, shares: int | None, rate: float | None = 1000.0, **others: object) -> Readout:
    found = {"setting": Setting(1150, 525), "shares_rejected": 0} | others
    return Readout(uptime_seconds=uptime, shares_accepted=shares, hashrate_ghs=rate, **found)  # type: ignore[arg-type]


def watched(readouts: list[Readout]) -> Evidence:
    watch, evidence = ShareWatch(), Evidence()
    for each in readouts:
        evidence = watch.look(each, 0.0)
    return evidence


def test_frozen_and_shareless_is_a_flatline() -> None:
    still = [readout(at, 5) for at in range(0, int(FROZEN_SECONDS) + POLL, POLL)]
    assert watched(still[:-1]).flatline is False
    assert watched(still).flatline is True


def test_either_alone_is_none() -> None:
    times = range(0, 3 * int(FROZEN_SECONDS), POLL)
    assert watched([readout(at, at) for at in times]).flatline is False
    assert watched([readout(at, 5, 1000.0 + at) for at in times]).flatline is False
    assert watched([readout(at, 5, shares_rejected=at) for at in times]).flatline is False, "rejected is hashed, too"


def test_without_shares_for_long_it_is_told_and_no_failure() -> None:
    times = range(0, int(SHARELESS_SECONDS) + POLL, POLL)
    evidence = watched([readout(at, 5, 1000.0 + at) for at in times])
    assert (evidence.flatline, evidence.shareless_seconds) == (False, SHARELESS_SECONDS)


def test_a_high_difficulty_makes_shares_rare() -> None:
    times = range(0, 6 * 3600, 60)
    assert watched([readout(at, 5, difficulty=1e6) for at in times]) == Evidence()


def test_a_reboot_begins_anew() -> None:
    before = [readout(at, 5) for at in range(0, 550, POLL)]
    assert watched([*before, *(readout(at, 5) for at in range(0, 300, POLL))]) == Evidence()


@pytest.mark.parametrize("others", [{"paused": True}, {"rate": 0.0}, {"rate": None}, {"shares": None}])
def test_nothing_is_concluded_where_nothing_can_be(others: dict[str, object]) -> None:
    asked: dict[str, object] = {"shares": 5} | others
    assert watched([readout(at, **asked) for at in range(0, 5000, POLL)]) == Evidence()  # type: ignore[arg-type]


def test_our_own_absence_proves_nothing() -> None:
    watch = ShareWatch()
    watch.look(readout(100, 5), 0.0)
    assert watch.look(readout(130, 5), 90_000.0) == Evidence(), "the device has aged by half a minute only"
