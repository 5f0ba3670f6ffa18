from shared.clock import VirtualClock
from shared.membership import Roster
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
