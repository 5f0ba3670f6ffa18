"""Power cycles, from the order to the outlet that has power again."""

from datetime import timedelta

import pytest

from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from shared.clock import VirtualClock
from shared.messages import Action, Following
from tests.plug_farm import HOST, PlugFarm, rig_on, s19_on


@pytest.fixture
def machine(clock: VirtualClock) -> KasaMachine:
    machine = KasaMachine("KP115", clock=clock, name="Rig 7")
    machine.plug_in(PlainRig(1100, clock=clock))
    return machine


@pytest.fixture
def farm(machine: KasaMachine, clock: VirtualClock) -> PlugFarm:
    return PlugFarm({"rig-7": rig_on()}, {HOST: machine}, clock)


def moves(machine: KasaMachine) -> list[bool]:
    """What its relays really did, in order."""
    return [switched.on for switched in machine.switched]


def test_off_for_as_long_as_was_said_and_on_again(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    ordered_at = farm.cycle("rig-7", off_seconds=7)
    farm.run(30)
    assert moves(machine) == [False, True]
    off, on = machine.switched
    assert 7 <= on.at_seconds - off.at_seconds <= 10
    told = farm.last("rig-7")
    assert (told.last_cycle_at, told.cycle_off_since, told.on, told.settled) == (ordered_at, None, True, True)
    assert told.outside_off_since is None


def test_it_is_announced_before_the_outlet_is_off(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    ordered_at = farm.cycle("rig-7")
    while not machine.switched:
        farm.tick()
    announced = [told for told in farm.plugs["rig-7"] if told.last_cycle_at == ordered_at]
    assert announced
    assert announced[0].on is True
    assert announced[0].cycle_off_since is not None


def test_nothing_is_cut_while_the_broker_does_not_know(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.cycle("rig-7")
    farm.service.step()  # it has the order, and then the connection goes
    farm.link.cut()
    for turns in farm.runner.loops.values():
        turns.step()
    farm.silence_engine()
    for _ in range(100):
        for turns in farm.runner.loops.values():
            turns.step()
        farm.clock.advance(0.1)
    assert moves(machine) == []


def test_once_for_each_order_however_often_it_comes(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.cycle("rig-7")
    farm.run(400)
    assert moves(machine) == [False, True]
    farm.cycle("rig-7")
    farm.run(100)
    assert moves(machine) == [False, True, False, True]


@pytest.mark.parametrize(("age", "cycles"), [(290, 1), (310, 0)])
def test_only_a_young_order_is_followed(farm: PlugFarm, machine: KasaMachine, age: float, cycles: int) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.order("rig-7", on=True, cycle_at=farm.clock.now() - timedelta(seconds=age))
    farm.run(60)
    assert moves(machine) == [False, True] * cycles


@pytest.mark.parametrize("action", [Action.OBSERVE, Action.MAINTENANCE])
def test_nothing_is_cut_where_it_is_only_watched(farm: PlugFarm, machine: KasaMachine, action: Action) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.cycle("rig-7", action=action)
    farm.run(60)
    assert moves(machine) == []
    assert farm.last("rig-7").last_cycle_at is None


def test_an_observed_miner_is_never_cut(machine: KasaMachine, clock: VirtualClock) -> None:
    farm = PlugFarm({"rig-7": rig_on(observe=True)}, {HOST: machine}, clock)
    farm.cycle("rig-7")
    farm.run(60)
    assert moves(machine) == []
    assert farm.last("rig-7").last_cycle_at is None


def test_power_comes_back_although_it_is_only_watched_by_now(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    ordered_at = farm.cycle("rig-7")
    while not machine.switched:
        farm.tick()
    farm.order("rig-7", on=True, cycle_at=ordered_at, action=Action.MAINTENANCE)
    farm.run(60)
    assert moves(machine) == [False, True]


def test_what_is_meant_to_be_off_by_now_stays_off(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.cycle("rig-7")
    while not machine.switched:
        farm.tick()
    farm.order("rig-7", on=False)
    farm.run(60)
    assert moves(machine) == [False]
    told = farm.last("rig-7")
    assert (told.cycle_off_since, told.settled, told.desired) == (None, True, "off")


def test_it_is_switched_on_until_it_is_read_on(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    machine.faults.refuses_on = 6
    farm.cycle("rig-7")
    farm.run(60)
    assert moves(machine) == [False]
    assert "command_without_effect" in farm.codes("rig-7")
    assert farm.last("rig-7").cycle_off_since is not None
    farm.run(300)
    assert moves(machine) == [False, True]
    assert farm.last("rig-7").cycle_off_since is None
    assert farm.codes("rig-7")[-1] == "recovered"


def test_a_plug_that_dies_in_the_midst_of_it_is_switched_on_when_it_is_back(
    farm: PlugFarm, machine: KasaMachine
) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.cycle("rig-7")
    while not machine.switched:
        farm.tick()
    farm.links[HOST].dead = True
    farm.run(120)
    told = farm.last("rig-7")
    assert (told.reachable, told.on, told.cycle_off_since is None) == (False, None, False)
    farm.links[HOST].dead = False
    farm.run(40)
    assert moves(machine) == [False, True]


def test_a_relay_that_does_not_move_ends_the_cycle_and_is_told(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    machine.faults.yes_and_nothing = True
    farm.cycle("rig-7")
    farm.run(200)
    assert moves(machine) == []
    assert "command_without_effect" in farm.codes("rig-7")
    assert farm.last("rig-7").cycle_off_since is None


@pytest.mark.parametrize("failsafe", ["pause", "hold"])
def test_the_engine_dies_while_the_power_is_cut(machine: KasaMachine, clock: VirtualClock, failsafe: str) -> None:
    farm = PlugFarm({"rig-7": rig_on(failsafe=failsafe)}, {HOST: machine}, clock)
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.cycle("rig-7", off_seconds=120)
    while not machine.switched:
        farm.tick()
    farm.silence_engine()
    farm.run(600)
    assert farm.last("rig-7").following is Following.FAILSAFE
    assert moves(machine) == ([False, True, False] if failsafe == "pause" else [False, True])


def test_a_miner_with_an_api_gets_its_power_back_in_the_failsafe(machine: KasaMachine, clock: VirtualClock) -> None:
    farm = PlugFarm({"s19": s19_on()}, {HOST: machine}, clock)
    farm.order("s19", on=True)
    farm.run(20)
    farm.cycle("s19", off_seconds=300)
    while not machine.switched:
        farm.tick()
    farm.silence_engine()
    farm.run(600)
    assert farm.last("s19").following is Following.FAILSAFE
    assert moves(machine) == [False, True]


@pytest.mark.parametrize(("api", "expected"), [(True, [False, True]), (False, [False])])
def test_an_emergency_stop_in_the_midst_of_it(
    machine: KasaMachine, clock: VirtualClock, api: bool, expected: list[bool]
) -> None:
    farm = PlugFarm({"m": s19_on() if api else rig_on()}, {HOST: machine}, clock)
    farm.order("m", on=True)
    farm.run(20)
    farm.cycle("m")
    while not machine.switched:
        farm.tick()
    farm.emergency_stop(active=True)
    farm.run(60)
    assert moves(machine) == expected
    assert farm.last("m").cycle_off_since is None
