"""Museum 36, Home Assistant: a battery at 100 % all afternoon sends no state changes and shows an old `last_updated`.

It was taken for stale, and the farm was paused in full sun. Here age counts from the last confirmation: the value stays
fresh for as long as Home Assistant answers, by whichever door; it is only warned about.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.soc_bridge.bridge import SiteBridge
from services.soc_bridge.site_state import Quantity, Said, StandsBy, Word
from shared.bus import Arrival, Bus, MemoryBroker
from shared.bus.link import LinkListener
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import Event, SiteTelemetry
from shared.service import Service
from shared.settings import BatterySettings

BATTERY = BatterySettings.model_validate(
    {"home_assistant": {"url": "http://ha.lan:8123", "state_of_charge": "sensor.battery_soc"}}
)
FULL = Said(Quantity.STATE_OF_CHARGE, 100.0)


class Ear(LinkListener):
    def __init__(self) -> None:
        self.telemetry: list[SiteTelemetry] = []
        self.codes: list[str] = []

    def link_up(self) -> None: ...

    def link_down(self) -> None: ...

    def link_arrival(self, arrival: Arrival) -> None:
        if arrival.path == "sunherd/site/home/telemetry":
            self.telemetry.append(SiteTelemetry.model_validate_json(arrival.payload))
        elif arrival.path.endswith("/event"):
            self.codes.append(Event.model_validate_json(arrival.payload).code)


def live(clock: VirtualClock, hours: float, each: Callable[[int], Word | None]) -> Ear:
    """Steps a bridge every 30 s; `each` is what the source says in that round."""
    broker, ear = MemoryBroker(), Ear()
    link = broker.link()
    link.start(ear, None)
    link.subscribe([("#", 0)])
    service = Service("soc_bridge", Bus(broker.link(), clock, instance="b"), clock, runner=SteppedRunner())
    bridge = SiteBridge(service, "home", BATTERY, "test")
    service.start()
    for index in range(round(hours * 120)):
        word = each(index)
        if word is not None:
            bridge.hear(word)
        service.step()
        clock.advance(30)
    return ear


@pytest.mark.parametrize(
    "each",
    [
        pytest.param(lambda index: FULL if index == 0 else StandsBy(), id="said once, then only pongs"),
        pytest.param(lambda _index: FULL, id="only polls, every 30 s"),
    ],
)
def test_full_for_a_day_and_confirmed_is_fresh(clock: VirtualClock, each: Callable[[int], Word | None]) -> None:
    began = clock.now()
    ear = live(clock, 24, each)
    known = [told for told in ear.telemetry if told.at > began + timedelta(minutes=1)]
    assert {told.state_of_charge_percent for told in known} == {100}
    assert all(told.confirmed_at and told.at - told.confirmed_at <= timedelta(seconds=30) for told in known)
    assert known[-1].changed_at == began, "how long it has stood is told as well"
    assert ear.codes.count("soc_unchanged") == 1, "warned about once, and no more than that"
    assert "soc_unknown" not in ear.codes


def test_without_any_confirmation_it_does_go_unknown(clock: VirtualClock) -> None:
    ear = live(clock, 1, lambda index: FULL if index == 0 else None)
    last = ear.telemetry[-1]
    assert last.state_of_charge_percent is None
    assert last.confirmed_at == last.changed_at
    assert last.at - last.confirmed_at > timedelta(minutes=50) if last.confirmed_at else False
