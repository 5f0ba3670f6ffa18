import time
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import CLOCK_VARIABLE, SystemClock, VirtualClock, clock_of_process


def test_the_machines_clock_is_utc_and_carried_by_the_monotonic_one() -> None:
    clock = SystemClock()
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 1
    assert clock.now().tzinfo is UTC
    assert abs(clock.seconds() - time.monotonic()) < 1
    assert abs(clock.drift_seconds()) < 1


def test_a_step_of_the_machines_clock_shows_as_drift_and_nowhere_else() -> None:
    started_an_hour_behind = SystemClock(start=datetime.now(UTC) - timedelta(hours=1))
    assert 3599 < started_an_hour_behind.drift_seconds() < 3601
    assert (datetime.now(UTC) - started_an_hour_behind.now()) > timedelta(minutes=59)


def test_a_fast_clock_survives_the_way_through_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = SystemClock(start=datetime(2026, 6, 21, 4, tzinfo=UTC), rate=1440.0)
    monkeypatch.setenv(CLOCK_VARIABLE, fast.to_variable())

    other = clock_of_process()

    assert other.rate == 1440.0
    assert other.drift_seconds() == 0.0
    assert abs((other.now() - fast.now()).total_seconds()) < 1440 * 0.5


def test_a_fast_clock_runs_faster_than_its_waits() -> None:
    anchor = time.monotonic() - 60
    clock = SystemClock(start=datetime(2026, 6, 21, tzinfo=UTC), anchor_seconds=anchor, rate=60.0)
    assert timedelta(hours=1) <= clock.now() - datetime(2026, 6, 21, tzinfo=UTC) < timedelta(hours=1, minutes=2)


def test_without_a_variable_a_process_has_the_machines_clock() -> None:
    assert clock_of_process().rate == 1.0


def test_a_virtual_clock_moves_only_when_told(clock: VirtualClock) -> None:
    before, seconds = clock.now(), clock.seconds()
    clock.advance(90)
    assert (clock.now() - before, clock.seconds() - seconds) == (timedelta(seconds=90), 90)
    assert clock.drift_seconds() == 0
