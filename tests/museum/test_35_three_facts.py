"""hass-miner 298 and 392: online, mining and unknown were one thing.

They are three: a miner may answer and not mine, and may answer and not know what it does.
"""

import pytest

from services.simulator.vnish import VnishStandIn
from services.vnish_agent.parse import HashUnit, read_out
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.farm import NORMAL, AgentRig


def test_a_stopped_miner_is_online_and_does_not_hash(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.force_state("stopped")
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(3)
    assert (rig.last("s19").reachable, rig.last("s19").state) == (True, MinerState.PAUSED)
    rig.close()


def test_a_miner_without_its_backend_is_online_and_unknown(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.faults.miner_null = True
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(5)
    told = rig.last("s19")
    assert (told.reachable, told.state, told.problem) == (True, MinerState.UNKNOWN, "state_unknown")
    assert (told.power_w, told.hashrate_ths, told.settled) == (None, None, False)
    rig.run(60)
    assert stand_in.controls() == [], "nothing is started into the unknown"
    assert "its state is not known" in rig.events[-1][1].sentence
    rig.pause("s19")
    rig.run(5)
    assert "/mining/stop" in stand_in.controls(), "unknown is not off"
    rig.close()


@pytest.mark.parametrize("word", ["paused", "idle", "", "MINING?", "ready"])
def test_a_word_that_nobody_knows_is_unknown(word: str) -> None:
    assert read_out({"miner_state": word}, None, HashUnit()).state is MinerState.UNKNOWN
