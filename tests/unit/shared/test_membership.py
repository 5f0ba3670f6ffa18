from shared.clock import VirtualClock
from shared.membership import Roster, owner
from shared.messages import Presence


def presence(instance: str, status: str = "online", beat_seconds: float = 5.0) -> Presence:
    fields = {"at": VirtualClock().now(), "service": "agent", "instance": instance, "status": status}
    return Presence.model_validate(fields | {"beat_seconds": beat_seconds})


def test_a_replica_is_live_while_it_is_heard_within_three_beats() -> None:
    roster = Roster().heard(presence("a"), 100.0, retained=False)
    assert roster.live(115.0) == ("a",)
    assert roster.live(115.1) == ()


def test_each_replica_has_its_own_beat() -> None:
    roster = Roster().heard(presence("slow", beat_seconds=60), 100.0, retained=False)
    assert roster.live(280.0) == ("slow",)


def test_a_memory_is_not_a_heartbeat_whatever_it_says() -> None:
    assert Roster().heard(presence("ghost"), 100.0, retained=True).live(100.0) == ()


def test_a_will_or_farewell_takes_effect_at_once() -> None:
    roster = Roster().heard(presence("a"), 100.0, retained=False)
    assert roster.heard(presence("a", "offline"), 101.0, retained=False).live(101.0) == ()


def test_replicas_are_told_in_a_stable_order_and_once_each() -> None:
    roster = Roster()
    for instance in ("c", "a", "b", "a"):
        roster = roster.heard(presence(instance), 100.0, retained=False)
    assert roster.live(100.0) == ("a", "b", "c")
    assert len(roster.members) == 3


def test_whoever_was_heard_does_not_become_a_ghost_by_what_the_broker_remembers_of_it() -> None:
    roster = Roster().heard(presence("a"), 100.0, retained=False).heard(presence("a"), 103.0, retained=True)
    assert roster.live(104.0) == ("a",)
    assert roster.live(115.5) == ()


def test_who_may_be_there_is_waited_for_three_beats_from_when_it_could_be_heard() -> None:
    roster = Roster().heard(presence("a"), 100.0, retained=True)
    assert (roster.possible(115.0), roster.possible(115.1)) == (("a",), ())
    assert roster.doubted(200.0).possible(215.0) == ("a",)


def test_a_unit_moves_only_when_its_owner_goes_or_a_new_one_takes_it() -> None:
    units = [f"10.0.{number // 256}.{number % 256}:80" for number in range(1000)]
    three = {unit: owner(unit, ["a", "b", "c"]) for unit in units}
    four = {unit: owner(unit, ["d", "c", "b", "a"]) for unit in units}
    moved = [unit for unit in units if three[unit] != four[unit]]
    assert 200 < len(moved) < 300
    assert {four[unit] for unit in moved} == {"d"}
    assert all(300 < list(three.values()).count(name) < 370 for name in "abc")
    assert owner("x", []) is None
