from services.vnish_agent.facts import Preset
from services.vnish_agent.ladder import ASSUMED_NOMINAL_W, Means, Normal, ladder_of, recalled
from shared.ladder import fitting_point, normal_point

TUNED = (
    Preset("disabled", None, usable=False),
    Preset("2300", 2300, usable=True),
    Preset("1500", 1500, usable=True),
    Preset("3100", 3100, usable=False),
    Preset("2620", 2620, usable=True),
)


def names(means: Means, normal: Normal, configured_w: float | None = None) -> list[str]:
    return [point.name for point in ladder_of(means, normal, configured_w).points]


def test_on_and_off_by_what_is_known_of_its_watts() -> None:
    assumed = ladder_of(Means(), Normal(), None)
    assert (normal_point(assumed).power_w, assumed.assumed) == (ASSUMED_NOMINAL_W, True)
    measured = ladder_of(Means(), Normal(measured_w=3110), None)
    assert (normal_point(measured).power_w, measured.assumed) == (3110, False)
    named = ladder_of(Means(), Normal(preset="3300", measured_w=3110), None)
    assert normal_point(named).power_w == 3300
    configured = ladder_of(Means(), Normal(preset="3300", measured_w=3110), 3250)
    assert normal_point(configured).power_w == 3250
    assert [point.name for point in configured.points] == ["pause", "normal"]


def test_tuned_presets_are_rungs_and_the_normal_one_is_the_owners() -> None:
    ladder = ladder_of(Means(TUNED), Normal(preset="2300"), None)
    assert [point.name for point in ladder.points] == ["pause", "1500 W", "2300 W", "2620 W"]
    assert fitting_point(ladder, None).preset == "2300"
    assert fitting_point(ladder, 9000).preset == "2300"
    assert fitting_point(ladder, 2000).preset == "1500"
    assert fitting_point(ladder, 1000).is_pause


def test_an_untuned_normal_is_not_left_because_there_is_no_way_back() -> None:
    ladder = ladder_of(Means(TUNED), Normal(preset="3100"), None)
    assert [(point.name, point.power_w, point.preset) for point in ladder.points] == [
        ("pause", 0, None),
        ("normal", 3100, None),
    ]


def test_without_a_preset_the_tuned_ones_are_still_rungs() -> None:
    ladder = ladder_of(Means(TUNED), Normal(preset="disabled", measured_w=3400), None)
    assert [point.name for point in ladder.points] == ["pause", "1500 W", "2300 W", "2620 W", "normal"]
    assert normal_point(ladder).preset == "disabled"


def test_presets_below_the_firmwares_own_range_are_no_rungs() -> None:
    assert names(Means(TUNED, watts_min=2300), Normal(preset="2620")) == ["pause", "2300 W", "2620 W"]


def test_throttling_goes_from_20_to_100_percent_of_nominal() -> None:
    ladder = ladder_of(Means(TUNED, throttled=True), Normal(preset="2620", throttle_percent=100), 3000)
    assert len(ladder.points) == 18
    assert (ladder.points[1].power_w, ladder.points[1].throttle_percent) == (600, 20)
    assert normal_point(ladder).throttle_percent == 100
    assert fitting_point(ladder, 1700).throttle_percent == 55
    assert all(point.preset is None for point in ladder.points)


def test_throttling_asks_for_the_preset_that_the_owner_configured() -> None:
    means = Means(TUNED, throttled=True)
    ladder = ladder_of(means, Normal(preset="2620", throttle_percent=100), None, insist=True)
    assert {point.preset for point in ladder.points if not point.is_pause} == {"2620"}
    untuned = ladder_of(means, Normal(preset="3100", throttle_percent=100), None, insist=True)
    assert {point.preset for point in untuned.points} == {None}


def test_a_throttle_found_at_adoption_is_the_normal_one() -> None:
    ladder = ladder_of(Means(throttled=True), Normal(throttle_percent=63, measured_w=3000), None)
    assert (ladder.normal, normal_point(ladder).power_w) == ("63 %", 1890)


def test_what_was_normal_is_recalled_from_the_ladder() -> None:
    assert recalled(ladder_of(Means(TUNED), Normal(preset="2300"), None)) == Normal("2300", None, 2300)
    assert recalled(ladder_of(Means(), Normal(), None)) == Normal()
    throttled = ladder_of(Means(throttled=True), Normal(throttle_percent=50, measured_w=3000), None)
    assert recalled(throttled) == Normal(None, 50, 3000)
