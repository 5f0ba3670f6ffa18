"""pyasic 225: a failed miner counted as mining.

Failure is a state of its own, with the miner's own code and words, and it is never settled at a hashing point.
"""

from services.simulator.vnish import VnishStandIn
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.farm import NORMAL, AgentRig


def test_failure_is_told_and_is_not_hashing(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.faults.server_error = True
    stand_in.force_state("failure")
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(5)
    told = rig.last("s19")
    assert (told.state, told.problem) == (MinerState.FAULT, "miner_failure")
    assert told.detail == "failure 1002: Failed to parse miner configuration"
    assert (told.settled, told.point) == (False, None)
    assert rig.codes("s19") == ["miner_failure"]
    rig.run(300)
    assert len([path for path in stand_in.controls() if path == "/mining/start"]) <= 10
    rig.close()


def test_a_failed_miner_counts_as_paused_only_if_it_draws_nothing(clock: VirtualClock) -> None:
    quiet, hot = VnishStandIn(clock=clock), VnishStandIn(clock=clock)
    for stand_in in (quiet, hot):
        stand_in.force_state("failure")
    hot.failure_w = 1200
    rig = AgentRig({"quiet": quiet, "hot": hot}, clock)
    rig.pause("quiet")
    rig.pause("hot")
    rig.run(3)
    assert rig.last("quiet").settled is True
    assert quiet.controls() == []
    assert "/mining/stop" in hot.controls()
    rig.close()
