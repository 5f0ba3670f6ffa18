import pytest

from shared.ladder import (
    fitting_point,
    lowest_point,
    normal_point,
    point_named,
    point_set_to,
    point_within,
    reported_point,
    rung_above,
    rung_below,
    safe_point,
)
from shared.messages import PAUSE, Ladder, MinerState, OperatingPoint
from tests.bitaxe_ladder import DAY, LOWEST, NIGHT
from tests.bitaxe_ladder import LADDER as AXE
from tests.unit.shared.commands import ECO, FULL, LADDER, telemetry

TURBO = OperatingPoint(name="turbo", power_w=3600)
UNPAUSABLE = Ladder(points=(ECO, FULL), normal="full")


@pytest.mark.parametrize(
    ("ceiling_w", "point"),
    [(None, FULL), (5000, FULL), (3000, FULL), (2999.9, ECO), (1800, ECO), (1799, PAUSE), (0, PAUSE)],
)
def test_the_highest_point_that_fits_is_taken(ceiling_w: float | None, point: OperatingPoint) -> None:
    assert fitting_point(LADDER, ceiling_w) == point


def test_no_ceiling_means_the_owners_normal_point_not_the_top() -> None:
    assert fitting_point(Ladder(points=(PAUSE, ECO, FULL, TURBO), normal="eco"), None) == ECO
    assert fitting_point(Ladder(points=(PAUSE, ECO, FULL, TURBO), normal="eco"), 9999) == ECO


def test_a_device_that_cannot_pause_is_held_at_its_floor() -> None:
    assert fitting_point(UNPAUSABLE, 10) == ECO
    assert lowest_point(UNPAUSABLE) == ECO


def test_an_unknown_normal_point_is_the_top_and_an_empty_ladder_a_pause() -> None:
    assert normal_point(Ladder(points=(PAUSE, ECO), normal="gone")) == ECO
    empty = Ladder(points=(), normal="gone")
    assert normal_point(empty) == lowest_point(empty) == fitting_point(empty, 100) == PAUSE


def test_an_exact_point_that_fits_is_taken_even_above_the_normal_one() -> None:
    ladder = Ladder(points=(PAUSE, ECO, FULL, TURBO), normal="eco")
    assert fitting_point(ladder, None, TURBO) == fitting_point(ladder, 3600, TURBO) == TURBO
    assert fitting_point(ladder, 3599, TURBO) == FULL, "and below it the highest that fits"
    assert fitting_point(ladder, 1700, TURBO) == PAUSE
    assert fitting_point(Ladder(points=(PAUSE, ECO, FULL, TURBO), normal="turbo"), 3000, ECO) == ECO


def test_the_safe_point_is_the_ladders_own_else_the_lowest_that_hashes() -> None:
    assert safe_point(Ladder(points=(PAUSE, ECO, FULL), normal="full", safe="full")) == FULL
    for safe in (None, "gone"):
        assert safe_point(Ladder(points=(PAUSE, ECO, FULL), normal="full", safe=safe)) == ECO


def test_rungs_are_counted_by_watts_and_a_pause_is_none() -> None:
    ladder = Ladder(points=(PAUSE, ECO, FULL), normal="full")
    assert (rung_below(ladder, FULL.power_w), rung_below(ladder, ECO.power_w)) == (ECO, None)
    assert (rung_above(ladder, 0), rung_above(ladder, ECO.power_w), rung_above(ladder, FULL.power_w)) == (
        ECO,
        FULL,
        None,
    )


def test_a_point_is_found_by_voltage_and_frequency() -> None:
    assert point_set_to(AXE, 1150, 450.004) == DAY
    assert point_set_to(AXE, 1151, 450) is None
    assert point_within(AXE, 1250, 460) == DAY
    assert point_within(AXE, 100, 100) == LOWEST
    assert point_within(LADDER, 1250, 600) == ECO, "one that has no voltages"


def test_on_its_way_between_two_points_a_miner_counts_as_at_the_upper_one() -> None:
    between = telemetry(MinerState.HASHING, ladder=AXE, point=None, voltage_mv=1100, frequency_mhz=440)
    assert reported_point(between) == DAY
    assert reported_point(between.model_copy(update={"point": NIGHT.name})) == NIGHT
    assert reported_point(between.model_copy(update={"voltage_mv": 1500})) is None
    assert reported_point(between.model_copy(update={"voltage_mv": None})) is None
    assert reported_point(between.model_copy(update={"ladder": None})) is None


def test_a_point_is_found_by_name() -> None:
    assert point_named(LADDER, "eco") == ECO
    assert point_named(LADDER, "none") is None
