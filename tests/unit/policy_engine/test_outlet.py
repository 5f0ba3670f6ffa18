"""What the outlet of a miner shall be: its power is cut for good reasons only, and given back by whoever cut it."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import Action, OverrideKind
from tests.watched_rigs import ASIC, PLAIN, WatchedFarm, rules_for

CUT = replace(ASIC, cut_below_celsius=40.0)


def paused(farm: WatchedFarm, hours: float = 5) -> WatchedFarm:
    farm.run.override("a", OverrideKind.PAUSE, until=farm.now + timedelta(hours=hours))
    return farm


def test_a_plain_rig_is_switched_by_its_outlet() -> None:
    farm = paused(WatchedFarm(rules_for({"a": PLAIN})), hours=1).play(2)
    assert not farm.is_on("a")
    farm.play(66)
    assert farm.is_on("a")


def test_the_outlet_of_a_paused_miner_stays_on() -> None:
    farm = paused(WatchedFarm(rules_for({"a": ASIC}))).play(60)
    assert (farm.rigs["a"].paused, farm.rigs["a"].on) == (True, True)


def test_power_is_cut_only_once_it_has_cooled_down() -> None:
    farm = paused(WatchedFarm(rules_for({"a": CUT}))).play(30)
    assert farm.is_on("a")
    farm.rigs["a"].chip_celsius = None
    farm.play(30)
    assert farm.is_on("a")
    farm.rigs["a"].chip_celsius = 39.0
    farm.play(2)
    assert not farm.is_on("a")
    farm.play(60)
    assert not farm.is_on("a")


def test_and_given_back_when_it_may_hash_again() -> None:
    farm = paused(WatchedFarm(rules_for({"a": CUT})), hours=1)
    farm.rigs["a"].chip_celsius = 30.0
    farm.play(30)
    assert not farm.is_on("a")
    farm.restart_engine().play(10)
    assert not farm.is_on("a")
    farm.play(30)
    assert (farm.rigs["a"].on, farm.rigs["a"].works) == (True, True)
    assert farm.rigs["a"].cycles == []


def test_those_that_get_their_power_back_come_one_after_another() -> None:
    watch = replace(CUT, nominal_w=4000.0)
    rules = Rules(miners={name: MinerRules(nominal_w=4000, watch=watch) for name in "ab"}, stagger_w=4000.0)
    farm = WatchedFarm(rules)
    for name, rig in farm.rigs.items():
        rig.chip_celsius = 30.0
        farm.run.override(name, OverrideKind.PAUSE, until=farm.now + timedelta(hours=1))
    farm.play(50)
    assert [rig.on for rig in farm.rigs.values()] == [False, False]
    back: dict[str, datetime] = {}
    for _ in range(60):
        farm.tick()
        back |= {name: farm.now for name, rig in farm.rigs.items() if rig.on and name not in back}
    assert abs(back["a"] - back["b"]) >= rules.stagger_window


def test_a_miner_that_does_not_stop_loses_its_power() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC}))
    farm.rigs["a"].hung = True
    paused(farm).play(4)
    assert farm.is_on("a")
    farm.play(6)
    assert not farm.is_on("a")
    farm.play(600)
    assert farm.is_on("a")


def test_one_that_was_seen_to_stop_does_not() -> None:
    farm = paused(WatchedFarm(rules_for({"a": ASIC}))).play(5)
    farm.rigs["a"].hung = True
    farm.play(60)
    assert farm.is_on("a")


def test_nor_one_whose_meter_shows_that_it_stands_still() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC}))
    farm.rigs["a"].hung = farm.rigs["a"].meter = True
    paused(farm).play(60)
    assert farm.is_on("a")


def test_an_outlet_that_was_off_before_is_not_switched_on_for_a_miner_that_is_only_watched() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC}))
    fresh = WatchedFarm.__new__(WatchedFarm)
    fresh.__dict__ |= farm.__dict__
    fresh.run = farm.run.__class__(farm.rules)
    fresh.rigs["a"].on = False
    fresh.play(60)
    assert not fresh.rigs["a"].on


def test_maintenance_reaches_the_outlet() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN}))
    farm.run.override("a", OverrideKind.MAINTENANCE, until=farm.now + timedelta(hours=1))
    farm.play(2)
    name, outlet = farm.run.outlets[-1]
    assert (name, outlet.action, outlet.on) == ("a", Action.MAINTENANCE, True)
    assert outlet.suspended_until is not None
