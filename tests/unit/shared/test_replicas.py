"""Who tends what, while replicas come, go, freeze, are cut off, or were never there."""

import pytest

from shared.membership import owner
from tests.replica_farm import ReplicaFarm

THREE_BEATS = 15.0
SETTLE = 2.0
A_LOOK = 0.75


def farm_of(*names: str, units: int = 40, settle_seconds: float = SETTLE, keeps: bool = False) -> ReplicaFarm:
    farm = ReplicaFarm(units, settle_seconds=settle_seconds, keeps=keeps)
    farm.add(*names)
    return farm


def settled(*names: str, **settings: bool) -> ReplicaFarm:
    farm = farm_of(*names, **settings)
    farm.pass_seconds(SETTLE + A_LOOK)
    assert farm.is_whole()
    return farm


def test_without_others_everything_is_tended_at_once() -> None:
    farm = farm_of("a", settle_seconds=0)
    farm.turn()
    assert farm.replicas["a"].begun == farm.units


def test_replicas_that_start_together_never_tend_the_same() -> None:
    farm = farm_of("a", "b", "c")
    for _ in farm.moments(SETTLE + A_LOOK):
        assert all(len(farm.tending(unit)) <= 1 for unit in farm.units)
    assert farm.is_whole()
    assert all(len(share) > 5 for share in farm.shares().values())


def test_a_fourth_takes_about_a_quarter_and_only_from_the_others() -> None:
    farm = farm_of("a", "b", "c", units=400)
    farm.pass_seconds(SETTLE + A_LOOK)
    before = farm.shares()
    farm.add("d")
    for _ in farm.moments(SETTLE + 2 * A_LOOK):
        assert all(len(farm.tending(unit)) <= 1 for unit in farm.units)
    after = farm.shares()
    assert farm.is_whole()
    assert 70 < len(after["d"]) < 130
    assert all(after[name] == before[name] - after["d"] for name in "abc")


def test_what_a_killed_one_tended_is_tended_again_after_its_will_and_the_settle_time() -> None:
    farm = settled("a", "b", "c")
    before = farm.shares()
    farm.replicas["b"].kill()
    farm.pass_seconds(SETTLE - A_LOOK)
    assert farm.shares()["a"] == before["a"], "not before they have agreed"
    farm.pass_seconds(3 * A_LOOK)
    assert farm.is_whole()
    assert all(farm.shares()[name] > before[name] for name in "ac")


def test_one_that_vanished_without_a_will_is_missed_after_three_beats() -> None:
    farm = settled("a", "b", "c")
    farm.replicas["b"].vanish()
    farm.pass_seconds(THREE_BEATS - 6)
    assert not farm.is_whole()
    farm.pass_seconds(6 + SETTLE + 2 * A_LOOK)
    assert farm.is_whole()


def test_a_ghost_in_the_brokers_memory_keeps_its_units_for_three_beats_only() -> None:
    farm = settled("ghost")
    farm.replicas["ghost"].vanish()
    farm.pass_seconds(3600)
    farm.add("a")
    farm.pass_seconds(SETTLE + A_LOOK)
    assert farm.shares() == {"a": set()}, "it may be alive: nobody has heard otherwise yet"
    farm.pass_seconds(THREE_BEATS)
    assert farm.shares() == {"a": set(farm.units)}


def test_whoever_leaves_in_good_order_is_replaced_after_the_settle_time() -> None:
    farm = settled("a", "b")
    farm.replicas["b"].leave()
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    assert farm.shares() == {"a": set(farm.units)}


def test_nobody_begins_with_a_unit_while_the_last_step_of_another_with_it_lasts() -> None:
    farm = settled("a")
    farm.hangs.update(farm.units)
    farm.add("b")
    farm.pass_seconds(20)
    assert farm.shares()["b"] == set()
    assert farm.replicas["a"].replicas._leaving
    farm.hangs.clear()
    farm.pass_seconds(2 * A_LOOK)
    assert farm.is_whole()
    assert farm.shares()["b"]


def test_a_step_that_never_ends_does_not_keep_a_unit_for_ever() -> None:
    farm = settled("a")
    farm.hangs.update(farm.units)
    farm.add("b")
    farm.pass_seconds(35)
    assert farm.shares()["a"] | farm.shares()["b"] == set(farm.units)


def test_one_that_stood_still_does_not_take_the_others_for_dead() -> None:
    farm = settled("a", "b")
    before = farm.shares()["a"]
    farm.replicas["a"].freeze()
    farm.pass_seconds(THREE_BEATS - 1)
    farm.replicas["a"].thaw()
    for _ in farm.moments(10):
        assert farm.shares()["a"] == before


def test_one_that_stood_still_for_longer_gives_its_units_back_one_by_one() -> None:
    farm = settled("a", "b")
    farm.replicas["a"].freeze()
    farm.pass_seconds(THREE_BEATS + 5 + SETTLE)
    assert farm.shares()["b"] == set(farm.units)
    assert farm.replicas["a"].replicas.is_fenced()
    farm.replicas["a"].thaw()
    farm.pass_seconds(SETTLE + THREE_BEATS)
    assert farm.is_whole()
    assert not farm.replicas["a"].replicas.is_fenced()


def test_whoever_has_no_connection_keeps_its_units_and_is_fenced_at_once() -> None:
    farm = settled("a", "b")
    before = farm.shares()
    farm.broker.kill()
    assert farm.replicas["a"].replicas.is_fenced()
    farm.pass_seconds(600)
    assert farm.shares() == before


