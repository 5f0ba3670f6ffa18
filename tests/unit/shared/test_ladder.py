import pytest

from shared.ladder import fitting_point, lowest_point, normal_point, point_named
from shared.messages import PAUSE, Ladder, OperatingPoint
from tests.unit.shared.commands import ECO, FULL, LADDER

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


def test_a_point_is_found_by_name() -> None:
    assert point_named(LADDER, "eco") == ECO
    assert point_named(LADDER, "none") is None
