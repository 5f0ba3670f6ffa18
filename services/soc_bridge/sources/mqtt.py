"""MQTT as the source: values that are on a broker already, the farm's own or another."""

import json
import logging
from collections.abc import Callable
from functools import partial

from services.soc_bridge.json_path import read_payload
from services.soc_bridge.presets import PORTAL, Place, Plan, plan
from services.soc_bridge.site_state import Quantity, Said, Silent, StandsBy, Value
from services.soc_bridge.values import Unknown, parse_number, parse_on_off, parse_percent
from shared.bus import Arrival, BrokerAddress, Bus, Link, MqttLink, Packet
from shared.launch import address_of
from shared.messages import UnknownReason
from shared.settings import MqttSourceSettings, Secrets
from shared.station import Station

log = logging.getLogger(__name__)

KEEPALIVE_SECONDS = 30.0  # Venus stops publishing 60 s after the last one
_TEND_SECONDS = 2.0
_ALIVE_SECONDS = 1.0
_KEEPALIVE = json.dumps({"keepalive-options": ["suppress-republish"]}).encode()


def start(
    service: Station,
    settings: MqttSourceSettings,
    secrets: Secrets,
    hear: Callable[..., None],
    link_to: Callable[[BrokerAddress, str], Link] = MqttLink,
) -> None:
    """Listens on the farm's broker, or connects to the one that the settings name."""
    if settings.url is None:
        source = MqttSource(service, service.bus, plan(settings), hear)
        service.on_ready(source.connected)
        return
    address = address_of(settings.url, settings.username, secrets.get("SOURCE_MQTT_PASSWORD"))
    instance = f"{service.bus.instance[:56]}-source"
    bus = Bus(link_to(address, instance), service.clock, prefix=service.bus.prefix, instance=instance)
    source = MqttSource(service, bus, plan(settings), hear)
    service.spawn("other_broker", OtherBroker(service, source, bus, hear, str(address)))


class MqttSource:
    """Lives in the service's thread; what the link's thread calls only hands over."""

    def __init__(self, service: Station, bus: Bus, wanted: Plan, hear: Callable[..., None]) -> None:
        self._service = service
        self._bus = bus
        self._plan = wanted
        self._hear = hear
        self._portal: str | None = None
        self._alive_at_seconds = float("-inf")
        self._heard_since_keepalive = False
        self._kept_alive_at_seconds = float("-inf")
        self._others_said = False
        self._heard: list[Callable[[Arrival], None]] = []
        service.on_stop(lambda: bus.unsubscribe_raw(self._heard))
        if wanted.needs_portal:
            self._listen(f"{wanted.base.replace(PORTAL, '+')}/system/0/Serial", self._serial)
        else:
            self._subscribe("")
        if "N" in wanted.base.split("/"):
            service.every(_TEND_SECONDS, self._keep_alive)

    def connected(self) -> None:
        """The connection is new: a Venus device is asked for everything again."""
        self._heard_since_keepalive = False
        self._kept_alive_at_seconds = float("-inf")
        self._keep_alive()

    # --- in the link's thread

    def _serial(self, arrival: Arrival) -> None:
        levels = self._plan.base.split("/")
        portal = arrival.path.split("/")[levels.index(PORTAL)]
        self._service.soon(partial(self._learn, portal))

    def _arrived(self, quantity: Quantity, place: Place, arrival: Arrival) -> None:
        self._service.soon(partial(self._read, quantity, place, arrival))

    def _sign_of_life(self, arrival: Arrival) -> None:
        now = self._service.clock.seconds()
        if arrival.retained or now - self._alive_at_seconds < _ALIVE_SECONDS:
            return
        self._alive_at_seconds = now
        self._service.soon(self._lives)

    # --- in the service's thread

    def _learn(self, portal: str) -> None:
        if self._portal is None:
            log.info("the Venus device is portal %s", portal)
            self._portal = portal
            self._subscribe(portal)
            self.connected()
        elif portal != self._portal and not self._others_said:
            self._others_said = True
            log.warning("there is a second Venus device, portal %s; %s is used: set portal_id", portal, self._portal)

    def _subscribe(self, portal: str) -> None:
        for quantity, place in self._plan.places.items():
            self._listen(place.topic.replace(PORTAL, portal), partial(self._arrived, quantity, place))
        if self._plan.alive:
            self._listen(self._plan.alive.replace(PORTAL, portal), self._sign_of_life)

    def _listen(self, topic_filter: str, handler: Callable[[Arrival], None]) -> None:
        self._heard.append(handler)
        self._bus.subscribe_raw(topic_filter, handler)

    def _lives(self) -> None:
        self._heard_since_keepalive = True
        self._hear(StandsBy())

    def _read(self, quantity: Quantity, place: Place, arrival: Arrival) -> None:
        value = _value(quantity, place, arrival.payload)
        if isinstance(value, Unknown):
            value = value.of(arrival.path)
            self._service.counts.add("source_without_value")
        # What the broker remembers may be of any age.
        self._hear(Said(quantity, value, confirms=not arrival.retained))

    def _keep_alive(self) -> None:
        portal_known = self._portal is not None or not self._plan.needs_portal
        now = self._service.clock.seconds()
        if not portal_known or not self._bus.is_up() or now - self._kept_alive_at_seconds < KEEPALIVE_SECONDS:
            return
        self._kept_alive_at_seconds = now
        levels = self._plan.base.replace(PORTAL, self._portal or "").split("/")
        levels[levels.index("N")] = "R"
        # An empty one asks for all values anew; after that only for what changes.
        payload = _KEEPALIVE if self._heard_since_keepalive else b""
        self._heard_since_keepalive = False
        self._bus.publish_raw(Packet("/".join([*levels, "keepalive"]), payload, qos=0))


class OtherBroker:
    """A loop that keeps the connection to a broker which is not the farm's."""

    def __init__(self, service: Station, source: MqttSource, bus: Bus, hear: Callable[..., None], address: str) -> None:
        self._service = service
        self._source = source
        self._bus = bus
        self._hear = hear
        self._address = address
        self._started = False

    def step(self) -> float:
        if not self._started:
            self._started = True
            self._bus.start(announce=lambda: self._service.soon(self._source.connected))
            return _TEND_SECONDS
        self._bus.tend()
        if not self._bus.is_up():
            detail = f"The broker at {self._address} does not answer, or refuses us."
            self._hear(Silent(Unknown(UnknownReason.UNREACHABLE, detail)))
        return _TEND_SECONDS

    def close(self) -> None:
        self._bus.stop()


def _value(quantity: Quantity, place: Place, payload: bytes) -> Value | Unknown:
    said = read_payload(payload, place.steps)
    if isinstance(said, Unknown):
        return said
    if quantity is Quantity.GRID_AVAILABLE:
        return parse_on_off(said)
    number = parse_number(said)
    if isinstance(number, Unknown):
        return number
    scaled = number * place.scale
    return parse_percent(scaled) if quantity is Quantity.STATE_OF_CHARGE else parse_number(scaled)
