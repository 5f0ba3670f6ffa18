"""Fixtures that every test may use."""

import pytest

from shared.clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(autouse=True)
def _no_farm_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the developer's own farm must not leak into a test."""
    for name in ("SUNHERD_FARM", "SUNHERD_CLOCK", "HA_TOKEN", "MQTT_PASSWORD", "VNISH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
