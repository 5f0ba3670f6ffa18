import threading
import time

from shared.counts import Counts
from shared.inbox import Inbox


def run(inbox: Inbox) -> None:
    for delivery in inbox.take():
        delivery()


def test_states_coalesce_by_key_and_the_newest_takes_its_turn_last() -> None:
    inbox, seen = Inbox(), list[str]()
    inbox.put_event(lambda: seen.append("event"))
    inbox.put_state("a", lambda: seen.append("a old"))
    inbox.put_state("b", lambda: seen.append("b"))
    inbox.put_state("a", lambda: seen.append("a new"))

    run(inbox)

    assert seen == ["b", "a new", "event"]
    assert inbox.take() == []


def test_of_too_many_events_the_oldest_go_and_are_counted() -> None:
    inbox, seen = Inbox(events_kept=2), list[int]()
    for number in range(5):
        inbox.put_event(lambda number=number: seen.append(number))  # type: ignore[misc] # bound early on purpose

    run(inbox)

    assert seen == [3, 4]
    assert inbox.dropped == 3


def test_a_ring_ends_the_wait_and_rings_do_not_pile_up() -> None:
    inbox = Inbox()
    for _ in range(10):
        inbox.ring()
    began = time.monotonic()
    inbox.wait(10)
    assert time.monotonic() - began < 1

    inbox.wait(0.01)
    inbox.wait(-1)

    threading.Timer(0.01, inbox.ring).start()
    began = time.monotonic()
    inbox.wait(10)
    assert time.monotonic() - began < 5


def test_counters_add_mirror_and_leave_out_zeros() -> None:
    counts = Counts()
    counts.add("a")
    counts.add("a", 2)
    counts.set("b", 7)
    counts.set("c", 0)
    assert counts.snapshot() == {"a": 3, "b": 7}
    assert counts["unheard of"] == 0
