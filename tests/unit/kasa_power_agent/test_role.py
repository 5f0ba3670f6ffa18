"""Outlets in the hands of the engine, of nobody, and of people who press buttons."""

from datetime import timedelta

import pytest

from services.kasa_power_agent.role import PlugRole
from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from shared.clock import VirtualClock
from shared.messages import PAUSE, Following, MinerState, OperatingPoint, PlugTelemetry
from tests.plug_farm import HOST, PlugFarm, plug_command, rig_on, s19_on

ON = OperatingPoint(name="on", power_w=1100)


@pytest.fixture
def machine(clock: VirtualClock) -> KasaMachine:
    machine = KasaMachine("KP115", clock=clock, name="Rig 7")
    machine.plug_in(PlainRig(1100, clock=clock))
    return machine


@pytest.fixture
def farm(machine: KasaMachine, clock: VirtualClock) -> PlugFarm:
    return PlugFarm({"rig-7": rig_on()}, {HOST: machine}, clock)


def is_on(machine: KasaMachine) -> bool:
    return machine.outlets[0].on


def test_it_is_off_soon_after_the_order_and_on_again(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.order("rig-7", on=False)
    farm.run(3)
    assert not is_on(machine)
    told = farm.last("rig-7")
    assert (told.on, told.desired, told.settled, told.power_w) == (False, "off", True, 0)
    farm.order("rig-7", on=True)
    farm.run(12)
    assert is_on(machine)
    assert farm.last("rig-7").settled is True


def test_what_it_is_told_of_the_outlet(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.run(5)
    told = farm.last("rig-7")
    assert (told.on, told.power_w, told.voltage_v, told.outlet, told.outlet_number) == (True, 1100, 230, "Rig 7", None)
    assert (told.model, told.mac, told.following) == (machine.model.name, machine.mac, Following.NOTHING)


def test_a_machine_without_an_api_is_a_miner(farm: PlugFarm) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    told = farm.miner("rig-7")
    assert (told.driver, told.state, told.point, told.power_w) == ("plug", MinerState.HASHING, "on", 1100)
    assert (told.desired, told.settled, told.epoch) == ("on", True, 1)
    assert told.ladder is not None
    assert [(point.name, point.power_w) for point in told.ladder.points] == [("pause", 0), ("on", 1100)]
    farm.order("rig-7", on=False)
    farm.run(5)
    told = farm.miner("rig-7")
    assert (told.state, told.point, told.desired, told.settled) == (MinerState.PAUSED, "pause", "pause", True)
    assert told.stopped_at is not None


def test_a_miner_with_an_api_is_told_by_its_own_agent(machine: KasaMachine, clock: VirtualClock) -> None:
    farm = PlugFarm({"s19": s19_on()}, {HOST: machine}, clock)
    farm.run(5)
    assert farm.last("s19").on is True
    assert farm.miners["s19"] == []


@pytest.mark.parametrize(
    ("miner", "stays_on"),
    [
        (rig_on(), True),
        (rig_on(failsafe="pause"), False),
        (rig_on(stop_soc=60, resume_soc=70), False),
        (rig_on(require_grid=True), False),
        (rig_on(stop_soc=60, resume_soc=70, failsafe="hold"), True),
        (s19_on(), True),
    ],
    ids=str,
)
def test_the_failsafe(machine: KasaMachine, clock: VirtualClock, miner: dict[str, object], stays_on: bool) -> None:
    farm = PlugFarm({"m": miner}, {HOST: machine}, clock)
    farm.order("m", on=True)
    farm.run(20)
    farm.silence_engine()
    farm.run(150)
    assert is_on(machine)
    farm.run(60)
    assert is_on(machine) is stays_on
    assert farm.last("m").following is Following.FAILSAFE


@pytest.mark.parametrize(("miner", "stays_on"), [(rig_on(), False), (s19_on(), True)], ids=str)
def test_the_emergency_stop(
    machine: KasaMachine, clock: VirtualClock, miner: dict[str, object], stays_on: bool
) -> None:
    farm = PlugFarm({"m": miner}, {HOST: machine}, clock)
    farm.order("m", on=True)
    farm.run(20)
    farm.emergency_stop(active=True)
    farm.run(2)
    assert is_on(machine) is stays_on


def test_after_a_stop_only_an_engine_that_knew_of_it_starts_it(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.decide("rig-7", ON, answers=farm.miner("rig-7").at)
    farm.emergency_stop(active=True)
    farm.run(5)
    farm.emergency_stop(active=False)
    farm.run(40)
    assert not is_on(machine)
    stopped_at = farm.miner("rig-7").stopped_at
    assert stopped_at is not None
    farm.decide("rig-7", PAUSE, answers=stopped_at)
    farm.run(20)
    assert not is_on(machine)
    farm.decide("rig-7", ON, answers=stopped_at)
    farm.run(20)
    assert is_on(machine)
    assert farm.miner("rig-7").stopped_at is None


def test_a_stop_is_remembered_by_the_next_process(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    farm.emergency_stop(active=True)
    farm.run(5)
    stopped_at = farm.miner("rig-7").stopped_at
    farm.kill()
    farm.emergency_stop(active=False)
    farm.decide("rig-7", ON, answers=farm.clock.now() - timedelta(minutes=1))
    farm.launch()
    farm.run(30)
    assert not is_on(machine)
    assert farm.miner("rig-7").stopped_at == stopped_at


def test_what_somebody_switches_off_stays_off_until_the_engine_says_that_it_is_over(
    farm: PlugFarm, machine: KasaMachine
) -> None:
    farm.order("rig-7", on=True)
    farm.run(20)
    machine.press(on=False)
    farm.run(60)
    assert not is_on(machine)
    since = farm.last("rig-7").outside_off_since
    assert since is not None
    assert farm.miner("rig-7").outside_pause_since == since
    farm.cycle("rig-7")
    farm.run(30)
    assert not is_on(machine)
    farm.order("rig-7", on=True, outside_off_over=since)
    farm.run(20)
    assert is_on(machine)
    assert farm.last("rig-7").outside_off_since is None


def test_what_somebody_switches_on_is_switched_off_again(farm: PlugFarm, machine: KasaMachine) -> None:
    farm.order("rig-7", on=False)
    farm.run(20)
    machine.press(on=True)
    farm.run(20)
    assert not is_on(machine)


def test_nothing_is_switched_on_by_the_word_of_a_silent_engine(farm: PlugFarm, machine: KasaMachine) -> None:
    machine.press(on=False)
    farm.links[HOST].dead = True
    farm.order("rig-7", on=True)
    farm.run(30)
    farm.silence_engine()
    farm.run(60)
    farm.links[HOST].dead = False
    farm.run(30)
    assert farm.last("rig-7").following is Following.GRACE
    assert not is_on(machine)


def test_no_cycle_is_begun_before_the_memory_is_there(clock: VirtualClock) -> None:
    role = PlugRole(clock)
    command = plug_command(clock, on=True, cycle_at=clock.now())
    role.hear(command, clock.now(), retained=False)
    reading = PlugTelemetry(at=clock.now(), reachable=True, on=True)
    assert role.regard(reading, Following.COMMAND, command, settled_before=True).last_cycle_at is None
    role.memory_arrived()
    assert role.regard(reading, Following.COMMAND, command, settled_before=True).last_cycle_at == command.cycle_at
