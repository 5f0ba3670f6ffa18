"""The simulated site obeys the conservation of energy, whatever happens to it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.site import Site, SiteShape

shapes = st.builds(
    SiteShape,
    battery_wh=st.floats(100, 1_000_000),
    charge_limit_w=st.floats(0, 50_000),
    discharge_limit_w=st.floats(0, 50_000),
    charge_efficiency=st.floats(0.5, 1),
    discharge_efficiency=st.floats(0.5, 1),
    pv_peak_w=st.floats(0, 200_000),
    cloudiness=st.floats(0, 1),
    household_w=st.floats(0, 5000),
    grid_available=st.booleans(),
    seed=st.integers(0, 1000),
)
stretches = st.lists(st.tuples(st.floats(0, 7200), st.floats(0, 50_000)), min_size=1, max_size=8)
starts = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@settings(deadline=timedelta(seconds=2), max_examples=60)
@given(shape=shapes, percent=st.floats(0, 100), start=starts, stretches=stretches)
def test_energy_is_neither_made_nor_lost(
    shape: SiteShape, percent: float, start: datetime, stretches: list[tuple[float, float]]
) -> None:
    site = Site(shape, start, percent)
    for seconds, miners_w in stretches:
        before_wh, before = site.stored_wh, site.now
        flows = site.advance(seconds, miners_w)
        assert 0 <= site.state_of_charge_percent <= 100
        if site.now == before:
            continue
        # Power in is power out, in every stretch of time.
        assert flows.miners_w == pytest.approx(miners_w)
        given_w = flows.pv_w + flows.grid_w + flows.unserved_w
        assert given_w == pytest.approx(flows.load_w + flows.miners_w + flows.battery_w, abs=1e-3)
        assert flows.unserved_w >= 0
        assert flows.pv_w >= -1e-9
        # What the battery holds changes by what flows, less the losses; never by more.
        flowed_wh = flows.battery_w * (site.now - before).total_seconds() / 3600
        stored_wh = site.stored_wh - before_wh
        assert stored_wh <= flowed_wh + 1e-3
        assert -shape.discharge_limit_w - 1e-6 <= flows.battery_w <= shape.charge_limit_w + 1e-6
        if not shape.grid_available:
            assert flows.grid_w == 0
