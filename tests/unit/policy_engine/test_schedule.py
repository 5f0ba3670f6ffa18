"""The hours of a schedule: exact points, pauses, gaps, and what becomes of them under other rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.policy_engine.remarks import remarks
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.messages import PAUSE, Ladder, MinerState, OverrideKind
from shared.schedule import ByClock, Schedule, Timetable, Window
from tests.bitaxe_ladder import (
    DAY,
    DAY_AND_NIGHT,
    DAY_WINDOW,
    LADDER,
    LOWEST,
    NIGHT,
    NIGHT_WINDOW,
    NORMAL,
    RUNG,
    RUNG_2,
    paused,
    reads,
    rules,
)
from tests.engine_core import DIMMABLE, CoreRun, limit_of

NOON = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
EVENING = datetime(2026, 6, 21, 20, 0, tzinfo=UTC)
NIGHT_OFF = Window(ByClock(1200), ByClock(450), pause=True)


def at(now: datetime, *windows: Window, **rest: Any) -> CoreRun:
    return reads(CoreRun(rules(*windows, **rest), now=now), 50, NORMAL)


def test_a_window_is_applied_exactly_even_above_the_normal_point() -> None:
    run = at(EVENING - timedelta(seconds=1), DAY_WINDOW, NIGHT_WINDOW)
    command = run.decide()["axe"]
    assert (command.point, command.code, command.ceiling_w) == (DAY, "schedule", DAY.power_w)
    assert command.sentence == "450 MHz at 1150 mV, by the window 07:30-20:00 of home"
    assert command.changes_when == "changes at 20:00"
    command = run.wait(1).decide()["axe"]
    assert (command.point, command.code) == (NIGHT, "schedule")
    assert command.changes_when == "changes at 07:30"


def test_between_the_windows_the_owners_normal_point_holds_and_that_is_said() -> None:
    command = at(EVENING, DAY_WINDOW).decide()["axe"]
    assert (command.point, command.code, command.ceiling_w) == (NORMAL, "schedule_gap", None)
    assert command.sentence == "no window of home holds now: the owner's normal point"
    assert command.changes_when == "changes at 07:30"


def test_under_a_lower_ceiling_the_highest_point_that_fits() -> None:
    run = at(EVENING, NIGHT_WINDOW, max_w=22)
    command = run.decide()["axe"]
    assert (command.point, command.code) == (NORMAL, "miner_cap")
    assert at(EVENING, NIGHT_WINDOW, max_w=19).decide()["axe"].point == RUNG_2
    assert at(EVENING, NIGHT_WINDOW, max_w=NIGHT.power_w).decide()["axe"].point == NIGHT
    assert at(NOON, DAY_WINDOW, max_w=40).decide()["axe"].point == DAY


def test_a_window_that_pauses_is_a_ceiling_of_nothing() -> None:
    command = at(EVENING, NIGHT_OFF).decide()["axe"]
    assert (command.point, command.code) == (PAUSE, "schedule_pause")
    assert command.sentence == "pause, by the window 20:00-07:30 of home"


def test_a_profile_is_found_by_its_name() -> None:
    window = Window(ByClock(0), ByClock(1440), profile="quiet")
    assert at(NOON, window).decide()["axe"].point == LOWEST


@pytest.mark.parametrize(
    ("window", "point"),
    [
        (replace(DAY_WINDOW, voltage_mv=1150, frequency_mhz=449), RUNG),
        (replace(DAY_WINDOW, voltage_mv=1140, frequency_mhz=600), RUNG),
        (replace(DAY_WINDOW, voltage_mv=1200, frequency_mhz=600), NORMAL),
        (replace(DAY_WINDOW, voltage_mv=900, frequency_mhz=100), LOWEST),
        (Window(ByClock(0), ByClock(1440), profile="gone"), LOWEST),
    ],
)
def test_a_point_that_it_does_not_have_is_never_exceeded(window: Window, point: object) -> None:
    command = at(NOON, window).decide()["axe"]
    assert (command.point, command.code) == (point, "schedule_point_missing")
    assert "it has no such point" in command.sentence


def test_while_its_ladder_is_unknown_nothing_is_made_up() -> None:
    run = at(NOON, DAY_WINDOW)
    run.decide()
    run.miner("axe", None)
    limit = limit_of(run, "schedule", "axe")
    assert (limit.code, limit.ceiling_w, limit.point) == ("schedule_unknown_ladder", None, None)
    assert run.commands["axe"].point == DAY, "what runs stays as it is"


def test_force_on_silences_it() -> None:
    run = at(EVENING, NIGHT_OFF).override("axe", OverrideKind.FORCE_ON, until=EVENING + timedelta(hours=1))
    assert run.decide()["axe"].point == NORMAL
    run = at(NOON, DAY_WINDOW).override("axe", OverrideKind.FORCE_ON, until=NOON + timedelta(hours=1))
    assert run.decide()["axe"].point == NORMAL
    assert limit_of(run, "schedule", "axe").numbers["silenced_ceiling_w"] == DAY.power_w


def test_what_was_just_started_is_not_paused_for_comfort() -> None:
    run = paused(CoreRun(rules(DAY_WINDOW, NIGHT_OFF), now=EVENING - timedelta(seconds=100)))
    assert run.decide()["axe"].starts
    run = reads(run.wait(100), 50)
    limit = limit_of(run, "schedule", "axe")
    assert (run.commands["axe"].point.is_pause, limit.code, limit.ceiling_w) == (False, "schedule_pause", None)
    assert limit.sentence.endswith("it runs for at least 5 min first")
    assert limit.changes_when == "pauses at 20:03"
    for _ in range(20):
        command = reads(run.wait(10), 50).decide()["axe"]
    assert command.point.is_pause


def test_a_minimum_on_time_delays_no_heat() -> None:
    run = paused(CoreRun(rules(DAY_WINDOW), now=NOON))
    run.decide()
    for _ in range(10):
        command = reads(run.wait(20), 80).decide()["axe"]
    assert (command.point.is_pause, command.code) == (True, "too_hot_pause")


def test_each_miner_of_a_staggered_schedule_switches_a_little_later() -> None:
    delays = [timedelta(seconds=30 * turn) for turn in range(3)]
    miners = {
        f"axe-{turn}": MinerRules(timetable=Timetable(DAY_AND_NIGHT, delay=delay)) for turn, delay in enumerate(delays)
    }
    run = CoreRun(Rules(miners=miners), now=EVENING)
    seen = []
    for _ in range(4):
        for name in miners:
            run.miner(name, MinerState.HASHING, LADDER, point=NORMAL.name, chip_temperature_celsius=50)
        seen.append([command.point for command in run.decide().values()])
        run.wait(30)
    assert seen == [[NIGHT, DAY, DAY], [NIGHT, NIGHT, DAY], [NIGHT, NIGHT, NIGHT], [NIGHT, NIGHT, NIGHT]]


def test_a_group_counts_with_an_exact_point_above_the_normal_one() -> None:
    book = Rules(
        miners={name: MinerRules(timetable=Timetable(DAY_AND_NIGHT)) for name in ("a", "b")},
        groups={"desk": GroupRules(("a", "b"), 42)},
    )
    run = CoreRun(book, now=EVENING)
    for name in ("a", "b"):
        run.miner(name, MinerState.HASHING, LADDER, point=DAY.name)
    commands = run.decide()
    assert [command.point for command in commands.values()] == [NIGHT, RUNG_2]
    assert commands["b"].code == "group_cap"


def test_starts_are_staggered_by_the_watts_that_they_come_to() -> None:
    miners = {name: MinerRules(timetable=Timetable(DAY_AND_NIGHT)) for name in ("a", "b")}
    book = Rules(miners=miners, minimum_off=timedelta(), stagger_w=NORMAL.power_w + NIGHT.power_w + 1)
    for now, started in ((NOON, 2), (EVENING, 1)):
        run = CoreRun(book, now=now)
        for name in miners:
            run.miner(name, MinerState.PAUSED, LADDER)
        assert [command.point.is_pause for command in run.decide().values()].count(False) == started


def test_a_schedule_may_pause_a_large_machine_too() -> None:
    book = Rules(miners={"s19": MinerRules(timetable=Timetable(Schedule("home", (NIGHT_OFF,))))})
    run = CoreRun(book, now=EVENING).miner("s19", MinerState.HASHING, DIMMABLE, point="normal")
    assert run.decide()["s19"].code == "schedule_pause"


def test_a_cap_below_the_ladder_or_below_a_stock_board_says_so() -> None:
    command = at(NOON, max_w=9).decide()["axe"]
    assert (command.point.is_pause, command.code) == (True, "miner_cap")
    assert command.sentence == "at most 9 W for this miner, and its lowest point takes 11 W"
    command = at(NOON, max_w=15, stock_w=22.0).decide()["axe"]
    assert (command.point, command.code) == (DAY, "miner_cap")
    assert "a stock board reads about 22 W" in command.sentence


def test_a_group_cap_below_the_ladder_says_so() -> None:
    book = replace(rules(), groups={"desk": GroupRules(("axe",), 9)})
    command = reads(CoreRun(book), 50).decide()["axe"]
    assert (command.point.is_pause, command.code) == (True, "group_cap")
    assert command.sentence.endswith("its lowest point alone takes 11 W")


def test_gaps_and_tight_caps_are_said_at_the_start() -> None:
    book = replace(
        rules(DAY_WINDOW, max_w=15, stock_w=22.0, names=("axe", "bxe")),
        groups={"desk": GroupRules(("axe", "bxe"), 40)},
    )
    said = list(remarks(book, NOON))
    assert said[0] == (
        "no window of home holds from Sunday 20:00 to Monday 07:30 and 6 more times within a week: "
        "the owner's normal point does then"
    )
    assert said[1].startswith("axe may draw 15 W, and a stock board reads about 22 W")
    assert said[3].startswith("group desk may draw 40 W, and its 2 miners read about 44 W")
    assert list(remarks(rules(DAY_WINDOW, NIGHT_WINDOW, max_w=25, stock_w=22.0), NOON)) == []


def test_an_exact_point_that_the_ladder_no_longer_has_falls_back() -> None:
    run = at(NOON, DAY_WINDOW)
    run.decide()
    smaller = Ladder(points=(PAUSE, LOWEST, NORMAL), normal=NORMAL.name)
    assert reads(run, 50, ladder=smaller).decide()["axe"].point == LOWEST
