"""Home Assistant's states, in full (REST) and compressed (`subscribe_entities`), as words about the site. Pure.

Source of the compressed form: Home Assistant's websocket_api, `a` added, `c` changed (`+` new, `-` gone), `r` removed;
`s` is the state and `a` its attributes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.soc_bridge.site_state import Quantity, Said, Value
from services.soc_bridge.values import Unknown, parse_on_off, parse_percent, parse_power
from shared.messages import UnknownReason
from shared.settings import HomeAssistantSettings


@dataclass(frozen=True)
class Entity:
    """One entity as far as it matters here. `state` None: Home Assistant does not know this entity."""

    state: str | None
    unit: str | None = None


MISSING = Entity(None)
_NO_SUCH = Unknown(UnknownReason.NO_SUCH_SENSOR, "does not exist in Home Assistant.")


@dataclass(frozen=True)
class Wanted:
    """Which entity gives which quantity; one entity may give several."""

    entities: Mapping[Quantity, str]
    signs: Mapping[Quantity, int] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return list(dict.fromkeys(self.entities.values()))

    def words(self, entity_id: str, entity: Entity, asked_at: datetime | None = None) -> list[Said]:
        """What an entity says about the site."""
        return [
            Said(quantity, self._value(quantity, entity_id, entity), asked_at=asked_at)
            for quantity, of in self.entities.items()
            if of == entity_id
        ]

    def _value(self, quantity: Quantity, entity_id: str, entity: Entity) -> Value | Unknown:
        value = _NO_SUCH if entity.state is None else _parse(quantity, entity)
        if isinstance(value, Unknown):
            return value.of(entity_id)
        return value if quantity is Quantity.GRID_AVAILABLE else value * self.signs.get(quantity, 1)


def _parse(quantity: Quantity, entity: Entity) -> Value | Unknown:
    if quantity is Quantity.STATE_OF_CHARGE:
        return parse_percent(entity.state)
    if quantity is Quantity.GRID_AVAILABLE:
        return parse_on_off(entity.state)
    return parse_power(entity.state, entity.unit)


def wanted(settings: HomeAssistantSettings) -> Wanted:
    """The entities that the settings name, with the signs that make one convention of them."""
    entities = {quantity: getattr(settings, quantity) for quantity in Quantity}
    return Wanted(
        {quantity: entity for quantity, entity in entities.items() if entity is not None},
        {
            Quantity.BATTERY_POWER: 1 if settings.battery_power_sign == "charging_positive" else -1,
            Quantity.GRID_POWER: 1 if settings.grid_power_sign == "import_positive" else -1,
        },
    )


def full_state(answer: object) -> Entity | None:
    """An entity from REST's answer; None when the answer is not one."""
    if not isinstance(answer, dict) or not isinstance(answer.get("state"), str):
        return None
    return Entity(answer["state"], _unit(answer.get("attributes")))


def apply_event(known: dict[str, Entity], event: object) -> dict[str, Entity]:
    """What a compressed event changes, by entity. Raises ValueError for an event that is none."""
    if not isinstance(event, dict):
        message = "an event without content"
        raise ValueError(message)
    changed: dict[str, Entity] = {}
    for entity_id, compressed in _mapping(event.get("a")).items():
        changed[entity_id] = _entity(MISSING, _mapping(compressed))
    for entity_id, difference in _mapping(event.get("c")).items():
        changed[entity_id] = _entity(known.get(entity_id, MISSING), _mapping(_mapping(difference).get("+")))
    removed = event.get("r") or []
    for entity_id in removed if isinstance(removed, list) else []:
        changed[str(entity_id)] = MISSING
    return changed


def _entity(before: Entity, compressed: Mapping[str, Any]) -> Entity:
    state, attributes = compressed.get("s", before.state), _mapping(compressed.get("a"))
    if state is not None and not isinstance(state, str):
        message = "a state that is not a text"
        raise ValueError(message)
    return Entity(state, _unit(attributes) if "unit_of_measurement" in attributes else before.unit)


def _unit(attributes: object) -> str | None:
    unit = attributes.get("unit_of_measurement") if isinstance(attributes, dict) else None
    return unit if isinstance(unit, str) else None


def _mapping(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        message = "an event of another shape"
        raise ValueError(message)
    return value
