"""Home Assistant's states as its two doors show them: in full over REST, compressed over the push. No sockets here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

UNAVAILABLE = "unavailable"

Json = dict[str, Any]


@dataclass(frozen=True)
class State:
    """One entity. `state` is always a text."""

    entity_id: str
    state: str
    attributes: Mapping[str, Any]
    last_changed: datetime
    last_updated: datetime
    context: str

    def full(self) -> Json:
        """As GET /api/states/<id> answers."""
        return {
            "entity_id": self.entity_id,
            "state": self.state,
            "attributes": dict(self.attributes),
            "last_changed": self.last_changed.isoformat(),
            "last_reported": self.last_updated.isoformat(),
            "last_updated": self.last_updated.isoformat(),
            "context": {"id": self.context, "parent_id": None, "user_id": None},
        }

    def compressed(self) -> Json:
        """As the first event of `subscribe_entities` has it."""
        shown: Json = {
            "s": self.state,
            "a": dict(self.attributes),
            "c": self.context,
            "lc": self.last_changed.timestamp(),
        }
        if self.last_updated != self.last_changed:
            shown["lu"] = self.last_updated.timestamp()
        return shown


class StateBoard:
    """All entities. Not thread-safe: whoever serves it holds a lock."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._contexts = 0

    def set(self, entity_id: str, state: str, attributes: Mapping[str, Any], now: datetime) -> Json | None:
        """Writes a state; returns the event for those who listen, or None where nothing has changed."""
        before = self._states.get(entity_id)
        if before is not None and before.state == state and before.attributes == attributes:
            return None
        self._contexts += 1
        moved = before is None or before.state != state
        changed_at = now if before is None or moved else before.last_changed
        after = State(entity_id, state, dict(attributes), changed_at, now, f"{self._contexts:026d}")
        self._states[entity_id] = after
        if before is None:
            return {"a": {entity_id: after.compressed()}}
        return {"c": {entity_id: _difference(before, after)}}

    def remove(self, entity_id: str) -> Json | None:
        """Forgets an entity; returns the event, or None where there was none."""
        return None if self._states.pop(entity_id, None) is None else {"r": [entity_id]}

    def get(self, entity_id: str) -> State | None:
        return self._states.get(entity_id)

    def all(self) -> list[State]:
        return list(self._states.values())

    def first_event(self, entity_ids: Iterable[str] | None) -> Json:
        """What a new subscription is told: the entities that exist; of the others there is no word."""
        wanted = self._states if entity_ids is None else [name for name in entity_ids if name in self._states]
        return {"a": {entity_id: self._states[entity_id].compressed() for entity_id in wanted}}


def _difference(before: State, after: State) -> Json:
    plus: Json = {"c": after.context}
    if before.state != after.state:
        plus |= {"s": after.state, "lc": after.last_changed.timestamp()}
    else:
        plus["lu"] = after.last_updated.timestamp()
    new = {name: value for name, value in after.attributes.items() if before.attributes.get(name) != value}
    if new:
        plus["a"] = new
    gone = [name for name in before.attributes if name not in after.attributes]
    return {"+": plus, "-": {"a": gone}} if gone else {"+": plus}


def only(event: Json, entity_ids: frozenset[str] | None) -> Json | None:
    """The part of an event that a subscription asked for; None when it asked for none of it."""
    if entity_ids is None:
        return event
    part: Json = {}
    for kind, content in event.items():
        if isinstance(content, dict):
            kept: Any = {name: value for name, value in content.items() if name in entity_ids}
        else:
            kept = [name for name in content if name in entity_ids]
        if kept:
            part[kind] = kept
    return part or None
