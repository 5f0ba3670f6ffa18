"""pyasic 40 and hass-miner 587: resume reported success, and the miner stayed off.

A yes proves nothing: it is read back, tried again, and called a fault.
"""

from services.simulator.vnish import VnishStandIn
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.farm import NORMAL, AgentRig


def test_a_start_without_effect_becomes_a_fault(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.force_state("stopped")
    stand_in.faults.yes_and_nothing = True
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(5)
    assert rig.last("s19").settled is False
    assert rig.last("s19").state is MinerState.PAUSED
    rig.run(60)
    assert stand_in.state == "stopped"
    assert (rig.last("s19").state, rig.last("s19").problem) == (MinerState.FAULT, "command_without_effect")
    assert rig.codes("s19") == ["command_without_effect"]
    assert "does not carry it out" in rig.events[-1][1].sentence
    stand_in.faults.yes_and_nothing = False
    rig.run(90)
    assert stand_in.hashing
    assert rig.codes("s19") == ["command_without_effect", "recovered"]
    rig.close()
