"""A tenure: what is wired through it works as on the service itself, and is undone with it."""

from datetime import timedelta

import pytest

from shared.bus import Arrival, Bus, MemoryBroker, Packet
from shared.clock import VirtualClock
from shared.loops import SteppedRunner
from shared.messages import EmergencyStop, Event
from shared.orders import SiteOrders
from shared.service import Service
from shared.tenure import Tenure
from shared.topics import EMERGENCY_STOP, MINER_EVENT


class Unit:
    """One tenure in a running service, with a sender on the same broker."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        broker = MemoryBroker()
        self.service = Service("agent", Bus(broker.link(), clock, instance="a"), clock, runner=SteppedRunner())
        self.sender = Bus(broker.link(), clock, instance="sender")
        self.sender.start()
        self.service.start()
        self.service.step()
        self.tenure = Tenure(self.service)
        self.done: list[str] = []

    def does(self, what: str) -> None:
        self.done.append(what)

    def event(self) -> Event:
        return Event(at=self.clock.now(), code="told", sentence="")


@pytest.fixture
def unit(clock: VirtualClock) -> Unit:
    return Unit(clock)


def test_what_was_wired_is_heard_until_the_end(unit: Unit) -> None:
    unit.tenure.on(MINER_EVENT, lambda _got: unit.does("heard"), "m1")
    unit.tenure.on_published(MINER_EVENT, lambda _name, _message: unit.does("said"), "m1")
    unit.tenure.every(1.0, lambda: unit.does("turn"))
    unit.sender.publish(MINER_EVENT, "m1", unit.event())
    unit.service.step()
    assert unit.done == ["heard", "turn"]
    unit.tenure.publish(MINER_EVENT, "m1", unit.event())
    unit.service.step()
    assert sorted(unit.done) == ["heard", "heard", "said", "turn"]

    unit.tenure.end()
    unit.done.clear()
    unit.tenure.publish(MINER_EVENT, "m1", unit.event())
    unit.sender.publish(MINER_EVENT, "m1", unit.event())
    unit.clock.advance(5)
    unit.service.step()
    assert unit.done == []


def test_of_two_who_listen_to_what_is_published_one_may_end(unit: Unit) -> None:
    other = Tenure(unit.service)
    unit.tenure.on_published(MINER_EVENT, lambda _name, _message: unit.does("first"), "m1")
    other.on_published(MINER_EVENT, lambda _name, _message: unit.does("second"), "m1")
    unit.tenure.end()
    unit.service.publish(MINER_EVENT, "m1", unit.event())
    unit.service.step()
    assert unit.done == ["second"]


def test_what_waited_in_the_inbox_at_the_end_is_not_done(unit: Unit) -> None:
    unit.tenure.soon(lambda: unit.does("late"))
    unit.tenure.on_ready(lambda: unit.does("ready"))
    unit.tenure.on_begin(lambda: unit.does("begin"))
    unit.tenure.end()
    unit.tenure.caught_up()
    unit.service.step()
    assert unit.done == []


def test_it_begins_once_and_is_ready_each_time(unit: Unit) -> None:
    unit.tenure.on_ready(lambda: unit.does("ready"))
    unit.tenure.on_begin(lambda: unit.does("begin"))
    unit.tenure.caught_up()
    unit.tenure.caught_up()
    assert unit.done == ["ready", "begin", "ready"]


def test_farewells_come_at_its_own_end_or_at_that_of_the_service(unit: Unit) -> None:
    unit.tenure.on_stop(lambda: unit.does("own"))
    unit.tenure.end()
    assert unit.tenure.is_over()
    unit.tenure.bury()
    assert unit.done == ["own"]
    Tenure(unit.service).on_stop(lambda: unit.does("with the service"))
    unit.service.stop()
    assert unit.done == ["own", "with the service"]


def test_wishes_may_be_taken_back(unit: Unit) -> None:
    for wish in (unit.tenure.on_ready, unit.tenure.on_begin, unit.tenure.on_stop):
        wish(lambda: unit.does("never"))()
    unit.tenure.caught_up()
    unit.tenure.end()
    unit.tenure.bury()
    assert unit.done == []


def test_raw_topics_are_heard_until_they_are_given_up(unit: Unit) -> None:
    got: list[Arrival] = []
    unit.service.bus.subscribe_raw("foreign/#", got.append)
    unit.sender.publish_raw(Packet("foreign/a", b"1"))
    unit.service.bus.unsubscribe_raw([got.append])
    unit.sender.publish_raw(Packet("foreign/a", b"2"))
    assert [arrival.payload for arrival in got] == [b"1"]


def test_the_stop_of_a_site_is_one_for_all_and_a_late_resume_lifts_no_newer_one(unit: Unit) -> None:
    orders, now = SiteOrders(unit.service, "home"), unit.clock.now()
    undo = orders.follow(lambda: unit.does(f"stopped: {orders.stopped()}"), lambda _epoch, _at: None)
    first = EmergencyStop(at=now - timedelta(minutes=5), active=True, by="a")
    newer = EmergencyStop(at=now, active=True, by="b")
    for message in (
        newer,
        EmergencyStop(at=now, active=False, by="late", lifts=first.at),
        EmergencyStop(at=now, active=False, by="b", lifts=newer.at),
    ):
        unit.sender.publish(EMERGENCY_STOP, "home", message)
        unit.service.step()
    assert unit.done == ["stopped: True", "stopped: False"]
    assert unit.service.counts["late_resume_refused"] == 1
    undo()
    unit.sender.publish(EMERGENCY_STOP, "home", EmergencyStop(at=now, active=True, by="c"))
    unit.service.step()
    assert len(unit.done) == 2
