"""`matches` against a reference that tries every way to read a filter, and the outbox against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from shared.bus import Packet
from shared.bus.link import matches
from shared.bus.outbox import Outbox

_level = st.sampled_from(["a", "b", "", "$SYS", "home"])
_path = st.lists(_level, min_size=1, max_size=5).map("/".join)
_filter = st.tuples(st.lists(st.one_of(_level, st.just("+")), max_size=5), st.sampled_from(["", "#"])).map(
    lambda parts: "/".join([*parts[0], parts[1]] if parts[1] else parts[0] or ["+"])
)


def reference(wanted: list[str], found: list[str]) -> bool:
    """The rules of MQTT 3.1.1, section 4.7, level by level."""
    if wanted == ["#"]:
        return True
    if not wanted or not found:
        return wanted == found
    return wanted[0] in {"+", found[0]} and reference(wanted[1:], found[1:])


@given(_filter, _path)
def test_filters_match_as_the_standard_says(topic_filter: str, path: str) -> None:
    hidden = path.startswith("$") and topic_filter[:1] in {"+", "#"}
    assert matches(topic_filter, path) == (not hidden and reference(topic_filter.split("/"), path.split("/")))


@given(_path)
def test_a_path_matches_itself_and_the_subtree_that_it_heads(path: str) -> None:
    assert matches(path, path)
    assert matches(f"{path}/#", path)
    assert matches(f"{path}/#", f"{path}/below")


_packets = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 99), st.booleans()), max_size=30)


@given(_packets, st.integers(1, 8), st.integers(0, 10))
def test_an_outbox_keeps_the_last_states_and_the_newest_events_in_order(
    packets: list[tuple[str, int, bool]], events_kept: int, taken: int
) -> None:
    outbox = Outbox(events_kept)
    for path, number, retain in packets:
        outbox.put(Packet(path, str(number).encode(), retain=retain))
    states: dict[str, int] = {}
    for path, number, retain in packets:
        if retain:
            states.pop(path, None)  # the newest goes last
            states[path] = number
    events = [number for _, number, retain in packets if not retain]
    sent: list[Packet] = []

    def send(packet: Packet) -> bool:
        if len(sent) >= taken:
            return False
        sent.append(packet)
        return True

    outbox.flush(send)  # the wire goes after `taken` packets
    taken = 10_000
    outbox.flush(send)

    assert [(packet.path, int(packet.payload)) for packet in sent if packet.retain] == list(states.items())
    assert [int(packet.payload) for packet in sent if not packet.retain] == events[-events_kept:]
    assert outbox.dropped == max(0, len(events) - events_kept)
    assert len(outbox) == 0
