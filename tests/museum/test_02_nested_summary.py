"""Seed S1: the state nested in `/summary` was read as idle, so that a hashing rig was never stopped.

It must be read wherever it stands, and the rig stopped.
"""

import pytest

from services.simulator.vnish import VnishStandIn
from services.vnish_agent.parse import HashUnit, read_out
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.farm import AgentRig

NESTED = {"miner": {"miner_status": {"miner_state": "mining", "miner_state_time": 6412}, "power_usage": 3733.0}}


def test_a_nested_state_is_hashing() -> None:
    assert read_out(None, NESTED, HashUnit()).state is MinerState.HASHING


@pytest.mark.parametrize("generation", ["1.2.0-beta10", "1.2.0-rc5"])
def test_a_rig_without_status_is_stopped(generation: str, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(generation, clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(3)
    assert rig.last("s19").state is MinerState.HASHING
    rig.pause("s19")
    rig.run(10)
    assert not stand_in.hashing
    assert rig.last("s19").state is MinerState.PAUSED
    assert rig.last("s19").settled is True
    rig.close()
