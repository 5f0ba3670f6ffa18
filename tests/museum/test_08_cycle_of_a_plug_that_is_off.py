"""Seed S2: a plug that was off when its rig was to be restarted only ever got "on".

It must be a real cycle: switched off, read off, kept off, and switched on.
"""

from services.kasa_power_agent.link import DeviceReading
from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from shared.clock import VirtualClock
from tests.plug_farm import HOST, PlugFarm, rig_on


def test_a_plug_that_is_off_gets_a_whole_cycle(clock: VirtualClock) -> None:
    machine = KasaMachine("KP115", clock=clock)
    rig = PlainRig(1100, clock=clock)
    machine.plug_in(rig)
    machine.press(on=False)
    farm = PlugFarm({"rig-7": rig_on()}, {HOST: machine}, clock)
    said: list[tuple[float, bool]] = []
    switch = farm.links[HOST].switch

    def heard(outlet_id: str, *, on: bool) -> None:
        said.append((clock.seconds(), on))
        switch(outlet_id, on=on)

    farm.links[HOST].switch = heard  # type: ignore[method-assign]
    farm.cycle("rig-7", off_seconds=10)
    farm.run(40)
    assert [on for _, on in said] == [False, True]
    assert said[1][0] - said[0][0] >= 10
    assert machine.outlets[0].on
    assert rig.boots == 1


def test_off_is_believed_only_when_it_is_read(clock: VirtualClock) -> None:
    machine = KasaMachine("KP115", clock=clock)
    farm = PlugFarm({"rig-7": rig_on()}, {HOST: machine}, clock)
    farm.order("rig-7", on=True)
    farm.run(20)
    machine.faults.yes_and_nothing = True
    farm.cycle("rig-7", off_seconds=10)
    farm.run(30)
    machine.faults.yes_and_nothing = False
    farm.run(80)
    assert [switched.on for switched in machine.switched] == [False, True]
    off, on = machine.switched
    assert on.at_seconds - off.at_seconds >= 10


def test_a_reading_that_tells_no_state_is_not_off(clock: VirtualClock) -> None:
    machine = KasaMachine("KP115", clock=clock)
    farm = PlugFarm({"rig-7": rig_on()}, {HOST: machine}, clock)
    link = farm.links[HOST]
    read = link.read

    def blank(*, meters: bool) -> DeviceReading:
        told = read(meters=meters)
        return DeviceReading(tuple(type(each)(each.outlet_id, None) for each in told.outlets), mac=told.mac)

    link.read = blank  # type: ignore[method-assign]
    farm.run(20)
    assert farm.last("rig-7").on is None
    assert farm.miner("rig-7").state == "unknown"
