"""The stand-in's states, as its two doors show them."""

from datetime import UTC, datetime, timedelta

from services.simulator.home_assistant_states import StateBoard, only

NOW = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
SOC = "sensor.soc"


def test_a_state_in_full() -> None:
    board = StateBoard()
    board.set(SOC, "80", {"unit_of_measurement": "%"}, NOW)
    state = board.get(SOC)
    assert state is not None
    full = state.full()
    assert (full["entity_id"], full["state"], full["attributes"]) == (SOC, "80", {"unit_of_measurement": "%"})
    assert full["last_changed"] == full["last_updated"] == NOW.isoformat()


def test_a_new_entity_is_added_and_a_known_one_changed() -> None:
    board = StateBoard()
    added = board.set(SOC, "80", {"a": 1, "b": 2}, NOW)
    assert added is not None
    assert added["a"][SOC]["s"] == "80"
    assert added["a"][SOC]["a"] == {"a": 1, "b": 2}
    changed = board.set(SOC, "70", {"a": 1, "b": 2}, LATER)
    assert changed is not None
    assert changed["c"][SOC]["+"]["s"] == "70"
    assert "a" not in changed["c"][SOC]["+"]
    assert board.set(SOC, "70", {"a": 1, "b": 2}, LATER) is None


def test_attributes_alone_leave_last_changed_as_it_was() -> None:
    board = StateBoard()
    board.set(SOC, "80", {"a": 1, "b": 2}, NOW)
    changed = board.set(SOC, "80", {"a": 5}, LATER)
    assert changed is not None
    assert changed["c"][SOC]["+"]["a"] == {"a": 5}
    assert changed["c"][SOC]["-"] == {"a": ["b"]}
    assert "s" not in changed["c"][SOC]["+"]
    state = board.get(SOC)
    assert state is not None
    assert (state.last_changed, state.last_updated) == (NOW, LATER)


def test_a_subscription_hears_only_of_what_it_asked_for() -> None:
    board = StateBoard()
    board.set(SOC, "80", {}, NOW)
    other = board.set("sensor.other", "1", {}, NOW)
    assert other is not None
    assert only(other, frozenset({SOC})) is None
    assert only(other, None) == other
    assert set(board.first_event([SOC, "sensor.missing"])["a"]) == {SOC}
    assert set(board.first_event(None)["a"]) == {SOC, "sensor.other"}
    removed = board.remove(SOC)
    assert removed == {"r": [SOC]}
    assert only(removed, frozenset({SOC})) == removed
    assert only(removed, frozenset({"sensor.other"})) is None
    assert board.remove(SOC) is None
