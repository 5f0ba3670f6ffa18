"""The simulated site, without sockets and without waiting."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from services.simulator.site import Site, SiteShape, sun_w

FOUR = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)
NOON = FOUR.replace(hour=12)
STEP_SECONDS = 60.0


@dataclass
class Rig:
    """A miner under simple hysteresis."""

    power_w: float
    stop_percent: float
    resume_percent: float
    on: bool = True
    started: list[datetime] = field(default_factory=list)
    stopped: list[datetime] = field(default_factory=list)

    def look(self, percent: float, now: datetime) -> None:
        if self.on and percent < self.stop_percent:
            self.on = False
            self.stopped.append(now)
        elif not self.on and percent > self.resume_percent:
            self.on = True
            self.started.append(now)


@dataclass
class Day:
    rigs: list[Rig]
    percents: list[tuple[datetime, float]]
    unserved_w: float


def live_through(seed: int) -> Day:
    """The demo's day: three miners, bands 73/75, 95/99 and 95/99, from four o'clock at 76 %."""
    site = Site(SiteShape(seed=seed), FOUR, 76.0)
    day = Day([Rig(3250, 73, 75), Rig(1600, 95, 99), Rig(1100, 95, 99)], [], 0.0)
    while site.now < FOUR + timedelta(days=1):
        percent = site.state_of_charge_percent
        for rig in day.rigs:
            rig.look(percent, site.now)
        day.percents.append((site.now, percent))
        flows = site.advance(STEP_SECONDS, sum(rig.power_w if rig.on else 12 for rig in day.rigs))
        day.unserved_w = max(day.unserved_w, flows.unserved_w)
    return day


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_demos_day_has_everything_to_show(seed: int) -> None:
    day = live_through(seed)
    first, *others = day.rigs
    assert first.stopped[0] < FOUR + timedelta(hours=1)
    assert timedelta(hours=2) < first.started[0] - FOUR < timedelta(hours=8)
    for rig in others:
        assert rig.stopped[0] == FOUR
        assert 10 <= rig.started[0].hour <= 14
        assert 16 <= rig.stopped[1].hour <= 21
    assert first.stopped[1].hour >= 19
    assert max(len(rig.started) for rig in day.rigs) <= 2, "a quiet day: nobody flaps"


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_household_lives_through_the_night(seed: int) -> None:
    day = live_through(seed)
    assert day.unserved_w == 0
    assert min(percent for _, percent in day.percents) > 40


def test_the_same_seed_is_the_same_day() -> None:
    assert live_through(3).percents == live_through(3).percents
    assert live_through(3).percents != live_through(4).percents


def test_large_steps_see_the_same_day_as_small_ones() -> None:
    small, large = Site(SiteShape(), FOUR, 60.0), Site(SiteShape(), FOUR, 60.0)
    for _ in range(6 * 60):
        small.advance(60, 1000)
    large.advance(6 * 3600, 1000)
    assert small.now == large.now
    assert small.state_of_charge_percent == pytest.approx(large.state_of_charge_percent)


def test_there_is_no_sun_at_night_and_much_at_noon() -> None:
    clear = SiteShape(cloudiness=0.0)
    assert sun_w(clear, FOUR) == 0
    assert sun_w(clear, NOON) > 0.9 * clear.pv_peak_w
    assert sun_w(replace(clear, cloudiness=0.5), NOON) < sun_w(clear, NOON)


def test_the_sun_keeps_local_time() -> None:
    there = Site(SiteShape(time_zone="Australia/Sydney"), datetime(2026, 6, 21, 2, 0, tzinfo=UTC), 50)
    assert there.advance(60, 0).pv_w > 0, "it is noon in Sydney"


def test_a_full_battery_off_grid_takes_less_from_the_panels() -> None:
    site = Site(SiteShape(cloudiness=0), NOON, 100)
    flows = site.advance(60, 0)
    assert flows.battery_w == 0
    assert flows.pv_w == pytest.approx(flows.load_w)


def test_a_full_battery_with_mains_exports() -> None:
    site = Site(SiteShape(cloudiness=0, grid_available=True), NOON, 100)
    flows = site.advance(60, 0)
    assert flows.grid_w < -5000


def test_an_empty_battery_leaves_the_house_dark_or_imports() -> None:
    dark = Site(SiteShape(), FOUR, 0).advance(60, 3000)
    assert dark.unserved_w == pytest.approx(dark.load_w + 3000)
    fed = Site(SiteShape(grid_available=True), FOUR, 0).advance(60, 3000)
    assert fed.grid_w == pytest.approx(fed.load_w + 3000)
    assert fed.unserved_w == 0


def test_charging_and_discharging_lose_energy() -> None:
    shape = SiteShape(cloudiness=0)
    site = Site(shape, FOUR, 50)
    before = site.stored_wh
    flows = site.advance(3600, 3000)
    assert flows.battery_w < 0
    assert before - site.stored_wh == pytest.approx(-flows.battery_w / shape.discharge_efficiency)


def test_limits_of_the_battery_hold() -> None:
    shape = SiteShape(discharge_limit_w=1000, charge_limit_w=2000, cloudiness=0)
    assert Site(shape, FOUR, 50).advance(60, 5000).battery_w == -1000
    assert Site(shape, NOON, 50).advance(60, 0).battery_w == 2000


def test_time_that_does_not_pass_changes_nothing() -> None:
    site = Site(SiteShape(), NOON, 50)
    site.advance(0, 1000)
    assert (site.now, site.state_of_charge_percent) == (NOON, 50)
