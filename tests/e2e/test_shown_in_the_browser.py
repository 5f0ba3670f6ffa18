"""The dashboard as a person sees it: Home Assistant's own pages in a real browser, over the real engine and agent.

Needs SUNHERD_E2E_HA_URL, SUNHERD_E2E_HA_TOKEN and Chromium. Leaves Home Assistant without a broker: it comes last.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from deploy.broker import find_mosquitto
from deploy.home_assistant_kit.__main__ import text_of
from shared.settings import load_farm
from tests.browser import NEEDS_BROWSER, Window, chromium, expect
from tests.embedded_farm import EmbeddedFarm
from tests.home_assistant_api import NEEDS_HOME_ASSISTANT, HomeAssistantApi
from tests.home_assistant_client import HomeAssistantClient

pytestmark = [
    NEEDS_HOME_ASSISTANT,
    NEEDS_BROWSER,
    pytest.mark.skipif(find_mosquitto() is None, reason="MOSQUITTO IS NOT INSTALLED"),
    pytest.mark.timeout(300),
]

DASHBOARD = "sunherd-seen"
SOON_MS = 40_000
"""As long as a miner may take to come to rest or to start."""
NO_HISTORY = "History integration disabled"
"""What stands in a graph's place where Home Assistant keeps no history: one made for tests keeps none."""
READ = {
    "farm": ("No miner has a problem.", "80.0%", "automatic", "110.17 TH/s", "3,250 W", "Stop all miners", "Battery"),
    "groups": ("garage", "110.17 TH/s", "3,250 W", "6,000 W"),
    "miners": ("s19-20", "SoC 80.0 % > 75 %", "hashing", "110.17 TH/s", "3,250 W", "Force on", "8 h"),
    "history": ("Battery", "Chip temperature"),
}
"""What is to be read on each page while the miner works; its stand-in always draws the same."""


@pytest.fixture
def window(
    acting_farm: EmbeddedFarm, api: HomeAssistantApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Window]:
    """With the dashboard made of the running farm's own file."""
    monkeypatch.setenv("HA_TOKEN", "not asked for here")
    made = YAML(typ="safe", pure=True).load(text_of(load_farm(tmp_path / "farm.yaml"), "farm.yaml"))
    assert [view["path"] for view in made["views"]] == list(READ)
    created = api.ask(
        "lovelace/dashboards/create", url_path=DASHBOARD, title="Sunherd", mode="storage", show_in_sidebar=True
    )
    try:
        api.ask("lovelace/config/save", url_path=DASHBOARD, config=made)
        with chromium() as browser:
            yield Window(browser)
    finally:
        api.ask("lovelace/dashboards/delete", dashboard_id=created["id"])


@pytest.fixture
def hashing(window: Window, home_assistant: HomeAssistantClient) -> Window:
    """Once the miner is at work."""
    assert home_assistant.shows("sensor.s19_20_state", "hashing", 40)
    return window


def test_every_page_of_the_dashboard_shows_the_farm_as_it_is(hashing: Window) -> None:
    for view, told in READ.items():
        hashing.open(f"/{DASHBOARD}/{view}")
        assert hashing.reads(told), (view, hashing.lines())
        assert hashing.refused() == []
        assert {"Unavailable", "Unknown", "Entity not found"}.isdisjoint(hashing.lines()), (view, hashing.lines())


def test_a_person_pauses_and_stops_and_takes_it_back(hashing: Window, home_assistant: HomeAssistantClient) -> None:
    page = hashing.open(f"/{DASHBOARD}/miners")
    switch = page.locator("hui-tile-card", has_text="Automatic").get_by_role("switch")
    switch.click()
    expect(page.get_by_text("paused by Home Assistant")).to_be_visible(timeout=SOON_MS)
    expect(page.locator("hui-tile-card", has_text="State")).to_contain_text("paused", timeout=SOON_MS)
    switch.click()
    expect(page.locator("hui-tile-card", has_text="State")).to_contain_text("hashing", timeout=SOON_MS)

    page = hashing.open(f"/{DASHBOARD}/farm")
    mode = page.locator("hui-tile-card", has_text="Mode")
    resume = page.locator("hui-button-card", has_text="Resume")
    stop = page.locator("hui-button-card", has_text="Stop all miners")
    expect(resume).to_have_count(0)
    stop.click()
    asked = page.get_by_text("Stop every miner of this farm now?")
    expect(asked).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(asked).to_have_count(0)
    stop.click()
    page.get_by_role("button", name="OK", exact=True).click()
    expect(mode).to_contain_text("emergency_stop", timeout=SOON_MS)
    assert home_assistant.shows("sensor.s19_20_state", "paused", 20)
    resume.click()
    page.get_by_role("button", name="OK", exact=True).click()
    expect(mode).to_contain_text("automatic", timeout=SOON_MS)
    expect(resume).to_have_count(0)
    assert home_assistant.shows("sensor.s19_20_state", "hashing", 40)
