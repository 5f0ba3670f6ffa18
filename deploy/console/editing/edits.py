"""What may be changed in a farm file, and what the file says afterwards. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Place = tuple[str, ...]


class EditError(Exception):
    """`str(error)` is for people: what is wrong, then `Fix: ...`."""


@dataclass(frozen=True)
class Put:
    """Sets keys in the section at a place. Sections on the way are made where they are not there."""

    place: Place
    entries: Mapping[str, Any]


@dataclass(frozen=True)
class Drop:
    """Takes keys out of the section, or words out of the list, at a place."""

    place: Place
    names: frozenset[str]


@dataclass(frozen=True)
class Join:
    """Adds words at the end of the list at a place."""

    place: Place
    words: tuple[str, ...]


Edit = Put | Drop | Join


def told(place: Place) -> str:
    """A place as the owner reads it."""
    return ".".join(place) or "the file"


def expected(data: Mapping[str, Any], edits: Sequence[Edit]) -> Any:
    """What the file shall say. Raises EditError where a place is not what the edit needs."""
    result = _copied(data)
    for edit in edits:
        if isinstance(edit, Put):
            _section(result, edit.place).update(_copied(edit.entries))
            continue
        parent = _there(result, edit.place)
        if isinstance(edit, Join) and isinstance(parent, list):
            parent.extend(edit.words)
        elif isinstance(edit, Drop) and isinstance(parent, dict):
            for name in edit.names:
                parent.pop(name, None)
        elif isinstance(edit, Drop) and isinstance(parent, list):
            parent[:] = [word for word in parent if str(word) not in edit.names]
        else:
            message = f"{told(edit.place)} is not a list or a section. Fix: correct the file by hand."
            raise EditError(message)
    return result


def _section(data: dict[str, Any], place: Place) -> dict[str, Any]:
    current = data
    for step in place:
        if current.get(step) is None:
            current[step] = {}
        current = current[step]
        if not isinstance(current, dict):
            message = f"{told(place)} cannot be set: {step} is no section. Fix: correct the file by hand."
            raise EditError(message)
    return current


def _there(data: Any, place: Place) -> Any:
    current = data
    for step in place:
        current = current.get(step) if isinstance(current, dict) else None
    return current


def _copied(value: Any) -> Any:
    """A copy in which nothing is shared: what two aliases share in YAML must not change in both unseen."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    return value
