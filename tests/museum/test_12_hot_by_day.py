"""Seed S3: 88 °C by day, and not one change: "day settings" were active, and those were all it knew to do.

It must be stepped down at the first reading, whatever the command says, and restored after it has cooled.
"""

from datetime import timedelta

import pytest

from services.simulator.axeos_firmware import GENERATIONS
from shared.clock import VirtualClock
from tests.bitaxe_farm import BitaxeRig, Saying, patches, runs_at, set_to

DAY = set_to(1150, 450)


@pytest.mark.parametrize("said", [{"temp": 88.0}, {"vrTemp": 106}], ids=["chip", "regulator"])
@pytest.mark.parametrize("generation", [generation for generation in GENERATIONS if generation != "nerd"])
def test_88_degrees_by_day_are_answered_at_once(generation: str, said: dict[str, float], clock: VirtualClock) -> None:
    stand_in = Saying(generation, clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", DAY)
    rig.run(180)
    assert rig.last("b1").settled
    before = len(patches(stand_in))
    stand_in.says = said
    rig.run(30)
    assert patches(stand_in)[before:] == [{"frequency": 400}, {"coreVoltage": 1100}], "each in one go"
    hot_at = next(told.at for told in rig.telemetry["b1"] if told.problem == "too_hot")
    sent_at = stand_in.controls()[before].at_seconds - clock.seconds()
    assert clock.now() + timedelta(seconds=sent_at) - hot_at < timedelta(seconds=1), "at the first reading"
    assert runs_at(stand_in) == (1100, 400)
    told = rig.last("b1")
    assert (told.problem, told.settled, told.point) == ("too_hot", False, "quiet")
    rig.run(900)
    assert runs_at(stand_in) == (1100, 400), "not restored while it is hot"
    assert rig.codes("b1") == ["too_hot"], "held back on purpose: no vain tries, no fault"
    stand_in.says = {}
    rig.run(400)
    assert runs_at(stand_in) == (1150, 450)
    assert (rig.last("b1").settled, rig.last("b1").problem) == (True, None)
    assert stand_in.undervolted == 0
    rig.close()


def test_without_a_temperature_nothing_is_set_higher(clock: VirtualClock) -> None:
    stand_in = Saying("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", DAY)
    rig.run(180)
    for unknown in (-1, 0, None):
        stand_in.says = {"temp": unknown, "temp2": -1}
        rig.order("b1", set_to(1250, 550))
        rig.run(120)
        assert runs_at(stand_in) == (1150, 450), "unknown is not cool"
        assert rig.last("b1").problem == "temperature_unknown"
        assert rig.last("b1").chip_temperature_celsius is None
    stand_in.says = {}
    rig.run(120)
    assert runs_at(stand_in) == (1250, 550)
    rig.close()
