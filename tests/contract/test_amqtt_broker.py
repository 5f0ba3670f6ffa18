"""The broker of last resort: what we mended in it, and what its memory survives."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.amqtt_broker import MIRROR_FILE, read_mirror, write_mirror
from shared.bus import Arrival, Bus, MqttLink, Packet
from shared.clock import SystemClock
from tests.brokers import Real, start
from tests.waiting import eventually


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Real]:
    running = start("amqtt", tmp_path)
    assert isinstance(running, Real)
    yield running
    running.stop()


def bus_on(broker: Real, name: str) -> Bus:
    return Bus(MqttLink(broker.address(), name), SystemClock(), instance=name)


def remember(broker: Real, count: int) -> None:
    writer, seen = bus_on(broker, "writer"), list[Arrival]()
    writer.subscribe_raw("memory/#", seen.append)
    writer.start()
    assert eventually(writer.is_synced)
    for number in range(count):
        writer.publish_raw(Packet(f"memory/{number}", b"x" * 300, retain=True))
    assert eventually(lambda: len(seen) == count)
    writer.stop()


def test_nobody_gets_memory_that_he_did_not_ask_for(broker: Real) -> None:
    remember(broker, 50)
    asking, asked = bus_on(broker, "asking"), list[Arrival]()
    asking.subscribe_raw("memory/#", asked.append)
    asking.start()
    assert eventually(asking.is_synced)

    strays = list[Arrival]()
    other = bus_on(broker, "other")
    other.subscribe_raw("elsewhere/#", lambda _arrival: None)
    other._raw.append(("#", strays.append))  # sees all that arrives without asking the broker for it
    other.start()
    assert eventually(other.is_synced)

    assert len(asked) == 50
    assert [stray.path for stray in strays if stray.path.startswith("memory/")] == []
    asking.stop()
    other.stop()


def test_a_large_memory_arrives_whole(broker: Real) -> None:
    remember(broker, 1500)
    late, seen, at_sync = bus_on(broker, "late"), list[Arrival](), list[int]()
    late.subscribe_raw("memory/#", seen.append)
    late.start(on_synced=lambda: at_sync.append(len(seen)))
    assert eventually(late.is_synced)
    assert at_sync == [1500]
    late.stop()


def test_a_killed_broker_remembers_what_is_older_than_a_moment(broker: Real, tmp_path: Path) -> None:
    remember(broker, 3)
    file = tmp_path / MIRROR_FILE
    assert eventually(lambda: file.exists() and len(read_mirror(file)) == 3)
    broker.kill()
    assert eventually(lambda: not broker.running.alive())

    broker.restart()

    late, seen = bus_on(broker, "late"), list[Arrival]()
    late.subscribe_raw("memory/#", seen.append)
    late.start()
    assert eventually(late.is_synced)
    assert sorted(got.path for got in seen) == ["memory/0", "memory/1", "memory/2"]
    late.stop()


def test_noise_on_the_port_disturbs_nobody(broker: Real) -> None:
    for noise in (b"", b"\x10", b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", broker.running.port)) as raw:
            raw.sendall(noise)
    remember(broker, 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": ["???", 1]}', '{"a": ["eA==", "x"]}', "null"])
def test_a_damaged_mirror_is_no_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    file = tmp_path / MIRROR_FILE
    file.write_text(text)
    assert read_mirror(file) == {}
    assert "is damaged" in caplog.text


def test_a_mirror_is_private_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / MIRROR_FILE
    assert read_mirror(file) == {}
    write_mirror(file, {"a/b": (b"\x00\xff", 1)})
    assert read_mirror(file) == {"a/b": (b"\x00\xff", 1)}
    assert file.stat().st_mode & 0o077 == 0
    assert list(json.loads(file.read_text())) == ["a/b"]
