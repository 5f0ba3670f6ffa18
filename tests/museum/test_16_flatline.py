"""ESP-Miner 1053, the "flatline of death": the hashrate stands frozen at a fine value, and no share arrives any more.

It must be found from the share counters, restarted, and then power-cycled.
"""

import pytest

from services.bitaxe_agent.shares import FROZEN_SECONDS
from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.bitaxe_farm import BitaxeRig, Saying, set_to
from tests.watched_rigs import ASIC, WatchedFarm, rules_for


@pytest.mark.parametrize("generation", ["2.4", "2.12", "2.15"])
def test_a_frozen_hashrate_without_shares_is_no_hashing(generation: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", set_to(1150, 525))
    rig.run(300)
    assert rig.last("b1").state is MinerState.HASHING
    stand_in.begin(Ill.FLAT)
    rig.run(FROZEN_SECONDS + 60)
    told = rig.last("b1")
    assert (told.hashrate_ths or 0) > 0.9, "as the device tells it"
    assert (told.reachable, told.state, told.settled) == (True, MinerState.FAULT, False)
    rig.run(60)
    assert rig.codes("b1")[0] == "flatline"
    stand_in.reboot()
    rig.run(120)
    assert (rig.last("b1").state, rig.last("b1").problem) == (MinerState.HASHING, None)
    rig.close()


def test_a_miner_that_only_lacks_shares_is_no_flatline(clock: VirtualClock) -> None:
    stand_in = Saying("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", set_to(1150, 525))
    rig.run(300)
    stand_in.says = {"sharesAccepted": 90, "sharesRejected": 0}
    rig.run(2000)
    told = rig.last("b1")
    assert (told.state, told.settled, told.problem) == (MinerState.HASHING, True, "no_shares")
    rig.close()


def test_it_is_restarted_and_then_power_cycled() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    rig = farm.rigs["a"]
    rig.frozen = rig.stubborn = True
    farm.play(16)
    assert (len(rig.restarts), len(rig.cycles)) == (1, 0)
    farm.play(60)
    assert (len(rig.restarts), len(rig.cycles), rig.works) == (1, 1, True)
    assert farm.rigs["b"].restarts == []


def test_while_all_miners_are_without_shares_it_is_the_pool() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    for rig in farm.rigs.values():
        rig.frozen = rig.stubborn = True
    farm.pool_answers = False
    farm.play(600)
    assert [(rig.restarts, rig.cycles) for rig in farm.rigs.values()] == [([], []), ([], [])]
