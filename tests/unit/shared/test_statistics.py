"""Statistics of windows: each reading counts until the next, edges cut between them, and a restart goes on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.messages import MinerState, MinerStatistics, MinerTelemetry, WindowStatistics
from shared.schedule import ByClock, Schedule, Timetable, Window
from shared.statistics import BETWEEN, Tally

DAY = Window(ByClock(450), ByClock(1200), voltage_mv=1150, frequency_mhz=450)
NIGHT = Window(ByClock(1200), ByClock(450), voltage_mv=1250, frequency_mhz=550)
HOME = Timetable(Schedule("home", (DAY, NIGHT)))
EVENING = datetime(2026, 6, 21, 20, 0, tzinfo=UTC)


def reads(
    tally: Tally, seconds: float, power_w: float | None = 15.0, hashrate_ths: float | None = 0.9, **rest: Any
) -> Tally:
    """A reading so many seconds after eight in the evening."""
    given = {"state": MinerState.HASHING, "reachable": True, **rest}
    at = EVENING + timedelta(seconds=seconds)
    return tally.heard(MinerTelemetry(at=at, driver="test", power_w=power_w, hashrate_ths=hashrate_ths, **given))


def window(tally: Tally, label: str) -> WindowStatistics:
    return next(each for each in tally.windows if each.window == label)


def by_day(tally: Tally) -> WindowStatistics:
    return window(tally, "07:30-20:00")


def by_night(tally: Tally) -> WindowStatistics:
    return window(tally, "20:00-07:30")


def test_each_reading_counts_until_the_next() -> None:
    tally = Tally(HOME)
    for seconds, power_w, hashrate_ths in ((-100, 10.0, 0.5), (-90, 20.0, 1.0), (-60, 99.0, 9.0)):
        tally = reads(tally, seconds, power_w, hashrate_ths)
    total = by_day(tally).total
    assert (total.samples, total.observed_seconds, total.measured_seconds) == (3, 40, 40)
    assert total.energy_wh == pytest.approx((10 * 10 + 20 * 30) / 3600)
    assert total.average_power_w == pytest.approx(17.5)
    assert total.average_hashrate_ths == pytest.approx((5 + 30) / 40)
    assert total.efficiency_j_per_th == pytest.approx(700 / 35)
    assert total.online_percent == 100


def test_an_edge_between_two_readings_cuts_between_them() -> None:
    tally = reads(reads(Tally(HOME), -4, 15.0, 0.9), 6, 23.0, 1.1)
    assert by_day(tally).total.observed_seconds == 4
    assert by_night(tally).total.observed_seconds == 6
    assert by_day(tally).total.average_power_w == pytest.approx(15)
    assert by_night(tally).total.average_power_w == pytest.approx(23)
    assert (by_day(tally).total.samples, by_night(tally).total.samples) == (1, 1)
    assert by_night(tally).began_at == EVENING
    assert tally.message(EVENING).now == "20:00-07:30"
    assert tally.message(EVENING - timedelta(seconds=1)).now == "07:30-20:00"


def test_a_reading_on_the_edge_belongs_to_what_begins() -> None:
    tally = reads(Tally(HOME), 0)
    assert [each.window for each in tally.windows] == ["20:00-07:30"]


def test_a_new_evening_begins_anew_and_the_total_goes_on() -> None:
    tally = reads(reads(Tally(HOME), 10), 70)
    tally = reads(reads(tally, 86_400), 86_430)
    assert by_night(tally).latest.observed_seconds == 30
    assert by_night(tally).total.observed_seconds == 90
    assert by_night(tally).began_at == EVENING + timedelta(days=1)
    assert by_night(tally).since == EVENING + timedelta(seconds=10)


def test_what_is_not_known_is_not_counted_as_nothing() -> None:
    tally = reads(reads(reads(Tally(HOME), 10), 20, None), 30)
    total = by_night(tally).total
    assert (total.samples, total.observed_seconds, total.measured_seconds) == (2, 20, 10)
    assert total.average_power_w == pytest.approx(15)
    silent = by_night(reads(Tally(HOME), 10, None, None)).total
    assert (silent.average_power_w, silent.efficiency_j_per_th, silent.online_percent) == (None, None, None)


def test_a_miner_that_cannot_be_read_is_offline_and_one_that_nobody_reads_is_neither() -> None:
    tally = reads(Tally(HOME), 0)
    tally = reads(tally, 30, None, None, reachable=False, state=MinerState.UNKNOWN)
    tally = reads(tally, 60)
    assert by_night(tally).total.online_percent == pytest.approx(50)
    tally = reads(tally, 60 + 121)
    assert by_night(tally).total.observed_seconds == 60, "nobody was looking"
    assert by_night(reads(tally, 60 + 121 + 120)).total.observed_seconds == 180


def test_a_paused_miner_hashes_nothing_which_is_known() -> None:
    tally = reads(reads(Tally(HOME), 0, 3.0, None, state=MinerState.PAUSED), 10)
    total = by_night(tally).total
    assert (total.average_power_w, total.average_hashrate_ths, total.efficiency_j_per_th) == (3, 0, None)


def test_the_same_reading_again_or_an_older_one_changes_nothing() -> None:
    tally = reads(reads(Tally(HOME), 0), 10)
    assert reads(tally, 10) == tally
    assert reads(tally, 5) == tally


def test_a_restart_goes_on_from_what_was_published() -> None:
    before = reads(reads(Tally(HOME), 0), 10)
    payload = before.message(EVENING).model_dump_json(exclude_none=True)
    after = Tally(HOME).recalled(MinerStatistics.model_validate_json(payload))
    assert after.windows == before.windows
    after = reads(reads(after, 60), 70)
    assert by_night(after).latest.observed_seconds == 20
    assert by_night(after).total.samples == 4


def test_what_the_schedule_no_longer_has_is_forgotten() -> None:
    message = reads(reads(Tally(HOME), -5), 5).message(EVENING)
    other = Timetable(Schedule("home", (NIGHT,)))
    assert [each.window for each in Tally(other).recalled(message).windows] == ["20:00-07:30"]
    assert Tally(replace(HOME, schedule=Schedule("other", (DAY, NIGHT)))).recalled(message).windows == ()


def test_between_the_windows_is_counted_too() -> None:
    tally = reads(reads(Tally(Timetable(Schedule("home", (DAY,)))), 0), 10)
    assert window(tally, BETWEEN).total.observed_seconds == 10


def test_a_staggered_miner_changes_its_window_when_it_switches() -> None:
    late = Tally(replace(HOME, delay=timedelta(seconds=30)))
    tally = reads(reads(late, 20), 40)
    assert by_day(tally).total.observed_seconds == by_night(tally).total.observed_seconds == 10
