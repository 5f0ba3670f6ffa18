"""Seed S3: the voltage was lowered before the frequency, so that the core was under-volted for a moment at each switch.

Down, the frequency goes first and is waited for; up, the voltage goes first.
"""

import pytest

from services.bitaxe_agent.controls import Pace
from services.bitaxe_agent.driver import Manners
from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import GENERATIONS
from services.simulator.axeos_ills import Ill
from shared.clock import VirtualClock
from tests.bitaxe_farm import BitaxeRig, patches, runs_at, set_to

DAY, NIGHT = set_to(1100, 400), set_to(1200, 600)
"""So steep that any mistake in the order shows as too little voltage."""


def keys(changes: list[dict[str, object]]) -> list[str]:
    """The settings that were changed, one per request."""
    assert all(len(change) == 1 for change in changes), "the firmware would take the voltage first"
    return [next(iter(change)) for change in changes]


@pytest.mark.parametrize("generation", [generation for generation in GENERATIONS if generation != "nerd"])
@pytest.mark.parametrize("pace", [Pace(), Pace(steps=1, delay_seconds=1)], ids=["default", "hasty"])
def test_each_way_has_its_order(generation: str, pace: Pace, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    stand_in.begin(Ill.BRITTLE)
    rig = BitaxeRig({"b1": stand_in}, clock, manners=Manners(pace=pace))
    for point, first, last in ((DAY, "frequency", "coreVoltage"), (NIGHT, "coreVoltage", "frequency")) * 2:
        before = len(patches(stand_in))
        rig.order("b1", point)
        rig.run(180)
        assert rig.last("b1").settled
        sent = keys(patches(stand_in)[before:])
        assert sent == [first] * sent.count(first) + [last] * sent.count(last)
        assert sent.count(first) >= 1 <= sent.count(last)
    assert stand_in.undervolted == 0
    assert stand_in.hashing, "nothing has made it lose its chips"
    rig.close()


@pytest.mark.parametrize("after_seconds", [1, 6, 14, 23, 31, 42])
def test_a_turn_in_the_middle_keeps_the_order(after_seconds: float, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.10", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", NIGHT)
    rig.run(180)
    for point in (DAY, NIGHT, DAY, NIGHT):
        rig.order("b1", point)
        rig.run(after_seconds)
    rig.run(120)
    assert runs_at(stand_in) == (1200, 600)
    assert stand_in.undervolted == 0
    rig.close()