def test_whoever_is_connected_and_hears_nothing_is_fenced_after_three_beats() -> None:
    farm = settled("a", "b")
    before, replica = farm.shares()["a"], farm.replicas["a"]
    farm.broker.standing_still.add(replica.link)
    farm.pass_seconds(THREE_BEATS - 5)
    assert not replica.replicas.is_fenced()
    farm.pass_seconds(5 + A_LOOK)
    assert replica.replicas.is_fenced()
    farm.pass_seconds(600)
    assert farm.shares()["a"] == before


def test_what_one_lost_without_a_farewell_tended_is_contested_until_it_is_heard_or_for_half_an_hour() -> None:
    farm = settled("a", "b")
    orphans = farm.shares()["b"]
    farm.replicas["b"].kill()
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    tenures = farm.replicas["a"].replicas.tended
    assert {unit for unit, tenure in tenures.items() if tenure.is_contested()} == orphans
    farm.pass_seconds(1795)
    assert all(tenures[unit].is_contested() for unit in orphans)
    farm.pass_seconds(10)
    assert not any(tenures[unit].is_contested() for unit in orphans)


@pytest.mark.parametrize("comes_back", [False, True])
def test_nothing_is_contested_of_who_said_farewell_or_was_heard_again(comes_back: bool) -> None:
    farm = settled("a", "b")
    if comes_back:
        farm.replicas["b"].kill()
        farm.pass_seconds(SETTLE + 2 * A_LOOK)
        farm.replicas["b"].start()
        farm.pass_seconds(SETTLE + 2 * A_LOOK)
        assert farm.is_whole()
    farm.replicas["b"].leave()
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    assert farm.shares()["a"] == set(farm.units)
    assert not any(tenure.is_contested() for tenure in farm.replicas["a"].replicas.tended.values())


@pytest.mark.parametrize("forget", [False, True])
def test_a_broker_that_comes_back_changes_nothing_even_without_its_memory(forget: bool) -> None:
    farm = farm_of("a")
    farm.pass_seconds(4)  # each has its own time to beat, and to connect again: one hears the other seconds later
    farm.add("b")
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    before = farm.shares()
    assert farm.is_whole()
    farm.broker.kill(forget=forget)
    farm.pass_seconds(61.75)
    farm.broker.revive()
    for _ in farm.moments(60):
        assert farm.shares() == before
    assert not any(replica.replicas.is_fenced() for replica in farm.replicas.values())


def test_without_a_broker_since_the_start_somebody_sees_to_the_failsafe() -> None:
    farm = ReplicaFarm()
    farm.broker.kill()
    farm.add("a", "b")
    farm.pass_seconds(THREE_BEATS + A_LOOK)
    assert farm.replicas["a"].begun == farm.replicas["b"].begun == farm.units
    assert farm.replicas["a"].replicas.is_fenced(), "both tend all, so neither may raise anything"
    farm.broker.revive()
    farm.pass_seconds(5 + SETTLE + 2 * A_LOOK)
    assert farm.is_whole()


def test_whoever_keeps_stays_in_office_whoever_joins() -> None:
    farm = settled("b", keeps=True)
    farm.add("a", "c", "d")
    for _ in farm.moments(30):
        assert farm.shares()["b"] == set(farm.units)
    farm.replicas["b"].kill()
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    assert farm.is_whole()


def test_an_office_is_not_taken_up_unheard_and_stays_where_it_was() -> None:
    farm = settled("b", keeps=True)
    farm.add("a")
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    farm.broker.kill()
    farm.pass_seconds(THREE_BEATS + 60)
    assert farm.shares() == {"a": set(), "b": set(farm.units)}
    farm.broker.revive()
    for _ in farm.moments(30):
        assert farm.shares() == {"a": set(), "b": set(farm.units)}


def test_presence_tells_how_each_stands() -> None:
    farm = settled("a", "b", keeps=True)
    heard = farm.replicas["a"].replicas._roster.member("b")
    assert heard is not None
    assert heard.presence.tends == len(farm.shares()["b"])
    assert set(heard.presence.holds) == farm.shares()["b"]
    assert heard.presence.knows == ("a", "b")


def test_a_broker_that_dies_before_they_have_agreed_leaves_nothing_untended() -> None:
    farm = farm_of("a", "b")
    farm.pass_seconds(1)
    farm.broker.kill()
    farm.pass_seconds(THREE_BEATS + A_LOOK)
    assert farm.is_whole()
    assert farm.replicas["a"].replicas.is_fenced()


def test_after_an_outage_it_stays_fenced_until_they_have_agreed_anew() -> None:
    farm = settled("a", "b")
    farm.broker.kill()
    farm.pass_seconds(THREE_BEATS + 5)
    farm.broker.revive()
    replica = farm.replicas["a"]
    synced_for = [at for at in farm.moments(10) if replica.service.bus.is_synced() and replica.replicas.is_fenced()]
    assert SETTLE - A_LOOK <= synced_for[-1] - synced_for[0] <= SETTLE + A_LOOK


def test_whoever_joins_learns_from_the_others_who_is_lost() -> None:
    farm = settled("a", "b")
    farm.replicas["b"].kill()
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    farm.add("c")
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    assert farm.is_whole()
    contested = {
        unit for name in "ac" for unit, tenure in farm.replicas[name].replicas.tended.items() if tenure.is_contested()
    }
    assert contested >= {unit for unit in farm.units if owner(unit, ["a", "b"]) == "b"}
    farm.replicas["b"].start()
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    farm.replicas["b"].leave()
    farm.pass_seconds(SETTLE + 2 * A_LOOK)
    assert not any(tenure.is_contested() for name in "ac" for tenure in farm.replicas[name].replicas.tended.values())
