"""hass-miner 298 and 392: online, mining and unknown were one thing.

They are three: a miner may answer and not mine, and may answer and not know what it does.
"""

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from services.simulator.vnish import VnishStandIn
from services.vnish_agent.parse import HashUnit, read_out
from shared.clock import VirtualClock
from shared.messages import MinerState
from tests.bitaxe_farm import BitaxeRig, Saying, patches, set_to
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


def test_a_paused_bitaxe_is_online_and_does_not_hash(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.run(60)
    rig.pause("b1")
    rig.run(5)
    told = rig.last("b1")
    assert (told.reachable, told.state, told.settled, told.point) == (True, MinerState.PAUSED, True, "pause")
    assert told.chip_temperature_celsius is None, "-1 while its chip is off: unknown, not cold"
    stand_in.reboot()  # it mines after a boot, whatever was before
    rig.run(60)
    assert rig.last("b1").state is MinerState.PAUSED
    rig.close()


@pytest.mark.parametrize(
    ("said", "state", "problem"),
    [
        ({"hashRate": None}, MinerState.UNKNOWN, "state_unknown"),
        ({"hashRate": "soon"}, MinerState.UNKNOWN, "state_unknown"),
        ({"hashRate": 0}, MinerState.FAULT, "not_hashing"),
        ({"power_fault": "VIN under voltage"}, MinerState.FAULT, "hardware_fault"),
    ],
)
def test_a_bitaxe_that_answers_may_not_hash_or_not_say(
    said: dict[str, object], state: MinerState, problem: str, clock: VirtualClock
) -> None:
    stand_in = Saying("2.12", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", set_to(1150, 525))
    rig.run(60)
    assert rig.last("b1").state is MinerState.HASHING
    stand_in.says = said
    rig.run(200)
    told = rig.last("b1")
    assert (told.reachable, told.settled) == (True, False)
    assert told.state in {state, MinerState.FAULT}
    assert problem in rig.codes("b1")
    assert patches(stand_in) == [], "nothing is sent into the unknown"
    rig.close()


def test_a_bitaxe_that_does_not_answer_is_neither(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.4", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.run(30)
    stand_in.begin(Ill.DEAF)  # its web server is dead, and it mines on
    rig.run(60)
    told = rig.last("b1")
    assert (told.reachable, told.state, told.power_w, told.hashrate_ths) == (False, MinerState.UNKNOWN, None, None)
    assert stand_in.hashing
    rig.close()
