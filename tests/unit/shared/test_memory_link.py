"""The broker in memory, where a client is not there yet, or not any more."""

from shared.bus import Arrival, MemoryBroker, Packet


def test_a_link_that_nobody_listens_to_takes_everything_in_silence() -> None:
    broker = MemoryBroker()
    link = broker.link()
    link.tend()
    link.receive(Arrival("a", b"1"))
    link.opened()
    link.closed()
    assert not link.is_up()
    assert not link.send(Packet("a", b"1"))


def test_filters_are_asked_for_once_and_given_up_without_having_been_asked_for() -> None:
    broker = MemoryBroker()
    link = broker.link()
    link.subscribe([("a/+", 1), ("a/+", 1)])
    assert link.wants("a/b")
    link.unsubscribe(["a/+", "b/+"])
    assert not link.wants("a/b")
