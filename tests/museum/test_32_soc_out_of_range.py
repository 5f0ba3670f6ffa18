"""Museum 32, EMHASS 585: a state of charge outside 0 to 100 was clipped, and so a broken sensor looked like a battery.

Here it is unknown, with the reason; whatever was confirmed before keeps its age.
"""

from datetime import UTC, datetime, timedelta

import pytest

from services.soc_bridge.site_state import SiteState, fold, tell
from services.soc_bridge.sources.entities import Entity, wanted
from shared.messages import SiteTelemetry, UnknownReason
from shared.settings import HomeAssistantSettings

SOC = "sensor.battery_soc"
NOW = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
LIMIT = timedelta(minutes=5)
ENTITIES = wanted(HomeAssistantSettings(url="http://ha.lan:8123", state_of_charge=SOC))


def after(*states: str) -> SiteTelemetry:
    site, now = SiteState("test"), NOW
    for state in states:
        for word in ENTITIES.words(SOC, Entity(state, "%")):
            site = fold(site, word, now)
        now += timedelta(seconds=30)
    return tell(site, now, LIMIT)


@pytest.mark.parametrize("state", ["100.1", "101", "655.35", "65535", "-0.1", "-1", "1e9", "1e999"])
def test_outside_0_to_100_is_unknown_and_never_clipped(state: str) -> None:
    told = after("55", state)
    assert told.state_of_charge_percent is None
    assert told.unknown is UnknownReason.OUT_OF_RANGE
    assert SOC in told.detail
    assert told.confirmed_at == NOW, "the last valid value was confirmed then, and not since"


@pytest.mark.parametrize("state", ["nan", "inf", "-inf", "NaN", "Infinity"])
def test_what_is_not_finite_is_unknown(state: str) -> None:
    told = after("55", state)
    assert told.unknown is UnknownReason.NOT_A_NUMBER
    assert told.state_of_charge_percent is None


@pytest.mark.parametrize(("state", "percent"), [("0", 0.0), ("0.0", 0.0), ("100", 100.0), ("100.0", 100.0)])
def test_the_ends_of_the_range_are_inside(state: str, percent: float) -> None:
    assert after("55", state).state_of_charge_percent == percent


def test_a_valid_value_after_it_is_taken_again() -> None:
    assert after("55", "120", "56").state_of_charge_percent == 56
