"""Seed S3: a miner that was offline when day became night was skipped, and never caught up before the next switch.

It must be caught up at its next reading: what counts is the reading against the command, not one's own memory.
"""

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from shared.clock import VirtualClock
from tests.bitaxe_farm import BitaxeRig, runs_at, set_to

DAY, NIGHT = set_to(1150, 450), set_to(1250, 550)
RAMP_SECONDS = 55


@pytest.mark.parametrize("away", [Ill.OFF, Ill.SILENT, Ill.RESETS, Ill.GARBAGE])
def test_it_is_caught_up_when_it_is_back(away: Ill, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", DAY)
    rig.run(180)
    stand_in.begin(away)
    rig.run(60)
    assert not rig.last("b1").reachable
    rig.order("b1", NIGHT)
    rig.run(1200)
    stand_in.end(away)
    rig.run(120 + RAMP_SECONDS)
    assert runs_at(stand_in) == (1250, 550)
    assert rig.last("b1").settled
    rig.close()


def test_one_that_somebody_has_changed_is_set_back(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", NIGHT)
    rig.run(180)
    stand_in.write({"frequency": 575})
    rig.run(60)
    assert runs_at(stand_in) == (1250, 550)
    rig.close()
