"""Restarts that the engine orders, of the simulator's miners: in virtual time, and over real sockets."""

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS, Pace, StandInPreset
from shared.clock import SystemClock, VirtualClock
from shared.messages import PAUSE, MinerState, OperatingPoint
from shared.topics import MINER_COMMAND
from tests.bitaxe_farm import BitaxeRig, orders, set_to
from tests.farm import NORMAL, AgentRig, miner_command
from tests.sockets import SocketRig
from tests.waiting import eventually

RESTART, REBOOT = "/mining/restart", "/system/reboot"
REAL_PACE = Pace(initializing_seconds=90, tuning_seconds=30, restarting_seconds=8, reboot_seconds=60)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_hashing_miner_is_restarted_once_and_comes_back(generation: str, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(generation, clock=clock, pace=REAL_PACE)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(30)
    restart_at = rig.order_restart("s19")
    rig.run(10)
    assert rig.last("s19").state is MinerState.RAMPING
    rig.run(400)
    told = rig.last("s19")
    assert stand_in.controls() == [RESTART]
    assert (told.last_restart_at, told.state, told.settled) == (restart_at, MinerState.HASHING, True)
    assert (told.outside_pause_since, told.stopped_at) == (None, None)
    assert rig.codes("s19") == ["restart_asked"]
    rig.close()


def test_one_that_does_not_come_back_is_rebooted_at_the_next_order(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, pace=REAL_PACE)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(30)
    stand_in.nominal_w = 0  # it says that it mines, and finds nothing
    rig.order_restart("s19")
    rig.run(600)
    rig.order_restart("s19")
    rig.run(20)
    stand_in.nominal_w = 3250
    rig.run(600)
    told = rig.last("s19")
    assert stand_in.controls() == [RESTART, REBOOT]
    assert (told.state, told.settled, told.outside_pause_since) == (MinerState.HASHING, True, None)
    assert (told.shares_accepted or 0) > 0
    assert "command_without_effect" not in rig.codes("s19")
    rig.close()


def test_a_miner_that_has_failed_and_refuses_is_rebooted(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, pace=REAL_PACE)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(30)
    stand_in.force_state("failure")
    stand_in.faults.server_error = True
    rig.run(120)
    assert rig.last("s19").problem == "command_without_effect"
    rig.order_restart("s19")
    rig.run(400)
    told = rig.last("s19")
    assert [path for path in stand_in.controls() if path != "/mining/start"] == [RESTART, REBOOT]
    assert (told.state, told.settled, told.problem) == (MinerState.HASHING, True, None)
    rig.close()


def test_one_that_comes_back_stopped_is_started(clock: VirtualClock) -> None:
    """Some settings leave it stopped after a boot: that is nobody's pause."""
    stand_in = VnishStandIn(clock=clock, pace=REAL_PACE)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(30)
    rig.order_restart("s19")
    rig.run(5)
    stand_in.force_state("stopped")
    rig.run(200)
    assert stand_in.controls() == [RESTART, "/mining/start"]
    assert (rig.last("s19").state, rig.last("s19").outside_pause_since) == (MinerState.HASHING, None)
    rig.close()


def test_it_comes_back_to_the_point_that_was_commanded(clock: VirtualClock) -> None:
    stand_in = VnishStandIn("1.3.4", clock=clock, pace=REAL_PACE, nominal_w=3000)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", OperatingPoint(name="50 %", power_w=1500, throttle_percent=50))
    rig.run(30)
    rig.order_restart("s19")
    rig.run(5)
    stand_in.throttled_percent = 100  # lost with the restart
    rig.run(300)
    assert (stand_in.throttled_percent, rig.last("s19").point) == (50, "50 %")
    rig.close()


@pytest.mark.parametrize("word", ["stopped", "shutting-down"])
def test_what_stands_still_is_not_started_by_a_restart(word: str, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, presets=(StandInPreset(2620),))
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(30)
    stand_in.force_state(word)  # by a person
    rig.run(5)
    rig.order_restart("s19")
    rig.run(60)
    rig.pause("s19")
    rig.order_restart("s19")
    rig.run(60)
    assert RESTART not in stand_in.controls()
    assert REBOOT not in stand_in.controls()
    rig.close()


def test_a_restarted_agent_does_not_restart_it_again(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, pace=REAL_PACE)
    first = AgentRig({"s19": stand_in}, clock)
    first.order("s19", NORMAL)
    first.run(30)
    restart_at = first.order_restart("s19")
    first.run(20)
    first.link.cut()
    second = AgentRig({"s19": stand_in}, clock, broker=first.broker)
    second.order("s19", NORMAL)
    second.run(300)
    assert stand_in.controls() == [RESTART]
    assert second.last("s19").last_restart_at == restart_at
    second.close()


def test_a_bitaxe_whose_hashrate_is_frozen_comes_back(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", clock=clock)
    rig = BitaxeRig({"b1": stand_in}, clock)
    rig.order("b1", set_to(1150, 525))
    rig.run(300)
    stand_in.begin(Ill.FLAT)
    rig.run(700)
    assert (rig.last("b1").state, "flatline" in rig.codes("b1")) == (MinerState.FAULT, True)
    restart_at = rig.order_restart("b1")
    rig.run(400)
    told = rig.last("b1")
    assert (orders(stand_in), stand_in.boots) == (["restart"], 1)
    assert (told.last_restart_at, told.state, told.settled) == (restart_at, MinerState.HASHING, True)
    assert (told.problem, told.outside_pause_since, told.protected_since) == (None, None, None)
    rig.close()


def test_a_bitaxe_that_is_paused_or_protects_itself_is_not_restarted(clock: VirtualClock) -> None:
    stand_ins = {name: AxeOsStandIn("2.15", clock=clock, name=name) for name in ("paused", "hot")}
    rig = BitaxeRig(stand_ins, clock)
    for name in stand_ins:
        rig.order(name, set_to(1150, 525))
    rig.run(120)
    rig.order("paused", PAUSE)
    stand_ins["hot"].overheat()
    rig.run(120)
    assert rig.last("hot").protected_since is not None
    for name in stand_ins:
        rig.order_restart(name)
    rig.run(120)
    assert "restart" not in orders(stand_ins["paused"]) + orders(stand_ins["hot"])
    rig.close()


def test_a_restart_over_real_sockets() -> None:
    clock = SystemClock()
    stand_in = VnishStandIn(clock=clock)
    with SocketRig({"s19": stand_in}, clock) as rig:
        assert eventually(lambda: "s19" in rig.telemetry and rig.last("s19").reachable)
        now = clock.now()
        command = miner_command(NORMAL, clock, lease_seconds=600).model_copy(update={"restart_at": now})
        rig._watcher.publish(MINER_COMMAND, "s19", command)
        assert eventually(lambda: stand_in.controls() == [RESTART])
        assert eventually(lambda: rig.last("s19").last_restart_at == now)
        assert eventually(lambda: rig.last("s19").settled is True and stand_in.hashing)
        assert stand_in.controls() == [RESTART]
