import struct

import pytest
from paho.mqtt._packet import decode_publish
from paho.mqtt.enums import MQTTProtocolVersion

from shared.bus.publish import Publish, puback_at, publish_at

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


def packet(path: bytes, payload: bytes, *, first: int = 0x32, mid: int = 7, properties: bytes = b"") -> bytes:
    """A PUBLISH; `properties` with their length before them, as version 5 has them."""
    body = (
        struct.pack("!H", len(path)) + path + (struct.pack("!H", mid) if first & 0x06 else b"") + properties + payload
    )
    digits, length = bytearray(), len(body)
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([first]) + bytes(digits) + body


@pytest.mark.parametrize("size", [0, 1, 100, 200, 20_000, 2_100_000])
def test_a_message_of_any_length_is_read_where_it_stands(size: int) -> None:
    before, after = b"before", b"\x40\x02\x00\x07"
    data = before + packet(b"a/b", b"x" * size) + after
    found = publish_at(data, len(before), version_5=False)
    assert found == Publish("a/b", b"x" * size, False, 7, len(data) - len(after))


def test_retained_and_unacknowledged_messages_are_told_apart() -> None:
    retained = publish_at(packet(b"a", b"{}", first=0x33), 0, version_5=False)
    assert retained is not None
    assert (retained.retained, retained.mid) == (True, 7)
    light = publish_at(packet(b"a", b"{}", first=0x30), 0, version_5=False)
    assert light is not None
    assert (light.retained, light.mid, light.payload) == (False, 0, b"{}")


@pytest.mark.parametrize(
    "properties",
    [b"\x00", b"\x02\x01\x01", b"\x87\x01" + b"\x26" + b"\x00\x41" + b"k" * 65 + b"\x00\x41" + b"v" * 65 + b""],
)
def test_properties_of_version_5_are_stepped_over(properties: bytes) -> None:
    data = packet(b"a/b", b"payload", properties=properties)
    found = publish_at(data, 0, version_5=True)
    assert found is not None
    assert found.payload == b"payload"


@pytest.mark.parametrize("version", [V311, V5])
def test_it_reads_what_paho_reads(version: MQTTProtocolVersion) -> None:
    data = packet("süd/ost".encode(), b"{}", first=0x3B, properties=b"\x00" if version is V5 else b"")
    found, theirs = publish_at(data, 0, version_5=version is V5), decode_publish(data[0], data[2:], version)
    assert found is not None
    assert (found.path.encode(), found.payload) == (theirs.topic, theirs.payload)
    assert (found.retained, found.mid) == (theirs.retain, theirs.mid)


def test_a_packet_that_has_not_come_whole_is_left_for_later() -> None:
    data = packet(b"a/b", b"x" * 200, properties=b"\x00")
    for end in range(len(data)):
        assert publish_at(data[:end], 0, version_5=True) is None


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("another packet", b"\x40\x02\x00\x07"),
        ("exactly once", packet(b"a", b"{}", first=0x34)),
        ("a name that is no text", packet(b"\xff\xfe", b"{}")),
        ("a name longer than the packet", b"\x32\x05\x00\x09abc" + b"x" * 20),
        ("a length without end", b"\x32\xff\xff\xff\xff\x01" + b"x" * 20),
        ("properties longer than the packet", packet(b"a", b"", properties=b"\x10") + b"x" * 20),
    ],
)
def test_anything_else_is_left_to_paho(what: str, data: bytes) -> None:
    assert publish_at(data, 0, version_5=True) is None, what


@pytest.mark.parametrize(
    "packet_bytes",
    [
        b"\x40\x02\x01\x07",
        b"\x40\x03\x01\x07\x10",  # version 5: nobody has subscribed
        b"\x40\x04\x01\x07\x80\x00",
        b"\x40\x89\x01\x01\x07\x97\x84\x01" + b"\x1f\x00\x81" + b"r" * 129,
    ],
)
def test_an_acknowledgement_is_read_where_it_stands(packet_bytes: bytes) -> None:
    data = b"before" + packet_bytes + b"\x40\x02"
    assert puback_at(data, len(b"before")) == (0x0107, len(b"before") + len(packet_bytes))
    for end in range(len(packet_bytes)):
        assert puback_at(packet_bytes[:end], 0) is None, "it has not come whole"


@pytest.mark.parametrize("other", [b"\x50\x02\x00\x01", b"\x42\x02\x00\x01", b"\x40\x01\x00\x01", b"\x30\x02\x00\x00"])
def test_nothing_else_is_taken_for_an_acknowledgement(other: bytes) -> None:
    assert puback_at(other, 0) is None
