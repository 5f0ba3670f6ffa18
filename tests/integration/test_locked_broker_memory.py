"""What the bundled broker keeps, and what it does when it cannot: on a real mosquitto with the committed settings."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.topics import Identity
from tests.locked_broker import AUDITOR, COMMITTED, Client, LockedBroker
from tests.waiting import eventually

STOP = "sunherd/site/home/emergency_stop"
PAYLOAD = b"x" * 1500
"""As long as the telemetry of a miner."""
DISK_BYTES = 2_000_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LockedBroker]:
    running = LockedBroker(tmp_path)
    yield running
    running.stop()


def settle(auditor: Client, topic: str) -> None:
    """Returns when the broker has taken everything that the auditor has published."""
    auditor.subscribe(topic)
    auditor.publish(topic, b"taken")
    assert eventually(lambda: auditor.has_heard(topic, b"taken"), 60)


def test_ten_thousand_retained_messages_reach_one_subscriber_of_all(broker: LockedBroker) -> None:
    broker.start()
    with closing(broker.client(AUDITOR)) as auditor, closing(broker.client(Identity.POLICY_ENGINE)) as engine:
        paths = {f"sunherd/miner/m{number}/telemetry" for number in range(10_000)}
        for path in paths:
            auditor.publish(path, PAYLOAD, retain=True)
        settle(auditor, "sunherd/miner/last/event")

        engine.subscribe("sunherd/miner/+/telemetry")

        assert eventually(lambda: len(engine.retained) >= 10_000, 60), len(engine.retained)
        assert {topic for topic, _ in engine.retained} == paths
        assert "dropped" not in broker.said()


def test_a_message_of_megabytes_is_not_passed_on(broker: LockedBroker) -> None:
    broker.start()
    with closing(broker.client(AUDITOR)) as auditor, closing(broker.client(Identity.PEOPLE)) as person:
        auditor.subscribe("sunherd/#")
        person.publish("sunherd/miner/s19-20/override", b"x" * 1_000_000)
        assert eventually(lambda: len(auditor.heard) == 1, 20)
        person.publish("sunherd/miner/s19-20/override", b"x" * 2_000_000)
        with closing(broker.client(Identity.PEOPLE, "another")) as other:
            other.publish("sunherd/miner/s19-21/override", b"small")
            assert eventually(lambda: auditor.has_heard("sunherd/miner/s19-21/override", b"small"), 20)
        assert [len(payload) for _, payload in auditor.heard] == [1_000_000, 5]


def test_it_saves_well_within_half_a_minute_as_it_is_committed() -> None:
    text = (COMMITTED / "mosquitto.conf").read_text(encoding="utf-8")
    found = re.search(r"^autosave_interval (\d+)$", text, re.MULTILINE)
    assert found is not None
    assert 0 < int(found[1]) <= 20
    assert "autosave_on_changes true" not in text


def test_an_emergency_stop_outlives_a_power_cut_soon_after_it(tmp_path: Path) -> None:
    broker = LockedBroker(tmp_path, autosave_interval="1")
    try:
        broker.start()
        with closing(broker.client(Identity.PEOPLE)) as person:
            person.publish(STOP, b"stop!", retain=True)
            # Looked for in the file itself: it was told before the power went.
            assert eventually(lambda: b"stop!" in _memory_of(broker), 30)
        broker.stop(signal.SIGKILL)
        broker.start()
        with closing(broker.client(Identity.VNISH_AGENT)) as agent:
            agent.subscribe(STOP)
            assert eventually(lambda: (STOP, b"stop!") in agent.retained, 20)
    finally:
        broker.stop()


def _memory_of(broker: LockedBroker) -> bytes:
    file = broker.data / "mosquitto.db"
    return file.read_bytes() if file.exists() else b""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True, timeout=10).returncode != 0:
        pytest.skip("NOT ROOT, OR NO RIGHT TO MOUNT: the broker's full disk is not tested")
    yield place
    subprocess.run(["umount", str(place)], check=True, timeout=10)


def test_a_full_disk_stops_no_message_and_is_told_and_once_there_is_room_all_is_saved(
    tmp_path: Path, small_disk: Path
) -> None:
    broker = LockedBroker(tmp_path, autosave_interval="1")
    broker.data.rmdir()
    broker.data.symlink_to(small_disk)
    broker.start()
    filler = small_disk / "filler"
    try:
        with closing(broker.client(AUDITOR)) as auditor, closing(broker.client(Identity.VNISH_AGENT)) as agent:
            agent.subscribe("sunherd/miner/+/command", STOP)
            auditor.publish("sunherd/miner/s19-20/command", b"before", retain=True)
            for number in range(100):  # more than the C library buffers: see the damaged memory below
                auditor.publish(f"sunherd/miner/m{number}/telemetry", PAYLOAD, retain=True)
            assert eventually(lambda: b"before" in _memory_of(broker) and b"/m99/" in _memory_of(broker), 30)
            _fill(filler)

            auditor.publish(STOP, b"stop! " + PAYLOAD, retain=True)
            assert eventually(lambda: "No space left on device" in broker.said(), 30), broker.said()
            auditor.publish("sunherd/miner/s19-20/command", b"while full", retain=True)

            assert eventually(lambda: agent.has_heard("sunherd/miner/s19-20/command", b"while full"), 20)
            assert agent.has_heard(STOP, b"stop! " + PAYLOAD)
            assert broker.process is not None
            assert broker.process.poll() is None
            # What was saved last is still there and whole: half a file never takes its place.
            assert b"before" in _memory_of(broker)

            filler.unlink()
            assert eventually(lambda: b"stop! " in _memory_of(broker) and b"while full" in _memory_of(broker), 30)
    finally:
        filler.unlink(missing_ok=True)
        broker.stop()


def test_a_disk_that_is_full_at_the_start_keeps_nobody_from_logging_in(tmp_path: Path, small_disk: Path) -> None:
    broker = LockedBroker(tmp_path)
    broker.data.rmdir()
    broker.data.symlink_to(small_disk)
    _fill(small_disk / "filler")
    broker.start()
    try:
        with closing(broker.client(Identity.PEOPLE)) as person:
            person.subscribe(STOP)
            person.publish(STOP, b"stop!")
            assert eventually(lambda: person.has_heard(STOP, b"stop!"), 20)
    finally:
        broker.stop()


@pytest.mark.parametrize("bytes_kept", [10, 1000, -1000])
def test_a_memory_that_is_not_whole_is_put_aside_and_told(broker: LockedBroker, bytes_kept: int) -> None:
    """A mosquitto whose last write met a full disk leaves such a file, and would never start again."""
    broker.start()
    with closing(broker.client(AUDITOR)) as auditor:
        for number in range(20):
            auditor.publish(f"sunherd/miner/m{number}/telemetry", PAYLOAD, retain=True)
        settle(auditor, "sunherd/miner/last/event")
    broker.stop()
    whole = _memory_of(broker)
    (broker.data / "mosquitto.db").write_bytes(whole[:bytes_kept])

    broker.start()

    with closing(broker.client(Identity.PEOPLE)) as person:
        person.subscribe(STOP)
        person.publish(STOP, b"stop!")
        assert eventually(lambda: person.has_heard(STOP, b"stop!"), 20)
    assert "what was retained is damaged (was the disk full?): put aside as" in broker.said()
    assert (broker.data / "mosquitto.db.damaged").read_bytes() == whole[:bytes_kept]


def test_a_whole_memory_is_never_put_aside(broker: LockedBroker) -> None:
    broker.start()
    with closing(broker.client(AUDITOR)) as auditor:
        auditor.publish(STOP, b"stop!", retain=True)
        settle(auditor, "sunherd/miner/last/event")
    for number in (signal.SIGTERM, signal.SIGKILL):
        broker.stop(number)
        broker.start()
        with closing(broker.client(Identity.VNISH_AGENT)) as agent:
            agent.subscribe(STOP)
            assert eventually(lambda: (STOP, b"stop!") in agent.retained, 20)
    assert "damaged" not in broker.said()
    assert not (broker.data / "mosquitto.db.damaged").exists()


def _fill(filler: Path) -> None:
    for _ in range(3):  # while we write, mosquitto may hold a new file for a moment
        _fill_once(filler)
        time.sleep(1.5)


def _fill_once(filler: Path) -> None:
    with filler.open("ab", buffering=0) as opened:
        try:
            while True:
                opened.write(b"x" * 4096)
        except OSError:
            return
