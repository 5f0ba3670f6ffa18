"""How older Kasa devices hide their JSON: each byte is mixed with the one that was sent before it."""

import json
from typing import Any

_FIRST = 171
LENGTH_BYTES = 4


def hidden(plain: bytes) -> bytes:
    """As it goes over the wire, without its length."""
    before, mixed = _FIRST, bytearray()
    for byte in plain:
        before ^= byte
        mixed.append(before)
    return bytes(mixed)


def shown(mixed: bytes) -> bytes:
    """The plain text of what came over the wire."""
    return bytes(byte ^ before for before, byte in zip([_FIRST, *mixed], mixed, strict=False))


def framed(plain: bytes) -> bytes:
    """As it goes over TCP: its length in four bytes, the highest first, and the hidden text."""
    return len(plain).to_bytes(LENGTH_BYTES, "big") + hidden(plain)


def read_json(plain: bytes) -> Any:
    """The JSON of a text; None where it is none."""
    try:
        return json.loads(plain)
    except ValueError:
        return None
