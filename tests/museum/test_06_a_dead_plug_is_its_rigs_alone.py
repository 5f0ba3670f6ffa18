"""Seed S2: a plug that did not answer raised out of the loop, and the watch of every rig ended with it.

Only its own rig is affected, and says why; every other goes on, and is cut and given back as ordered.
"""

import pytest

from services.simulator.http import Wire
from services.simulator.kasa_machine import KasaMachine
from services.simulator.mains import PlainRig
from shared.clock import VirtualClock
from tests.plug_farm import PlugFarm, rig_on


@pytest.mark.parametrize("wire", [Wire.RESET, Wire.SILENCE, Wire.HALF])
def test_one_dead_plug_among_four(clock: VirtualClock, wire: Wire) -> None:
    names = [f"rig-{number}" for number in range(1, 5)]
    hosts = {name: f"192.0.2.{index}" for index, name in enumerate(names, start=1)}
    machines = {host: KasaMachine("HS103", clock=clock, name=name) for name, host in hosts.items()}
    for machine in machines.values():
        machine.plug_in(PlainRig(1100, clock=clock))
    farm = PlugFarm({name: rig_on(host=host) for name, host in hosts.items()}, machines, clock)
    for name in names:
        farm.order(name, on=True)
    farm.run(20)
    machines[hosts["rig-1"]].faults.wire = wire
    for name in names:
        farm.cycle(name)
    farm.run(90)
    told = farm.last("rig-1")
    assert (told.reachable, told.on) == (False, None)
    assert told.problem in farm.codes("rig-1")
    assert told.detail
    for name in names[1:]:
        assert [switched.on for switched in machines[hosts[name]].switched] == [False, True]
        assert farm.last(name).settled is True
        assert farm.codes(name) == []
    machines[hosts["rig-1"]].faults.wire = Wire.WHOLE
    farm.run(90)
    assert farm.last("rig-1").on is True
