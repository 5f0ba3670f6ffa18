"""Turns at a host."""

from services.pool_poller.spacing import Spacings


def test_turns_are_apart_and_taken_once() -> None:
    host = Spacings().at("pool.test:443")
    assert [host.claim(100, 5) for _ in range(3)] == [100, 105, 110]
    assert host.claim(300, 5) == 300


def test_a_host_has_one_row_of_turns_and_another_host_its_own() -> None:
    spacings = Spacings()
    spacings.at("a").claim(100, 5)
    assert spacings.at("a").claim(100, 5) == 105
    assert spacings.at("b").claim(100, 5) == 100


def test_who_is_held_waits_and_a_shorter_hold_ends_no_longer_one() -> None:
    host = Spacings().at("a")
    host.hold(200)
    host.hold(150)
    assert host.claim(100, 5) == 200
