"""One behaviour, whatever broker is behind it."""

import itertools
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.bus import Arrival, Bus, Packet, Received
from shared.clock import SystemClock
from shared.messages import Event, Presence, SiteTelemetry
from shared.topics import MINER_EVENT, SERVICE_PRESENCE, SITE_TELEMETRY, Topic
from tests.brokers import KINDS, BrokerUnderTest, Real, start
from tests.waiting import eventually

NOW = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
_PREFIXES = itertools.count(1)


class Seen(list[Received[Any]]):
    """What a handler got, in order."""

    def identifiers(self) -> list[str]:
        return [received.identifier for received in self]

    def socs(self) -> list[float | None]:
        return [None if got.message is None else got.message.state_of_charge_percent for got in self]

    def sentences(self) -> list[str]:
        return [got.message.sentence for got in self if got.message is not None]

    def statuses(self) -> list[str]:
        return [got.message.status for got in self if isinstance(got.message, Presence)]


class Stall:
    """Where one test's buses are made; each test has a prefix of its own on a shared broker."""

    def __init__(self, broker: BrokerUnderTest) -> None:
        self.broker = broker
        self.prefix = f"test{next(_PREFIXES)}"
        self.buses: list[Bus] = []

    def bus(self, name: str) -> Bus:
        instance = f"{self.prefix}-{name}"
        bus = Bus(self.broker.link(instance), SystemClock(), prefix=self.prefix, instance=instance)
        self.buses.append(bus)
        return bus

    def started(self, name: str, *topics: Topic[Any]) -> tuple[Bus, Seen]:
        """A synced bus that listens to these topics."""
        bus, seen = self.bus(name), Seen()
        for topic in topics:
            bus.subscribe(topic, seen.append)
        bus.start()
        assert eventually(bus.is_synced)
        return bus, seen


@pytest.fixture(scope="module", params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerUnderTest]:
    running = start(request.param, tmp_path_factory.mktemp("broker"))
    yield running
    running.stop()


@pytest.fixture
def stall(broker: BrokerUnderTest) -> Iterator[Stall]:
    made = Stall(broker)
    yield made
    for bus in made.buses:
        bus.stop()


def soc(percent: float) -> SiteTelemetry:
    return SiteTelemetry(at=NOW, source="test", state_of_charge_percent=percent)


def event(sentence: str) -> Event:
    return Event(at=NOW, code="test", sentence=sentence)


def came(bus: Bus, condition: Callable[[], object]) -> bool:
    """Waits as a service does: tending the bus meanwhile, though more often."""

    def tended() -> object:
        bus.tend()
        return condition()

    return eventually(tended, 10)


def test_a_message_arrives_as_the_model_that_was_sent(stall: Stall) -> None:
    _, seen = stall.started("reader", SITE_TELEMETRY)
    writer, _ = stall.started("writer")

    writer.publish(SITE_TELEMETRY, "home", soc(73.5))

    assert eventually(lambda: seen)
    assert (seen[0].identifier, seen[0].message, seen[0].retained) == ("home", soc(73.5), False)


def test_a_subscription_covers_all_ids_or_one(stall: Stall) -> None:
    every, one = Seen(), Seen()
    reader = stall.bus("reader")
    reader.subscribe(MINER_EVENT, every.append)
    reader.subscribe(MINER_EVENT, one.append, "s19-21")
    reader.start()
    assert eventually(reader.is_synced)

    for name in ("s19-20", "s19-21", "s19-22"):
        reader.publish(MINER_EVENT, name, event("hello"))

    assert eventually(lambda: "s19-22" in every.identifiers())
    # Where subscriptions overlap, a broker may deliver once for each of them.
    assert set(every.identifiers()) == {"s19-20", "s19-21", "s19-22"}
    assert set(one.identifiers()) == {"s19-21"}


def test_memory_comes_to_late_subscribers_and_says_so(stall: Stall) -> None:
    writer, early = stall.started("writer", SITE_TELEMETRY)
    writer.publish(SITE_TELEMETRY, "home", soc(50))
    assert eventually(lambda: early)

    _, late = stall.started("late", SITE_TELEMETRY)

    assert [got.retained for got in early] == [False]
    assert [got.retained for got in late] == [True]
    assert late.socs() == [50]


def test_an_event_is_not_remembered(stall: Stall) -> None:
    writer, early = stall.started("writer", MINER_EVENT)
    writer.publish(MINER_EVENT, "s19-20", event("once"))
    assert eventually(lambda: early)

    _, late = stall.started("late", MINER_EVENT)

    assert late == []


