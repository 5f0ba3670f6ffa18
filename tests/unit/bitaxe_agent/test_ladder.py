"""The ladder: what can be held, by rising watts, all of it within the limits."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.bitaxe_agent.boards import Recognised, recognise
from services.bitaxe_agent.ladder import Device, Profile, Wishes, ladder_of, setting_of
from services.bitaxe_agent.parse import Identity, Readout
from services.bitaxe_agent.setting import Setting
from services.bitaxe_agent.watts import STEADY_SECONDS, Correction, Watts, estimated_w
from shared.ladder import fitting_point, normal_point, point_named, point_set_to, safe_point
from shared.messages import PAUSE, Ladder

GAMMA = recognise(Identity(chip="BM1370", board="601"), Readout(), None)
LIMITS = Setting(1250, 600)
STOCK = Setting(1150, 525)


def device(*, limits: Setting | None = LIMITS, pauses: bool = True, factor: float | None = None) -> Device:
    return Device(Watts(GAMMA, factor), limits, pauses)


def names(ladder: Ladder) -> list[str]:
    return [point.name for point in ladder.points]


def test_profiles_the_normal_point_and_rungs_between_them() -> None:
    ladder = ladder_of(Wishes(), device(), STOCK)
    assert names(ladder) == [
        "pause",
        "quiet",
        "425 MHz 1125 mV",
        "efficient",
        "475 MHz 1150 mV",
        "500 MHz 1150 mV",
        "525 MHz 1150 mV",
        "550 MHz 1185 mV",
        "575 MHz 1220 mV",
        "performance",
    ]
    assert (ladder.normal, ladder.safe, ladder.assumed) == ("525 MHz 1150 mV", "quiet", True)
    performance = point_named(ladder, "performance")
    assert performance is not None
    assert setting_of(performance) == Setting(1250, 600), "cut to the limits"


def test_a_device_that_cannot_pause_has_its_lowest_point_for_a_floor() -> None:
    ladder = ladder_of(Wishes(), device(pauses=False), STOCK)
    assert fitting_point(ladder, 0.0).name == "quiet"
    assert not any(point.is_pause for point in ladder.points)


def test_a_budget_dims_it_between_two_profiles() -> None:
    ladder = ladder_of(Wishes(), device(), STOCK)
    assert fitting_point(ladder, 16.5).name == "475 MHz 1150 mV"
    assert fitting_point(ladder, 5.0) == PAUSE
    assert fitting_point(ladder, None).name == "525 MHz 1150 mV", "never above the owner's normal point"


def test_the_owners_profiles_and_watts_go_before_the_built_in_ones() -> None:
    own = {"quiet": Profile(Setting(1060, 390)), "night": Profile(Setting(1200, 540), 19.0)}
    ladder = ladder_of(Wishes(profiles=own, profile="night"), device(), STOCK)
    quiet, night = point_named(ladder, "quiet"), point_named(ladder, "night")
    assert quiet is not None
    assert setting_of(quiet) == Setting(1060, 390)
    assert night is not None
    assert night.power_w == 19.0
    assert normal_point(ladder) == night
    assert "525 MHz 1150 mV" not in names(ladder), "what was found is of no account where a profile is configured"


def test_scheduled_points_are_exactly_there_and_the_lowest_of_them_is_safe() -> None:
    scheduled = (Setting(1130, 470), Setting(1290, 590), "efficient", "gone")
    ladder = ladder_of(Wishes(scheduled=scheduled), device(), STOCK)
    assert point_set_to(ladder, 1130, 470) is not None
    assert point_set_to(ladder, 1250, 590) is not None, "cut to the limits"
    assert safe_point(ladder).name == "efficient"


def test_what_the_owner_says_it_draws_counts_for_all_of_the_ladder() -> None:
    plain = ladder_of(Wishes(), device(), STOCK)
    told = ladder_of(Wishes(nominal_w=35.0), device(factor=1.1), STOCK)
    assert normal_point(told).power_w == pytest.approx(35.0, abs=0.2)
    assert told.assumed is False
    assert told.points[1].power_w == pytest.approx(2 * plain.points[1].power_w, rel=0.02)


def test_where_nobody_knows_what_it_bears_it_only_has_what_it_is_set_to() -> None:
    unknown = Device(Watts(Recognised()), None, pauses=True)
    own = {"night": Profile(Setting(1200, 540))}
    ladder = ladder_of(Wishes(profiles=own, profile="night", scheduled=(Setting(1200, 540),)), unknown, STOCK)
    assert names(ladder) == ["pause", "525 MHz 1150 mV"]


settings_of_owners = st.builds(Setting, st.integers(900, 1600), st.floats(100, 1000))


@given(
    found=settings_of_owners,
    own=st.dictionaries(st.sampled_from(["a", "b", "quiet"]), st.builds(Profile, settings_of_owners), max_size=3),
    scheduled=st.lists(settings_of_owners, max_size=3),
    limits=st.builds(Setting, st.integers(1000, 1300), st.floats(300, 625)),
)
def test_everything_in_it_is_within_the_limits_and_rises(
    found: Setting, own: dict[str, Profile], scheduled: list[Setting], limits: Setting
) -> None:
    wishes = Wishes(profiles=own, profile=next(iter(own), None), scheduled=tuple(scheduled))
    ladder = ladder_of(wishes, device(limits=limits), found)
    settings = [setting_of(point) for point in ladder.points[1:]]
    assert not any(setting is None or setting.exceeds(limits) for setting in settings)
    assert all(low.power_w <= high.power_w for low, high in pairwise(ladder.points))
    assert len(set(names(ladder))) == len(ladder.points)
    assert point_named(ladder, ladder.normal) is not None
    assert ladder.safe in names(ladder)


# --- watts


def test_the_estimate_is_near_what_boards_have_told() -> None:
    assert estimated_w(Setting(1250, 625), GAMMA) == pytest.approx(22.2, rel=0.05)
    hexa = recognise(Identity(chip="BM1366", board="302"), Readout(), None)
    assert estimated_w(Setting(1200, 525), hexa) == pytest.approx(58.4, rel=0.12)


def measured(ratios: list[float], correction: Correction | None = None) -> Correction:
    correction = correction or Correction()
    seconds = 0.0
    for ratio in ratios:
        correction.measure(STOCK, ratio * estimated_w(STOCK, GAMMA), GAMMA, seconds)
        seconds += STEADY_SECONDS
    return correction


def test_a_measurement_counts_when_it_is_steady() -> None:
    assert measured([1.3]).factor is None
    assert measured([1.3, 1.13]).factor == 1.15
    correction = measured([1.3, 1.13])
    correction.measure(Setting(1200, 550), 99.0, GAMMA, 300.0)
    assert correction.factor == 1.15, "of another setting: not steady yet"


def test_the_ladder_does_not_change_with_every_reading() -> None:
    correction = measured([1.0, 1.13])
    assert measured([1.0, 1.16, 1.10, 1.02], correction).factor == 1.15
    assert measured([1.0, 1.18], correction).factor == 1.2
    assert measured([1.0, 1.03], correction).factor == 1.05


@pytest.mark.parametrize("power_w", [None, 0.1, 500.0])
def test_an_absurd_measurement_is_none(power_w: float | None) -> None:
    correction = Correction()
    correction.measure(STOCK, power_w, GAMMA, 0.0)
    correction.measure(STOCK, power_w, GAMMA, 100.0)
    assert correction.factor is None


def test_an_earlier_process_had_measured() -> None:
    correction = Correction()
    correction.recall(STOCK, Watts(GAMMA, 1.15).of(STOCK), GAMMA)
    assert correction.factor == 1.15
