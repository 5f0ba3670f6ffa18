"""The Kasa stand-ins on real sockets, as the real python-kasa sees them."""

import asyncio
from collections.abc import Iterator

import pytest
from kasa import Device, DeviceConfig, KasaException, Module

from services.simulator.http import Wire
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from services.simulator.mains import PlainRig
from shared.clock import SystemClock, VirtualClock
from tests.kasa_client import ALIASES, WORLDS, legacy, nothing, serving, switched, turn_off, turn_on, visit
from tests.waiting import eventually

PATIENCE_SECONDS = 0.5

Place = tuple[KasaMachine, DeviceConfig]
"""A device, and how to reach it."""


@pytest.fixture
def rig(clock: VirtualClock) -> PlainRig:
    return PlainRig(1100, clock=clock)


@pytest.fixture(params=WORLDS)
def plug(request: pytest.FixtureRequest, clock: VirtualClock, rig: PlainRig) -> Iterator[Place]:
    """A plain plug with a meter, in each of the languages, and a rig on it."""
    machine = KasaMachine("KP125M" if request.param == "smart" else "KP115", clock=clock, name="Rig 7")
    machine.plug_in(rig)
    with serving(request.param, machine) as (_, config):
        yield machine, config


@pytest.fixture(params=WORLDS[:2])
def strip(request: pytest.FixtureRequest, clock: VirtualClock) -> Iterator[Place]:
    machine = KasaMachine("HS300", clock=clock, name="Strip", aliases=ALIASES)
    with serving(request.param, machine) as (_, config):
        yield machine, config


@pytest.mark.parametrize(
    ("model", "outlets", "meter"),
    [("HS103", 0, False), ("HS110", 0, True), ("KP115", 0, True), ("HS300", 6, True), ("KP303", 3, False)],
)
def test_each_model_tells_what_it_is(model: str, outlets: int, meter: bool) -> None:
    machine = KasaMachine(model, clock=SystemClock(), name="Shed")

    async def use(device: Device) -> None:
        assert (device.model, device.alias, device.mac, device.is_on) == (model, "Shed", machine.mac, True)
        assert len(device.children) == outlets
        assert (Module.Energy in device.modules) is meter

    with KasaServer(machine) as server:
        visit(legacy(server), use)


def test_a_plug_is_switched_and_takes_the_rig_with_it(plug: Place, rig: PlainRig, clock: VirtualClock) -> None:
    machine, config = plug

    async def use(device: Device) -> None:
        assert await switched(device, device, on=False) is False
        assert (rig.power_w, rig.hashing) == (0, False)
        clock.advance(10)
        assert await switched(device, device, on=True) is True
        clock.advance(10)
        assert (rig.hashing, rig.boots) == (True, 1)

    visit(config, use)
    assert [(each.outlet, each.on) for each in machine.switched] == [(0, False), (0, True)]


def test_the_meter_shows_what_the_rig_draws(plug: Place, rig: PlainRig, clock: VirtualClock) -> None:
    clock.advance(3600)

    async def use(device: Device) -> None:
        energy = device.modules[Module.Energy]
        assert energy.current_consumption == pytest.approx(1100)
        assert energy.consumption_today == pytest.approx(1.1, abs=0.002)
        assert energy.voltage is not None
        assert energy.current == pytest.approx(1100 / energy.voltage, abs=0.01)
        rig.hang()
        await device.update()
        assert energy.current_consumption == pytest.approx(165)
        await device.turn_off()
        await device.update()
        assert energy.current_consumption == 0

    visit(plug[1], use)


def test_one_outlet_of_a_strip_leaves_the_others_alone(strip: Place) -> None:
    machine, config = strip

    async def use(device: Device) -> None:
        assert [child.alias for child in device.children][:4] == [*ALIASES, "Outlet 4"]
        assert await switched(device, device.get_plug_by_name("Rig 2"), on=False) is False
        assert [child.is_on for child in device.children] == [True, False, True, True, True, True]

    visit(config, use)
    assert [outlet.on for outlet in machine.outlets] == [True, False, True, True, True, True]
    assert machine.parent_switched == 0


