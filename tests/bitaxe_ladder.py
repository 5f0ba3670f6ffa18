"""A Bitaxe's ladder, rules with a schedule and limits, and readings of it, for tests of the engine."""

from datetime import UTC, timedelta, tzinfo
from typing import Any

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import PAUSE, Ladder, MinerState, OperatingPoint
from shared.schedule import ByClock, Schedule, Timetable, Window
from tests.engine_core import CoreRun


def point(frequency_mhz: float, voltage_mv: int, power_w: float, name: str = "") -> OperatingPoint:
    return OperatingPoint(
        name=name or f"{frequency_mhz:g} MHz {voltage_mv} mV",
        power_w=power_w,
        voltage_mv=voltage_mv,
        frequency_mhz=frequency_mhz,
    )


LOWEST = point(400, 1000, 11, "quiet")
RUNG = point(425, 1075, 13)
DAY = point(450, 1150, 15)
RUNG_2 = point(500, 1200, 18)
NORMAL = point(525, 1200, 20, "efficient")
NIGHT = point(550, 1250, 23)
TOP = point(600, 1300, 28, "performance")
LADDER = Ladder(points=(PAUSE, LOWEST, RUNG, DAY, RUNG_2, NORMAL, NIGHT, TOP), normal="efficient", safe=DAY.name)
WITHOUT_PAUSE = LADDER.model_copy(update={"points": LADDER.points[1:]})

DAY_WINDOW = Window(ByClock(450), ByClock(1200), voltage_mv=1150, frequency_mhz=450)
NIGHT_WINDOW = Window(ByClock(1200), ByClock(450), voltage_mv=1250, frequency_mhz=550)
DAY_AND_NIGHT = Schedule("home", (DAY_WINDOW, NIGHT_WINDOW))


def timetable(*windows: Window, zone: tzinfo = UTC, **rest: Any) -> Timetable:
    return Timetable(Schedule("home", windows), zone, **rest)


def rules(*windows: Window, names: tuple[str, ...] = ("axe",), **rest: Any) -> Rules:
    """One Bitaxe with the limits of a Gamma; more by name."""
    schedule = timetable(*windows) if windows else None
    own = {"max_chip_celsius": 70.0, "max_regulator_celsius": 100.0, "timetable": schedule, **rest}
    return Rules(miners={name: MinerRules(**own) for name in names}, minimum_off=timedelta())


def reads(run: CoreRun, celsius: float | None, at: OperatingPoint | None = None, **rest: Any) -> CoreRun:
    """It hashes at a point (by default where it was told to), so warm."""
    command = run.farm.miners["axe"].command
    at = at or (NORMAL if command is None or command.point.is_pause else command.point)
    given = {
        "state": MinerState.HASHING,
        "ladder": LADDER,
        "point": at.name,
        "voltage_mv": at.voltage_mv,
        "frequency_mhz": at.frequency_mhz,
        "chip_temperature_celsius": celsius,
        **rest,
    }
    return run.miner("axe", given.pop("state"), given.pop("ladder"), **given)


def paused(run: CoreRun, **rest: Any) -> CoreRun:
    """It is off, and has no temperature."""
    return run.miner("axe", MinerState.PAUSED, LADDER, point="pause", desired="pause", **rest)