def test_before_the_first_connection_states_coalesce_and_events_queue_up_to_a_bound(stall: Stall) -> None:
    _, seen = stall.started("reader", SITE_TELEMETRY, MINER_EVENT)
    writer = stall.bus("writer")
    for percent in (10, 20, 30):
        writer.publish(SITE_TELEMETRY, "home", soc(percent))
    for number in range(1003):
        writer.publish(MINER_EVENT, "s19-20", event(str(number)))

    writer.start()

    assert came(writer, lambda: len(seen) == 1001), len(seen)
    assert Seen(seen[:1]).socs() == [30]
    assert Seen(seen[1:]).sentences() == [str(number) for number in range(3, 1003)]
    assert writer.counts["outbox_dropped"] == 3


def test_a_cleared_topic_is_told_and_forgotten(stall: Stall) -> None:
    writer, early = stall.started("writer", SITE_TELEMETRY)
    writer.publish(SITE_TELEMETRY, "home", soc(50))
    writer.clear(SITE_TELEMETRY, "home")
    assert eventually(lambda: len(early) == 2)

    _, late = stall.started("late", SITE_TELEMETRY)

    assert early.socs() == [50, None]
    assert late == []


def presence(status: str, instance: str) -> Presence:
    return Presence.model_validate({"at": NOW, "service": "test", "instance": instance, "status": status})


def presence_packet(stall: Stall, status: str) -> Packet:
    payload = presence(status, "mortal").model_dump_json().encode()
    return Packet(SERVICE_PRESENCE.path(stall.prefix, "mortal"), payload, 1, retain=True)


def test_a_cut_connection_publishes_the_last_will(stall: Stall) -> None:
    _, seen = stall.started("reader", SERVICE_PRESENCE)
    mortal = stall.bus("mortal")
    mortal.start(will=presence_packet(stall, "offline"))
    assert eventually(mortal.is_synced)

    stall.broker.cut(mortal.link)

    assert eventually(lambda: seen)
    assert seen[0].message == presence("offline", "mortal")
    _, late = stall.started("late", SERVICE_PRESENCE)
    assert [got.retained for got in late] == [True]


def test_a_farewell_takes_the_place_of_the_will(stall: Stall) -> None:
    _, seen = stall.started("reader", SERVICE_PRESENCE, MINER_EVENT)
    mortal = stall.bus("mortal")
    mortal.start(will=presence_packet(stall, "online"))
    assert eventually(mortal.is_synced)

    mortal.stop(presence_packet(stall, "offline"))

    witness, _ = stall.started("witness")
    witness.publish(MINER_EVENT, "s19-20", event("afterwards"))
    assert eventually(lambda: "s19-20" in seen.identifiers())
    assert seen.statuses() == ["offline"]


def test_synced_means_that_the_whole_memory_has_arrived(stall: Stall) -> None:
    writer, written = stall.started("writer", SITE_TELEMETRY)
    for number in range(300):
        writer.publish(SITE_TELEMETRY, f"site-{number}", soc(number / 3))
    assert eventually(lambda: len(written) == 300)
    late, seen, seen_at_sync = stall.bus("late"), Seen(), []
    late.subscribe(SITE_TELEMETRY, seen.append)

    late.start(on_synced=lambda: seen_at_sync.append(len(seen)))

    assert eventually(late.is_synced)
    assert seen_at_sync == [300]


def test_after_a_cut_it_comes_back_subscribed_and_synced(stall: Stall) -> None:
    reader, seen, announced, synced = stall.bus("reader"), Seen(), [], []
    reader.subscribe(MINER_EVENT, seen.append)
    reader.start(announce=lambda: announced.append(1), on_synced=lambda: synced.append(1))
    assert eventually(reader.is_synced)

    stall.broker.cut(reader.link)

    assert came(reader, lambda: len(synced) == 2)
    assert (len(announced), reader.counts["connects"], reader.counts["disconnects"]) == (2, 2, 1)
    reader.publish(MINER_EVENT, "s19-20", event("again"))
    assert eventually(lambda: seen.sentences() == ["again"])


def test_the_memory_outlives_the_broker(stall: Stall) -> None:
    writer, _ = stall.started("writer", SITE_TELEMETRY)
    writer.publish(SITE_TELEMETRY, "home", soc(61))
    writer.publish(SITE_TELEMETRY, "gone", soc(1))
    writer.clear(SITE_TELEMETRY, "gone")
    _, seen = stall.started("reader", SITE_TELEMETRY)
    assert eventually(lambda: "home" in seen.identifiers())

    stall.broker.restart()

    _, late = stall.started("late", SITE_TELEMETRY)
    assert (late.identifiers(), late.socs(), late[0].retained) == (["home"], [61], True)
    assert came(writer, writer.is_synced)


