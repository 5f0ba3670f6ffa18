"""What was cycled has its full time from the moment when its power is back, and old evidence proves no new failure."""

from dataclasses import replace

from services.policy_engine.rules import WatchRules
from tests.watched_rigs import ASIC, PLAIN, WatchedFarm, rules_for


def just_ordered(watch: WatchRules = PLAIN) -> WatchedFarm:
    """A rig that hangs, at the moment when its first power cycle is ordered and not yet made."""
    farm = WatchedFarm(rules_for({"a": watch, "b": replace(ASIC, asked_every=watch.asked_every)}))
    farm.rigs["a"].hung = True
    while farm.codes("a")[-1:] != ["power_cycling"]:
        farm.tick()
    assert farm.rigs["a"].cycles == []
    return farm


def test_an_order_that_was_taken_late_still_leaves_the_whole_time_to_come_back() -> None:
    farm = just_ordered()
    rig = farm.rigs["a"]
    rig.hangs_again, rig.plug_alive = True, False
    farm.play(4)  # its outlet does not answer, but not for so long that the order is too old
    rig.plug_alive = True
    farm.play(40)
    assert len(rig.cycles) >= 2
    assert rig.cycles[1] - rig.cycles[0] >= PLAIN.cooldown


def test_a_pool_that_has_not_been_asked_since_is_no_evidence() -> None:
    farm = just_ordered(replace(PLAIN, asked_every=3 * PLAIN.cooldown))  # its answers count for long
    farm.pool_answers = False
    farm.play(25)
    assert farm.rigs["a"].works
    assert len(farm.rigs["a"].cycles) == 1
