"""Seed S1: a 500 on stop was taken for success: "mining stopped" three times, and the rig still hashed.

The next reading decides: tried again with back-off, then a fault with an event, and over when it stops at last.
"""

from services.simulator.vnish import VnishStandIn
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.farm import AgentRig


def test_a_stop_that_fails_becomes_a_fault(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.faults.server_error = True
    rig = AgentRig({"s19": stand_in}, clock)
    rig.pause("s19")
    rig.run(60)
    told = rig.last("s19")
    assert stand_in.hashing
    assert (told.state, told.problem, told.settled) == (MinerState.FAULT, "command_without_effect", False)
    assert told.power_w == stand_in.power_w
    assert rig.codes("s19") == ["command_without_effect"]
    assert "failed-to-activate-pause-mode" in rig.events[-1][1].sentence
    tries = len(stand_in.controls())
    rig.run(60)
    assert tries < len(stand_in.controls()) <= tries + 2
    stand_in.faults.server_error = False
    rig.run(90)
    assert stand_in.state == "stopped"
    assert rig.codes("s19") == ["command_without_effect", "recovered"]
    rig.close()


def test_a_500_from_a_miner_that_stops_all_the_same_is_no_fault(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.faults.server_error = True
    rig = AgentRig({"s19": stand_in}, clock)
    rig.pause("s19")
    rig.run(3)
    stand_in.force_state("stopped")
    rig.run(10)
    assert rig.last("s19").settled is True
    assert rig.codes("s19") == []
    rig.close()