def test_what_is_published_during_an_outage_arrives_after_it(stall: Stall) -> None:
    writer, _ = stall.started("writer")
    stall.broker.cut(writer.link)
    assert eventually(lambda: not writer.is_up())
    for percent in (70, 71, 72):
        writer.publish(SITE_TELEMETRY, "home", soc(percent))

    assert came(writer, writer.is_synced)

    _, late = stall.started("late", SITE_TELEMETRY)
    assert late.socs() == [72]


def test_a_late_repetition_does_not_overwrite_a_newer_value(stall: Stall) -> None:
    if not isinstance(stall.broker, Real):
        pytest.skip("the broker in memory acknowledges at once")
    writer, _ = stall.started("writer")
    stall.broker.freeze()
    writer.publish(SITE_TELEMETRY, "home", soc(99))  # taken by the wire, never acknowledged
    stall.broker.kill()
    assert eventually(lambda: not writer.is_up())
    writer.publish(SITE_TELEMETRY, "home", soc(5))

    stall.broker.restart()

    assert came(writer, writer.is_synced)
    _, late = stall.started("late", SITE_TELEMETRY)
    assert late.socs() == [5]


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b"not json", "malformed"),
        (b"\xff\xfe\x00", "malformed"),
        (b"[]", "malformed"),
        (b'{"at":"2026-06-21T12:00:00Z","source":"x"}', "malformed"),
        (b'{"at":"2026-06-21T12:00:00","source":"x","state_of_charge_percent":50}', "malformed"),
        (b'{"at":"2026-06-21T12:00:00Z","source":"x","state_of_charge_percent":"50"}', "malformed"),
        (b'{"at":"2026-06-21T12:00:00Z","source":"x","state_of_charge_percent":NaN}', "malformed"),
        (b'{"at":"2026-06-21T12:00:00Z","source":"x","state_of_charge_percent":101}', "malformed"),
        (b'"' + b"x" * 70_000 + b'"', "oversized"),
    ],
)
def test_what_cannot_be_understood_is_refused_counted_and_logged_once(
    stall: Stall, caplog: pytest.LogCaptureFixture, payload: bytes, cause: str
) -> None:
    reader, seen = stall.started("reader", SITE_TELEMETRY)
    writer, _ = stall.started("writer")

    for _ in range(3):
        writer.publish_raw(Packet(SITE_TELEMETRY.path(stall.prefix, "home"), payload))
    writer.publish(SITE_TELEMETRY, "home", soc(42))

    assert eventually(lambda: seen)
    assert seen.socs() == [42]
    assert reader.counts.snapshot()[f"refused_{cause}"] == 3
    assert [record.levelno for record in caplog.records if "refused a message" in record.message] == [logging.WARNING]


def test_a_handler_that_fails_ends_neither_the_link_nor_the_other_handlers(stall: Stall) -> None:
    reader, seen = stall.bus("reader"), Seen()

    def fails(_received: object) -> None:
        message = "a bug"
        raise RuntimeError(message)

    reader.subscribe_raw(f"{stall.prefix}/#", fails)
    reader.subscribe(MINER_EVENT, fails)
    reader.subscribe(MINER_EVENT, seen.append)
    reader.start()
    assert eventually(reader.is_synced)

    for number in range(3):
        reader.publish(MINER_EVENT, "s19-20", event(str(number)))

    assert eventually(lambda: "2" in seen.sentences())
    assert reader.counts["handler_failed"] >= 6
    assert reader.is_up()


def test_foreign_topics_come_as_bytes(stall: Stall) -> None:
    reader, seen = stall.bus("reader"), list[Arrival]()
    reader.subscribe_raw(f"{stall.prefix}-foreign/+/soc", seen.append)
    reader.start()
    assert eventually(reader.is_synced)

    reader.publish_raw(Packet(f"{stall.prefix}-foreign/battery/soc", b"81.5"))
    reader.publish_raw(Packet(f"{stall.prefix}-foreign/battery/power", b"-3"))

    assert eventually(lambda: seen)
    assert [(got.path, got.payload) for got in seen] == [(f"{stall.prefix}-foreign/battery/soc", b"81.5")]


def test_a_subscription_made_while_connected_counts_at_once(stall: Stall) -> None:
    reader, _ = stall.started("reader")
    reader.publish(SITE_TELEMETRY, "home", soc(7))
    seen = Seen()

    reader.subscribe(SITE_TELEMETRY, seen.append)

    assert eventually(lambda: seen.socs() == [7])
