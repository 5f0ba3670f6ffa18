"""A place in a JSON value: keys with dots between them and indexes in brackets, such as `battery[0].soc`. Pure."""

import json
import re
from typing import Any

from services.soc_bridge.values import Unknown, shown
from shared.messages import UnknownReason

PAYLOAD_BYTES_MAX = 65_536

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,6})\]")


def parse_path(path: str) -> tuple[str | int, ...]:
    """The steps of a path. Raises ValueError with an example of the right form."""
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None or (position == 0 and path.startswith(".")):
            message = f"{path!r} is not a path into JSON: write it like battery.soc or values[0].soc"
            raise ValueError(message)
        steps.append(found[1] if found[1] is not None else int(found[2]))
        position = found.end()
    return tuple(steps)


def read_payload(payload: bytes, steps: tuple[str | int, ...]) -> Any:
    """The text of a payload, or what stands at a place in its JSON; Unknown says why there is nothing."""
    if not payload:
        return Unknown(UnknownReason.UNAVAILABLE, "has gone: its payload is empty")
    if len(payload) > PAYLOAD_BYTES_MAX:
        return Unknown(UnknownReason.NOT_A_NUMBER, f"sent {len(payload)} bytes, which is too long")
    try:
        text = payload.decode()
        return text if not steps else _walk(json.loads(text), steps)
    except (ValueError, RecursionError):
        kind = "JSON" if steps else "text"
        return Unknown(UnknownReason.NOT_A_NUMBER, f"sent {shown(payload)}, which is no {kind}")


def _walk(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        elif isinstance(value, dict) and str(step) in value:
            value = value[str(step)]
        else:
            return Unknown(UnknownReason.UNKNOWN, f"has no {step!r} in its JSON")
    return value
