"""The two packets of which thousands come: PUBLISH, and PUBACK for each of ours, read where they stand. Pure.

Source: MQTT 3.1.1 and 5, sections 3.3 and 3.4.
"""

from typing import NamedTuple

_PUBLISH, _KIND = 0x30, 0xF0
_PUBACK, _MID_BYTES = 0x40, 2
_QOS_2, _QOS, _RETAIN = 0x04, 0x06, 0x01
_MORE, _LOW_BITS = 0x80, 0x7F
_LENGTH_BYTES_MAX = 4


class Publish(NamedTuple):
    """A message, and where the packet after it begins. `mid` 0: nothing to acknowledge."""

    path: str
    payload: bytes
    retained: bool
    mid: int
    end: int


def publish_at(data: bytes, start: int, *, version_5: bool) -> Publish | None:
    """The PUBLISH of QoS 0 or 1 that stands whole and well-formed at this place; None for anything else."""
    if len(data) <= start or data[start] & _KIND != _PUBLISH or data[start] & _QOS_2:
        return None
    first, body = data[start], _number_at(data, start + 1)
    if body is None:
        return None
    length, place = body
    end = place + length
    name = place + 2 + int.from_bytes(data[place : place + 2], "big")
    rest = name + 2 if first & _QOS else name
    properties = _number_at(data, rest) if version_5 else (0, rest)
    if end > len(data) or properties is None:
        return None
    payload = properties[0] + properties[1]
    if payload > end:
        return None
    try:
        path = data[place + 2 : name].decode()
    except UnicodeDecodeError:
        return None
    mid = int.from_bytes(data[name:rest], "big")
    return Publish(path, data[payload:end], bool(first & _RETAIN), mid, end)


def puback_at(data: bytes, start: int) -> tuple[int, int] | None:
    """What the PUBACK that stands whole at this place acknowledges, and where it ends; None for anything else.

    Reason and properties of version 5 are stepped over: whatever a broker says, it will say no more of the message.
    """
    if len(data) <= start or data[start] != _PUBACK:
        return None
    body = _number_at(data, start + 1)
    if body is None or body[0] < _MID_BYTES:
        return None
    length, place = body
    end = place + length
    return None if end > len(data) else (int.from_bytes(data[place : place + _MID_BYTES], "big"), end)


def _number_at(data: bytes, place: int) -> tuple[int, int] | None:
    """A number of variable length, and where it ends; None where it does not. Source: section 1.5.5."""
    number = 0
    for index, byte in enumerate(data[place : place + _LENGTH_BYTES_MAX]):
        number |= (byte & _LOW_BITS) << 7 * index
        if not byte & _MORE:
            return number, place + index + 1
    return None
