"""Seed S1: auto-tuning and initializing counted as idle, so they were never stopped, and starting was started again.

Whatever draws power can be stopped, and what is starting is left to start.
"""

import pytest

from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import Pace
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.farm import NORMAL, AgentRig


@pytest.mark.parametrize("state", ["auto-tuning", "initializing", "starting", "restarting"])
def test_what_draws_power_is_stopped(state: str, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.force_state(state)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.pause("s19")
    rig.run(10)
    assert stand_in.state == "stopped"
    assert rig.last("s19").state is MinerState.PAUSED
    rig.close()


def test_a_start_is_sent_once_however_long_the_ramp(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, pace=Pace(initializing_seconds=240))
    stand_in.force_state("stopped")
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(200)
    assert stand_in.controls() == ["/mining/start"]
    assert rig.last("s19").state is MinerState.RAMPING
    rig.run(60)
    assert rig.last("s19").settled is True
    assert stand_in.controls() == ["/mining/start"]
    rig.close()