def test_each_outlet_of_a_strip_has_its_own_meter(strip: Place, rig: PlainRig, clock: VirtualClock) -> None:
    machine, config = strip
    machine.plug_in(rig, "Rig 1")
    machine.plug_in(PlainRig(300, clock=clock), 2)

    async def use(device: Device) -> None:
        watts = [child.modules[Module.Energy].current_consumption for child in device.children]
        assert watts == [1100, 300, 0, 0, 0, 0]

    visit(config, use)


def test_to_switch_a_whole_strip_shows_in_all_its_outlets(strip: Place) -> None:
    machine, config = strip
    visit(config, turn_off)
    assert [(each.outlet, each.on) for each in machine.switched] == [(number, False) for number in range(6)]


def test_a_press_of_the_button_shows(plug: Place) -> None:
    machine, config = plug

    async def use(device: Device) -> None:
        machine.press(on=False)
        await device.update()
        assert not device.is_on

    visit(config, use)


# --- what goes wrong


def test_a_refusal_is_an_error_and_moves_nothing(plug: Place) -> None:
    machine, config = plug
    machine.faults.refuses = True
    with pytest.raises(KasaException):
        visit(config, turn_off)
    assert machine.outlets[0].on


def test_it_can_refuse_to_switch_on_a_few_times(plug: Place) -> None:
    machine, config = plug
    machine.press(on=False)
    machine.faults.refuses_on = 2
    for _ in range(2):
        with pytest.raises(KasaException):
            visit(config, turn_on)
        assert not machine.outlets[0].on
    visit(config, turn_on)
    assert machine.outlets[0].on


def test_a_yes_may_mean_nothing(plug: Place) -> None:
    machine, config = plug
    machine.faults.yes_and_nothing = True

    async def use(device: Device) -> None:
        assert await switched(device, device, on=False) is True

    visit(config, use)
    assert not machine.switched


def test_a_switched_relay_may_never_say_so(plug: Place) -> None:
    machine, config = plug
    machine.faults.mute_relay = True

    async def use(device: Device) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await device.turn_off()

    with pytest.raises(TimeoutError):
        visit(config, use)
    assert not machine.outlets[0].on


def test_silence_lasts_until_somebody_gives_up(plug: Place) -> None:
    machine, config = plug

    async def use(device: Device) -> None:
        machine.faults.wire = Wire.SILENCE
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await device.update()
        machine.faults.wire = Wire.WHOLE
        await device.update()

    visit(config, use)


@pytest.mark.parametrize("wire", [Wire.RESET, Wire.HALF])
def test_broken_connections_are_errors(wire: Wire, clock: VirtualClock) -> None:
    machine = KasaMachine(clock=clock)
    machine.faults.wire = wire
    with KasaServer(machine) as server, pytest.raises(KasaException):
        visit(legacy(server), nothing)


@pytest.mark.parametrize("world", WORLDS[:2])
def test_garbage_is_an_error(world: str, clock: VirtualClock) -> None:
    machine = KasaMachine(clock=clock)
    machine.faults.garbage = b"<html>"
    with serving(world, machine) as (_, config), pytest.raises(KasaException):
        visit(config, nothing)


@pytest.mark.parametrize("world", WORLDS[:2])
def test_it_dies_and_comes_back_where_it_was(world: str, clock: VirtualClock) -> None:
    with serving(world, KasaMachine(clock=clock)) as (server, config):
        port = server.port

        async def use(device: Device) -> None:
            server.stop()
            with pytest.raises(KasaException):
                await device.update()
            assert server.start() == port
            await device.update()
            assert device.is_on

        visit(config, use)


def test_a_meter_may_fail_while_the_relay_works(clock: VirtualClock) -> None:
    machine = KasaMachine("KP115", clock=clock)

    async def use(device: Device) -> None:
        machine.faults.meter_fails = True
        assert await switched(device, device, on=False) is False

    with KasaServer(machine) as server:
        visit(legacy(server), use)
    assert not machine.outlets[0].on


def test_connections_are_let_go(clock: VirtualClock) -> None:
    with KasaServer(KasaMachine(clock=clock)) as server:

        async def use(_device: Device) -> None:
            assert server.connections == 1

        visit(legacy(server), use)
        assert eventually(lambda: server.connections == 0)
