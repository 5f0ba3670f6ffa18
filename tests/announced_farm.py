"""Stands in for `services/ha_discovery`: announces a farm's entities to Home Assistant under exactly their names."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from deploy.home_assistant_kit.names import FARM, FORCE_ON_OPTIONS, Shown, group, miner, plug, worker
from shared.settings import FarmSettings
from tests.home_assistant_api import HomeAssistantApi
from tests.waiting import eventually

_BASE = "sunherd-kit"
_SITE = "kit"


@dataclass
class AnnouncedFarm:
    """Its entities, and a voice to say what state they are in."""

    api: HomeAssistantApi
    farm: FarmSettings
    entities: list[str] = field(default_factory=list)
    _topics: list[str] = field(default_factory=list)

    def announce(self) -> None:
        """Until Home Assistant has them all."""
        taken = {entity for _, parts in _devices(self.farm) for shown in parts for entity in shown.entities()}
        taken &= set(self.api.states())
        assert not taken, f"another announcement has these names already: {sorted(taken)}"
        for identifier, parts in _devices(self.farm):
            self._announce(identifier, list(parts))
        assert eventually(lambda: set(self.entities) <= set(self.api.states()), 20), self.missing()

    def missing(self) -> list[str]:
        """Of those that were announced."""
        return sorted(set(self.entities) - set(self.api.states()))

    def say(self, entity: str, state: str) -> None:
        """Until it is so in Home Assistant; "None" is unknown."""
        topic = f"{_BASE}/{entity}"
        self._topics.append(topic)
        self.api.publish(topic, state, retain=True)  # Home Assistant may not have subscribed yet
        shown = "unknown" if state == "None" else state
        assert eventually(lambda: self.api.state(entity) == shown), f"{entity}: {self.api.state(entity)}"

    def say_sentence(self, problem: str, sentence: str | None) -> None:
        """What a person is needed for, as an attribute of the problem; None takes it back."""
        topic = _attributes_topic(problem)
        self._topics.append(topic)
        self.api.publish(topic, json.dumps({"problem_sentence": sentence}), retain=True)
        asked = f"{{{{ state_attr('{problem}', 'problem_sentence') or '' }}}}"
        assert eventually(lambda: self.api.rendered(asked) == (sentence or ""))

    def device(self, identifier: str) -> str:
        """Home Assistant's own id of a device."""
        wanted = ["mqtt", _device_id(identifier)]
        devices = self.api.ask("config/device_registry/list")
        (found,) = [device["id"] for device in devices if wanted in device["identifiers"]]
        assert isinstance(found, str)
        return found

    def take_back(self) -> None:
        """Leaves nothing behind."""
        for topic in dict.fromkeys(self._topics):
            self.api.publish(topic, "", retain=True)

    def _announce(self, identifier: str, parts: list[Shown]) -> None:
        device = _device_id(identifier)
        components: dict[str, Any] = {}
        for shown in parts:
            for entity in shown.entities():
                components[entity.replace(".", "_")] = _component(device, entity, shown)
                self.entities.append(entity)
        payload = {"dev": {"identifiers": [device], "name": identifier}, "o": {"name": "kit"}, "cmps": components}
        topic = f"homeassistant/device/{device}/config"
        self._topics.append(topic)
        self.api.publish(topic, json.dumps(payload))


def command_topic(entity: str) -> str:
    """Where Home Assistant says what a person has done with it."""
    return f"{_BASE}/{entity}/set"


def _attributes_topic(entity: str) -> str:
    return f"{_BASE}/{entity}/attributes"


def _device_id(identifier: str) -> str:
    farm = f"sunherd_{_SITE}"
    return farm if identifier == FARM.identifier else f"{farm}_{identifier.replace(' ', '_')}"


def _devices(farm: FarmSettings) -> Iterator[tuple[str, Iterable[Shown]]]:
    yield FARM.identifier, [FARM]
    for name, settings in farm.miners.items():
        yield name, [miner(name), *([worker(name)] if settings.worker is not None else [])]
        if settings.plug is not None:
            yield f"{name} plug", [plug(name)]
    for name in farm.groups:
        yield name, [group(name)]


def _component(device: str, entity: str, shown: Shown) -> dict[str, Any]:
    domain, _, name = entity.partition(".")
    key = name.removeprefix(f"{shown.slug}_")
    described: dict[str, Any] = {
        "p": domain,
        "unique_id": f"{device}_{domain}_{key}",
        "object_id": name,
        "default_entity_id": entity,
        "name": key,
        "state_topic": f"{_BASE}/{entity}",
    }
    if domain in {"switch", "number", "select", "button"}:
        described["command_topic"] = command_topic(entity)
    match domain:
        case "switch" | "binary_sensor":
            described |= {"payload_on": "on", "payload_off": "off"}
            if key == "problem":
                described |= {"device_class": "problem", "json_attributes_topic": _attributes_topic(entity)}
        case "number":
            described |= {"min": 0, "max": 100_000}
        case "select":
            described["options"] = list(FORCE_ON_OPTIONS) if key == "force_on" else ["normal", "quiet"]
        case "button":
            described |= {"payload_press": "press"}
            del described["state_topic"]
        case "event":
            described["event_types"] = ["happened"]
        case _:
            pass
    return described
