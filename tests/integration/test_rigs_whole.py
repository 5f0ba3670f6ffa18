"""A rig hangs, is cycled through its outlet and works again: every service as wired in production, nobody disturbed."""

import pytest

from shared.messages import OverrideKind
from tests.whole_rigs import ASIC, RIG, Whole


@pytest.mark.parametrize("hung", [RIG, ASIC])
def test_what_hangs_is_cycled_once_and_works_again(hung: str) -> None:
    world = Whole().run(60)
    world.machines[hung].hang()
    world.run(900)
    assert [cut.worked for cut in world.cycles(hung)] == [False]
    assert world.is_on(hung)
    assert world.machines[hung].hashing
    care = world.commands[hung].care
    assert care is not None
    assert care.code == "at_work"


def test_what_a_person_has_paused_waits_until_it_may_run() -> None:
    world = Whole().run(60)
    world.person(RIG, OverrideKind.PAUSE)
    world.rig.hang()
    world.run(1500)
    assert not world.is_on(RIG)
    assert world.ordered[RIG] == []
    world.person(RIG, OverrideKind.AUTOMATIC)
    world.run(300)
    assert world.rig.hashing, "its power has come back, which cures it, too"


def test_what_never_works_is_given_up_on_and_the_other_goes_on() -> None:
    world = Whole(tries=2).run(60)
    world.rig.frailty.become_unstable(0)
    world.run(2400)
    care = world.commands[RIG].care
    assert care is not None
    assert (care.code, len(world.cycles(RIG))) == ("unstable", 2)
    assert world.is_on(RIG)
    assert (world.asic.hashing, world.cuts[ASIC]) == (True, [])
    world.rig.mend()
    world.person(RIG, OverrideKind.AUTOMATIC)
    world.run(600)
    care = world.commands[RIG].care
    assert care is None or care.code == "at_work"
