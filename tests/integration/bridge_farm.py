"""A bridge between a stand-in for Home Assistant and a broker in memory, driven by the test's own thread."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.simulator.home_assistant import HomeAssistantStandIn
from services.soc_bridge.wiring import build
from shared.bus import Arrival, Bus, MemoryBroker
from shared.bus.link import LinkListener, Packet
from shared.clock import SystemClock
from shared.launch import Context
from shared.messages import Event, SiteTelemetry
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from tests.waiting import eventually

TOKEN = "a-long-lived-token"
SOC = "sensor.battery_soc"
PERCENT = {"unit_of_measurement": "%", "device_class": "battery"}
WATTS = {"unit_of_measurement": "W", "device_class": "power"}


class Ear(LinkListener):
    """Keeps all that the bridge publishes."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.telemetry: list[SiteTelemetry] = []
        self.events: list[Event] = []
        self.packets: list[Packet] = []
        self.link = broker.link()
        self.link.start(self, None)
        self.link.subscribe([("#", 0)])

    def link_up(self) -> None: ...

    def link_down(self) -> None: ...

    def link_arrival(self, arrival: Arrival) -> None:
        self.packets.append(Packet(arrival.path, arrival.payload))
        if arrival.path == "sunherd/site/home/telemetry" and not arrival.retained:
            self.telemetry.append(SiteTelemetry.model_validate_json(arrival.payload))
        if arrival.path.startswith("sunherd/service/") and arrival.path.endswith("/event"):
            self.events.append(Event.model_validate_json(arrival.payload))


class BridgeFarm:
    """One bridge process, so to say. `battery` is the farm file's section."""

    def __init__(
        self,
        battery: dict[str, Any],
        broker: MemoryBroker | None = None,
        wire: Callable[[Context], bool] = build,
        **secrets: str,
    ) -> None:
        self.broker = broker or MemoryBroker()
        self.ear = Ear(self.broker)
        self.clock = SystemClock()
        bus = Bus(self.broker.link(), self.clock, instance="soc_bridge-test")
        self.service = Service("soc_bridge", bus, self.clock)
        farm = FarmSettings.model_validate({"battery": battery})
        known = Secrets({"HA_TOKEN": TOKEN, **secrets}, {}, Path("/nonexistent"))
        assert wire(Context(self.service, farm, known))
        self.service.start()

    @property
    def now(self) -> SiteTelemetry:
        return self.ear.telemetry[-1]

    def codes(self) -> list[str]:
        return [event.code for event in self.ear.events]

    def until(self, wanted: Callable[[SiteTelemetry], object], seconds: float = 5.0) -> SiteTelemetry:
        """Steps the service until the newest telemetry is as wanted, and returns it."""

        def look() -> bool:
            self.service.step()
            return bool(self.ear.telemetry) and bool(wanted(self.now))

        assert eventually(look, seconds), f"last: {self.ear.telemetry[-1:]}"
        return self.now

    def for_seconds(self, seconds: float) -> None:
        eventually(lambda: self.service.step() < 0, seconds)

    def stop(self) -> None:
        self.service.stop()


def home_assistant(clock: SystemClock | None = None) -> HomeAssistantStandIn:
    """A stand-in that knows a battery at 80 %."""
    stand_in = HomeAssistantStandIn(token=TOKEN, clock=clock or SystemClock())
    stand_in.set_state(SOC, "80.0", PERCENT)
    stand_in.start()
    return stand_in


def battery_of(stand_in: HomeAssistantStandIn, **settings: object) -> dict[str, Any]:
    """The battery section for a stand-in; `unconfirmed_after` and `max_unchanged` go where they belong."""
    outer: dict[str, Any] = {
        name: settings.pop(name) for name in ("unconfirmed_after", "max_unchanged") if name in settings
    }
    section = {"url": stand_in.url, "state_of_charge": SOC, "poll": "0.2 s", **settings}
    return {"home_assistant": section, **outer}


def packet(path: str, value: object, *, retain: bool = False) -> Packet:
    """A packet with a JSON value, or with a text or bytes as they are."""
    if isinstance(value, bytes):
        return Packet(path, value, retain=retain)
    return Packet(path, (value if isinstance(value, str) else json.dumps(value)).encode(), retain=retain)
