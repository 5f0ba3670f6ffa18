"""Seed S3: the firmware had set its device to 50 MHz and 1000 mV against heat; it was never noticed, or fought.

It must be noticed, left alone to cool, and then set lower than before; the owner hears of it. Firmware from 2.11 takes
100 MHz and 100 mV away in place of that.
"""

import pytest

from services.bitaxe_agent.protection import LEAVE_ALONE
from services.simulator.axeos import AxeOsStandIn
from shared.clock import VirtualClock
from tests.bitaxe_farm import BitaxeRig, orders, patches, runs_at, set_to

NIGHT = set_to(1250, 550)
HOLD_SECONDS = LEAVE_ALONE.total_seconds()


def at_night(generation: str, clock: VirtualClock) -> tuple[AxeOsStandIn, BitaxeRig]:
    """A Bitaxe that hashes at its night setting."""
    stand_in = AxeOsStandIn(generation, clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", NIGHT)
    rig.run(180)
    assert rig.last("b1").settled
    return stand_in, rig


@pytest.mark.parametrize(("generation", "left_at"), [("2.4", (1000, 50)), ("2.10", (1000, 50)), ("2.12", (1150, 450))])
def test_it_is_noticed_held_and_set_lower_after_it_has_cooled(
    generation: str, left_at: tuple[float, float], clock: VirtualClock
) -> None:
    stand_in, rig = at_night(generation, clock)
    sent = len(stand_in.controls())
    stand_in.overheat()
    rig.run(60)
    told = rig.last("b1")
    assert (told.problem, told.settled) == ("firmware_protected", False)
    assert told.protected_since is not None
    assert rig.codes("b1") == ["firmware_protected"]
    rig.run(HOLD_SECONDS - 90)
    assert runs_at(stand_in) == left_at
    assert len(stand_in.controls()) == sent, "left alone"
    rig.run(400)
    assert runs_at(stand_in) == (1150, 450), "lower than it was"
    assert stand_in.protections == 1
    assert rig.last("b1").protected_since == told.protected_since
    assert "command_without_effect" not in rig.codes("b1"), "held back on purpose"
    assert stand_in.undervolted == 0
    assert stand_in.snapshot().settings["autofanspeed"] == 1, "the fan is the firmware's again"
    rig.close()


def test_old_firmware_is_led_out_of_its_overheat_mode(clock: VirtualClock) -> None:
    stand_in, rig = at_night("2.10", clock)
    sent = len(stand_in.controls())
    stand_in.overheat()
    rig.run(HOLD_SECONDS + 120)
    assert orders(stand_in) == ["restart"]
    changes = patches(stand_in)
    assert {"overheat_mode": 0} in changes
    assert changes.index({"overheat_mode": 0}) >= sent - 1
    rig.close()


def test_a_stop_is_obeyed_meanwhile(clock: VirtualClock) -> None:
    stand_in, rig = at_night("2.15", clock)
    stand_in.overheat()
    rig.run(60)
    rig.pause("b1")
    rig.run(5)
    assert not stand_in.hashing
    assert rig.last("b1").settled
    rig.close()


@pytest.mark.parametrize("generation", ["2.10", "2.12"])
def test_a_restart_of_the_agent_does_not_undo_the_protection(generation: str, clock: VirtualClock) -> None:
    stand_in, rig = at_night(generation, clock)
    stand_in.overheat()
    rig.run(60)
    since = rig.last("b1").protected_since
    rig.close()
    point = runs_at(stand_in)
    second = BitaxeRig({"b1": stand_in}, clock, broker=rig.broker)
    second.order("b1", NIGHT)
    second.run(HOLD_SECONDS - 120)
    assert second.last("b1").protected_since == since
    assert runs_at(stand_in) == point
    second.run(600)
    assert 50 < runs_at(stand_in)[1] <= 450, "lower than it was, as far as the second one can know that"
    second.close()
