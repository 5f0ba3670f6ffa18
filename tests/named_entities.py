"""What a dashboard names: every entity in its cards, and those that its templates put together."""

import re
from collections.abc import Iterator
from typing import Any

_ASKED = re.compile(r"state(?:s|_attr)\('([a-z_]+\.[a-z0-9_]+)'")
_OF_EACH_MINER = re.compile(r'"([a-z0-9_]+)": "')


def entities_in(dashboard: Any) -> set[str]:
    """Their ids."""
    return {entity for key, value in _pairs(dashboard) for entity in _named(key, value)}


def markdown_in(dashboard: Any) -> list[str]:
    """The text of each markdown card."""
    return [str(value) for key, value in _pairs(dashboard) if key == "content"]


def _named(key: str, value: Any) -> Iterator[str]:
    if key in {"entity", "entity_id"} and isinstance(value, str):
        yield value
    elif key == "content":
        yield from _ASKED.findall(value)
        for slug in _OF_EACH_MINER.findall(value):
            yield f"binary_sensor.{slug}_problem"
            yield f"sensor.{slug}_why"


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key, item
            yield from _pairs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _pairs(item)
