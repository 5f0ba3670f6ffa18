from shared.bus.link import Packet
from shared.bus.outbox import Outbox


def full() -> Outbox:
    outbox = Outbox(events_kept=2)
    for number in range(3):
        outbox.put(Packet(f"event/{number}", b"e"))
        outbox.put(Packet("state", str(number).encode(), retain=True))
    return outbox


def test_the_newest_state_and_the_last_events_wait_and_what_went_is_counted() -> None:
    outbox, sent = full(), list[Packet]()
    assert (len(outbox), outbox.dropped) == (3, 1)

    def take(packet: Packet) -> bool:
        sent.append(packet)
        return True

    outbox.flush(take)
    assert [(packet.path, packet.payload) for packet in sent] == [("state", b"2"), ("event/1", b"e"), ("event/2", b"e")]
    assert len(outbox) == 0


def test_what_the_wire_does_not_take_goes_on_waiting() -> None:
    outbox = full()
    outbox.flush(lambda _packet: False)
    assert len(outbox) == 3
    outbox.flush(lambda packet: packet.retain)
    assert len(outbox) == 2
