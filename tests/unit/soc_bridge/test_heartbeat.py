"""How often the bridge speaks: often enough that a confirmed value never looks stale to the engine."""

from datetime import timedelta

from services.soc_bridge.bridge import SiteBridge
from services.soc_bridge.site_state import Quantity, Said, StandsBy
from shared.bus import Bus, MemoryBroker, Received
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import SiteTelemetry
from shared.service import Service
from shared.settings import BatterySettings, MqttSourceSettings
from shared.topics import SITE_TELEMETRY

BATTERY = BatterySettings(mqtt=MqttSourceSettings(preset="evcc"))


def test_an_answer_counts_although_a_word_from_before_the_question_has_waited(clock: VirtualClock) -> None:
    service = Service("soc_bridge", Bus(MemoryBroker().link(), clock, instance="bridge"), clock, runner=SteppedRunner())
    told: list[SiteTelemetry] = []
    service.on(SITE_TELEMETRY, lambda received: told.append(received.message) if received.message else None)
    bridge = SiteBridge(service, "home", BATTERY, "test")
    service.start()
    service.step()
    bridge.hear(Said(Quantity.STATE_OF_CHARGE, 80.0))
    clock.advance(0.1)
    asked_at = clock.now()
    clock.advance(0.1)
    bridge.hear(Said(Quantity.STATE_OF_CHARGE, 60.0, asked_at=asked_at))
    service.step()
    service.step()
    service.stop()
    assert told[-1].state_of_charge_percent == 60


def longest_age_seconds(clock: VirtualClock, stale_after: timedelta) -> float:
    """The oldest that a value, confirmed every second, ever looks to a listener within a minute."""
    broker = MemoryBroker()
    heard: list[Received[SiteTelemetry]] = []
    ear = Bus(broker.link(), clock, instance="ear")
    ear.subscribe(SITE_TELEMETRY, heard.append)
    ear.start()
    service = Service("soc_bridge", Bus(broker.link(), clock, instance="bridge"), clock, runner=SteppedRunner())
    bridge = SiteBridge(service, "home", BATTERY, "test", stale_after)
    service.start()
    service.step()
    bridge.hear(Said(Quantity.STATE_OF_CHARGE, 80.0))
    service.step()
    worst = timedelta()
    for _ in range(300):
        clock.advance(0.2)
        bridge.hear(StandsBy())
        service.step()
        telemetry = heard[-1].message
        assert telemetry is not None
        assert telemetry.confirmed_at is not None
        worst = max(worst, clock.now() - telemetry.confirmed_at)
    service.stop()
    return worst.total_seconds()


def test_a_short_stale_time_makes_it_speak_more_often(clock: VirtualClock) -> None:
    assert longest_age_seconds(clock, timedelta(seconds=4)) < 2


def test_otherwise_it_speaks_every_ten_seconds(clock: VirtualClock) -> None:
    assert 8 < longest_age_seconds(clock, timedelta(minutes=5)) < 12
