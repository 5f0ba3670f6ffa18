"""Keys of a miner as people type them: `stop_soc=73`, `plug.outlet=Rig 7`. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from deploy.console.editing.yaml_text import value_of


def value_from(text: str) -> Any:
    """73 is a number, true a flag, `[sat, sun]` a list; anything else is the text as it stands. Raises ValueError."""
    text = text.strip()
    if text[:1] in {'"', "'"}:
        return value_of(text)
    if text[:1] not in {"[", "{"} and "#" in text:
        return text  # no comment, but part of an alias such as Rig #7
    try:
        value = value_of(text)
    except ValueError:
        if text[:1] in {"[", "{"}:
            raise
        return text
    return value if isinstance(value, bool | int | float | list | dict) else text


def assigned(assignments: Iterable[str]) -> dict[str, Any]:
    """`key=value` of a command line, with places such as `plug.host`. Raises ValueError saying what is wrong."""
    found: dict[str, Any] = {}
    for assignment in assignments:
        key, sign, text = assignment.partition("=")
        if not sign or not key.strip() or not text.strip():
            message = f"{assignment!r} sets nothing: write key=value, such as stop_soc=73 or plug.host=192.168.1.50"
            raise ValueError(message)
        set_in(found, key.strip(), value_from(text))
    return found


def set_in(keys: dict[str, Any], place: str, value: Any) -> None:
    """Sets a value at a place with dots. Raises ValueError where something else stands on the way."""
    *way, last = place.split(".")
    for step in way:
        inner: object = keys.setdefault(step, {})
        if isinstance(inner, dict):
            keys = inner
        else:
            message = f"{place} cannot stand beside {step}: give one of the two"
            raise ValueError(message)
    keys[last] = value


def above(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and below it what goes for all; sections are joined key by key."""
    result = dict(defaults)
    for key, value in given.items():
        below = result.get(key)
        result[key] = above(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result
