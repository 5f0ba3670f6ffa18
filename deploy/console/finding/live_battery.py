"""Looks at the battery's source: each entity of Home Assistant, or each topic, and what it says at this moment."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

from deploy.console.finding.finding import Finding, Looked, wrong
from deploy.console.finding.home_assistant import HomeAssistant, HomeAssistantError, Told
from deploy.console.finding.live_broker import Complaints
from services.soc_bridge.json_path import read_payload
from services.soc_bridge.presets import PORTAL, Place, plan
from services.soc_bridge.site_state import Quantity
from services.soc_bridge.sources.entities import MISSING, Wanted, full_state, wanted
from services.soc_bridge.values import Unknown, parse_number, parse_percent
from shared.bus import Arrival, BrokerAddress, Bus, MqttLink
from shared.clock import Clock
from shared.inbox import Inbox
from shared.settings import BatterySettings, HomeAssistantSettings, MqttSourceSettings

_KIND = "battery"
MQTT_SECONDS = 8.0


def look_at_home_assistant(battery: BatterySettings, token: str, clock: Clock) -> Looked:
    """Asks for each entity in turn, and for the time."""
    settings = battery.home_assistant
    if settings is None:
        return Looked(())
    entities, findings, ahead = wanted(settings), [], {}
    with HomeAssistant(settings.url, token, clock) as home_assistant:
        for entity_id in entities.ids:
            try:
                told = home_assistant.state(entity_id)
            except HomeAssistantError as error:
                # What is wrong with it as a whole is wrong with every entity: it is said once.
                return wrong(_KIND, "home_assistant", str(error), error.fix)
            if told.now_there is not None:
                ahead["Home Assistant"] = told.now_there - clock.now()
            findings += list(_entity(entity_id, told, _Judge(entities, settings, battery.max_unchanged, clock)))
    return Looked(tuple(findings), ahead)


@dataclass(frozen=True)
class _Judge:
    wanted: Wanted
    settings: HomeAssistantSettings
    max_unchanged: timedelta
    clock: Clock


def _entity(entity_id: str, told: Told, judge: _Judge) -> Iterator[Finding]:
    entity = full_state(told.body) if told.status == HTTPStatus.OK else MISSING
    for word in judge.wanted.words(entity_id, entity or MISSING):
        quantity, value = word.quantity, word.value
        name = f"{quantity} {entity_id}"
        if isinstance(value, Unknown):
            fix = f"correct battery.home_assistant.{quantity}: Home Assistant lists states under developer tools"
            yield Finding(_KIND, name, value.detail, fix)
            continue
        age = _age(told, judge.clock)
        shown = "" if age is None else f", told {_shown(age)} ago"
        said = f"{_value(quantity, value)}{shown}"
        if age is not None and age > judge.max_unchanged:
            yield Finding(_KIND, name, said, "look whether the sensor is frozen: nothing new has come for so long")
        else:
            yield Finding(_KIND, name, said if age is not None else f"{said}, it does not tell since when")


def look_at_topics(
    settings: MqttSourceSettings, address: BrokerAddress, clock: Clock, complaints: Complaints
) -> Looked:
    """Waits some seconds for the state of charge on its topic. Asks for nothing and publishes nothing there."""
    wishes = plan(settings)
    place = wishes.places.get(Quantity.STATE_OF_CHARGE)
    if place is None:
        return wrong(_KIND, "mqtt", "no topic for the state of charge", "set battery.mqtt.state_of_charge")
    topic = place.topic.replace(PORTAL, "+")
    name = f"check-{os.getpid()}-source"
    bus = Bus(MqttLink(address, name), clock, instance=name)
    heard: list[float | Unknown] = []
    inbox = Inbox(events_kept=1)
    bus.subscribe_raw(topic, partial(_hear, place, heard, inbox))
    bus.start()
    try:
        begun = clock.seconds()
        while not heard and clock.seconds() - begun < MQTT_SECONDS and str(address) not in complaints.said:
            inbox.wait(0.1)
    finally:
        bus.stop()
    if not heard:
        silence = f"nothing has come on {topic} within {MQTT_SECONDS:g} s"
        said, _, fix = complaints.said.get(str(address), silence).partition(". Fix: ")
        return wrong(_KIND, f"mqtt {address}", said, fix or "look at battery.mqtt, and at the topic itself")
    value = heard[-1]
    if isinstance(value, Unknown):
        return wrong(_KIND, f"mqtt {topic}", value.detail, "correct battery.mqtt.state_of_charge")
    return Looked((Finding(_KIND, f"mqtt {topic}", _value(Quantity.STATE_OF_CHARGE, value)),))


def _hear(place: Place, heard: list[float | Unknown], inbox: Inbox, arrival: Arrival) -> None:
    raw = read_payload(arrival.payload, place.steps)
    number = raw if isinstance(raw, Unknown) else parse_number(raw)
    heard.append(number if isinstance(number, Unknown) else parse_percent(number * place.scale))
    inbox.ring()


def _age(told: Told, clock: Clock) -> timedelta | None:
    """By Home Assistant's own clock where it tells the time, so that two clocks do not look like an old value."""
    body = told.body if isinstance(told.body, dict) else {}
    text = body.get("last_reported") or body.get("last_updated")
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(timedelta(0), (told.now_there or clock.now()) - moment)


def _value(quantity: Quantity, value: float | bool) -> str:
    if isinstance(value, bool):
        return "there" if value else "not there"
    return f"{value:g} %" if quantity is Quantity.STATE_OF_CHARGE else f"{value:g} W"


def _shown(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"  # noqa: PLR2004 - two hours
