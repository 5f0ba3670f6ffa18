"""A place in a JSON value: keys with dots between them, `[0]` for an index, `[*]` for all items of a list. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

Step = str | int | None
"""A key, an index, or None for every item."""

KEY = "@key"
"""Instead of a place for a name: the key of the map that the row stands under."""

_STEP = re.compile(r"\.?([^.\[\]]+)|\.?\[(\d{1,6}|\*)\]")


@lru_cache(maxsize=512)
def parse_place(place: str) -> tuple[Step, ...]:
    """The steps of a place; none for the whole value. Raises ValueError with an example of the right form."""
    steps: list[Step] = []
    position = 0
    while position < len(place):
        found = _STEP.match(place, position)
        if found is None or (position == 0 and place.startswith(".")):
            message = f"{place!r} is not a place in JSON: write it like data.workers or stats[0].hashrate"
            raise ValueError(message)
        steps.append(found[1] if found[1] is not None else None if found[2] == "*" else int(found[2]))
        position = found.end()
    return tuple(steps)


def all_at(value: Any, place: str) -> list[Any]:
    """Everything that stands at a place; nothing where there is no such place."""
    found = [value]
    for step in parse_place(place):
        found = [item for one in found for item in _enter(one, step)]
    return found


def at(value: Any, place: str) -> Any:
    """What stands at a place, the first where there are several; None where there is nothing."""
    found = all_at(value, place)
    return found[0] if found else None


def rows_at(value: Any, place: str) -> list[tuple[str, Any]] | None:
    """The rows of a list or a map, each with its key ("" in a list). None where there is neither."""
    rows = at(value, place)
    if isinstance(rows, dict):
        return list(rows.items())
    return [("", row) for row in rows] if isinstance(rows, list) else None


def _enter(value: Any, step: Step) -> Sequence[Any]:
    if step is None:
        return value if isinstance(value, list) else ()
    if isinstance(step, int) and isinstance(value, list):
        return value[step : step + 1]
    return (value[str(step)],) if isinstance(value, dict) and str(step) in value else ()
