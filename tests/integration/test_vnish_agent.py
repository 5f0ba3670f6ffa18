"""The whole agent: over real sockets as it is wired, and in virtual time where back-off is counted in minutes."""

import logging
from pathlib import Path

import pytest

from services.simulator.http import Wire
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS, StandInPreset
from services.vnish_agent.wiring import build
from shared.bus import Bus, MemoryBroker
from shared.clock import SystemClock, VirtualClock
from shared.launch import Context
from shared.messages import Action, Following, MinerState
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from shared.tender import Manner
from tests.farm import NORMAL, AgentRig
from tests.sockets import SocketRig
from tests.waiting import eventually

PASSWORD = "a-Secret-9f3"
TUNED = (StandInPreset(1500), StandInPreset(2620))


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_command_stops_and_starts_a_miner(generation: str) -> None:
    clock = SystemClock()
    stand_in = VnishStandIn(generation, clock=clock, password=PASSWORD)
    with SocketRig({"s19-20": stand_in}, clock, environment={"S19_20_PASSWORD": PASSWORD}) as rig:
        rig.pause("s19-20")
        assert eventually(lambda: stand_in.state == "stopped")
        assert eventually(lambda: rig.last("s19-20").settled)
        rig.order("s19-20", NORMAL)
        assert eventually(lambda: stand_in.state == "mining")
        assert eventually(lambda: rig.last("s19-20").state is MinerState.HASHING and rig.last("s19-20").settled)
        assert rig.last("s19-20").firmware == generation


@pytest.mark.parametrize("wire", [Wire.HALF, Wire.RESET])
def test_a_broken_wire_is_unreachable_and_heals(wire: Wire) -> None:
    clock = SystemClock()
    stand_in = VnishStandIn(clock=clock)
    with SocketRig({"s19": stand_in}, clock) as rig:
        assert eventually(lambda: "s19" in rig.telemetry and rig.last("s19").reachable)
        stand_in.faults.wire = wire
        assert eventually(lambda: not rig.last("s19").reachable)
        assert rig.last("s19").problem == "unreachable"
        assert rig.last("s19").state is MinerState.UNKNOWN
        stand_in.faults.wire = Wire.WHOLE
        assert eventually(lambda: rig.last("s19").reachable)


def test_a_slow_miner_is_stopped_all_the_same() -> None:
    clock = SystemClock()
    stand_in = VnishStandIn(clock=clock)
    stand_in.faults.slow_seconds = 0.1
    with SocketRig({"s19": stand_in}, clock) as rig:
        rig.pause("s19")
        assert eventually(lambda: stand_in.state == "stopped")


def test_nothing_configured_starts_nothing(clock: VirtualClock, tmp_path: Path) -> None:
    service = Service("vnish_agent", Bus(MemoryBroker().link(), clock), clock)
    assert build(Context(service, FarmSettings.model_validate({}), Secrets({}, {}, tmp_path))) is False


# --- in virtual time


def test_a_wrong_password_is_said_once_and_tried_rarely(clock: VirtualClock, caplog: pytest.LogCaptureFixture) -> None:
    stand_in = VnishStandIn(clock=clock, password="another", presets=TUNED, nominal_w=2620)
    with caplog.at_level(logging.DEBUG):
        rig = AgentRig({"s19": stand_in}, clock, passwords={"s19": PASSWORD})
        rig.pause("s19")
        rig.run(300)
    told = rig.last("s19")
    assert told.reachable
    assert told.power_w == 2620, "monitoring needs no password"
    assert told.settled is False
    assert rig.codes("s19").count("unauthorized") == 1
    unlocks = [heard for heard in stand_in.heard if heard.path == "/unlock"]
    assert 2 <= len(unlocks) <= 4, "at 0, 60 and 180 s"
    said = [record for record in caplog.records if "does not accept the password" in record.getMessage()]
    assert len(said) <= 3, "the event, the refused command, and the fault: each once"
    assert PASSWORD not in caplog.text
    assert not any(PASSWORD.encode() in payload for payload in rig.broker.retained.values())
    stand_in.password = PASSWORD
    rig.run(500)  # the pause before the next try has grown to 480 s at most
    assert stand_in.state == "stopped"
    assert rig.last("s19").problem is None
    rig.close()


def test_429_is_left_alone_and_monitoring_goes_on(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.faults.too_many = 2
    rig = AgentRig({"s19": stand_in}, clock)
    rig.pause("s19")
    rig.run(55)
    assert len([heard for heard in stand_in.heard if heard.path == "/unlock"]) == 1
    assert rig.last("s19").problem in {"busy", "command_without_effect"}
    assert rig.last("s19").power_w == stand_in.power_w
    readings = len(rig.telemetry["s19"])
    rig.run(20)
    assert len(rig.telemetry["s19"]) > readings + 5
    rig.run(150)
    assert stand_in.state == "stopped"
    rig.close()


def test_429_to_everything_leaves_the_miner_alone_for_a_minute(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(5)
    stand_in.faults.flooded = 1
    rig.run(4)
    heard = len(stand_in.heard)
    rig.run(50)
    assert len(stand_in.heard) == heard
    assert (rig.last("s19").reachable, rig.last("s19").problem) == (False, "busy")
    rig.run(20)
    assert rig.last("s19").reachable
    rig.close()


def test_an_expired_token_costs_one_unlock_and_no_try(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(5)
    stand_in.expire_tokens()
    rig.pause("s19")
    rig.run(5)
    assert stand_in.state == "stopped"
    assert [heard.path for heard in stand_in.heard].count("/unlock") == 2
    assert stand_in.controls() == ["/mining/stop", "/mining/stop"], "refused, unlocked, replayed"
    rig.close()


def test_a_stop_is_one_request_and_the_first_after_the_wake(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock, manner=Manner(poll_seconds=10))
    rig.order("s19", NORMAL)
    for passed_seconds in (7, 3500, 200, 7000):  # also where a token of an hour has died meanwhile
        rig.run(passed_seconds)
        stand_in.heard.clear()
        rig.pause("s19")
        rig.run(0.5)
        assert [heard.path for heard in stand_in.heard] == ["/mining/stop"]
        rig.run(5)
        assert (stand_in.state, rig.last("s19").settled) == ("stopped", True)
        rig.order("s19", NORMAL)
        rig.run(0.5)
        assert [heard.path for heard in stand_in.heard].index("/status") < [
            heard.path for heard in stand_in.heard
        ].index("/mining/start"), "a start looks first"
        rig.run(5)
    rig.close()


def test_tokens_are_unlocked_as_rarely_as_they_die(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock, manner=Manner(poll_seconds=30))
    rig.order("s19", NORMAL)
    unlocks = 0
    for _ in range(24):
        rig.run(1800)
        unlocks += [heard.path for heard in stand_in.heard].count("/unlock")
        stand_in.heard.clear()
    assert 12 <= unlocks <= 15, "twelve hours"
    rig.close()


def test_a_miner_that_hangs_delays_no_other_stop() -> None:
    clock = SystemClock()
    stand_ins = {name: VnishStandIn(clock=clock) for name in ("a", "b", "c")}
    with SocketRig(stand_ins, clock) as rig:
        for name in stand_ins:
            rig.order(name, NORMAL)
        assert eventually(lambda: len(rig.telemetry) == 3 and all(told.settled for told in rig.telemetry.values()))
        stand_ins["a"].faults.wire = Wire.SILENCE
        for name in stand_ins:
            rig.pause(name)
        assert eventually(lambda: stand_ins["b"].controls() == stand_ins["c"].controls() == ["/mining/stop"], 1)


def test_a_restart_while_curtailed_keeps_the_owners_normal(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    broker = MemoryBroker()
    first = AgentRig({"s19": stand_in}, clock, broker=broker)
    first.run(3)
    first.order_named("s19", "1500 W")
    first.run(20)
    assert first.last("s19").settled
    first.close()
    second = AgentRig({"s19": stand_in}, clock, broker=broker)
    second.run(5)
    ladder = second.last("s19").ladder
    assert ladder is not None
    assert ladder.normal == "2620 W"
    assert second.last("s19").point == "1500 W"
    second.close()


def test_its_own_words_are_no_memory_when_the_broker_comes_back(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = MemoryBroker()
    rig = AgentRig({"s19": VnishStandIn(clock=clock)}, clock, broker=broker, manner=Manner(poll_seconds=30))
    rig.run(5)
    recalled: list[object] = []
    monkeypatch.setattr(rig.drivers["s19"], "recall", recalled.append)
    broker.kill()
    rig.run(5)
    broker.revive()
    rig.run(60)
    assert rig.link.is_up()
    assert recalled == []
    rig.close()


def test_without_a_broker_it_reaches_its_failsafe(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    broker = MemoryBroker()
    rig = AgentRig({"s19": stand_in}, clock, broker=broker)
    broker.kill()
    rig.run(100)
    assert stand_in.hashing
    rig.run(60)
    assert stand_in.state == "stopped"
    rig.close()


def test_started_without_a_broker_it_reaches_its_failsafe_too(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    broker = MemoryBroker()
    broker.kill()
    rig = AgentRig({"s19": stand_in}, clock, broker=broker)
    rig.run(5)
    assert not stand_in.heard, "memory is waited for a while, lest a curtailed point be adopted"
    rig.run(100)
    assert stand_in.heard
    assert stand_in.hashing
    rig.run(60)
    assert stand_in.state == "stopped"
    rig.close()


def test_a_dead_engine_is_a_failsafe_after_lease_and_grace(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(30)
    rig.silence_engine()
    rig.run(150)
    assert stand_in.hashing
    assert rig.last("s19").following is Following.GRACE
    rig.run(60)
    assert stand_in.state == "stopped"
    assert rig.last("s19").following is Following.FAILSAFE
    rig.close()


def test_observe_never_acts_and_the_emergency_stop_does(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(3)
    point = NORMAL.model_copy(update={"name": "pause", "power_w": 0.0})
    rig.order("s19", point, Action.OBSERVE)
    rig.run(30)
    assert stand_in.hashing
    assert rig.last("s19").settled is False
    rig.emergency_stop(active=True)
    rig.run(5)
    assert stand_in.state == "stopped"
    rig.close()


def test_a_pause_at_the_miners_own_page_is_respected(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.order("s19", NORMAL)
    rig.run(10)
    stand_in.stop()
    rig.run(60)
    assert stand_in.controls() == []
    assert rig.last("s19").outside_pause_since is not None
    rig.close()


def test_another_miner_at_the_address_gets_no_command(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    rig = AgentRig({"s19": stand_in}, clock)
    rig.run(5)
    stand_in.faults.wire = Wire.RESET
    rig.run(5)
    stand_in.faults.wire = Wire.WHOLE
    stand_in.mac = "02:00:00:00:00:99"
    rig.pause("s19")
    rig.run(20)
    assert (rig.last("s19").reachable, rig.last("s19").problem) == (False, "another_device")
    assert stand_in.hashing
    assert stand_in.controls() == []
    rig.close()


def test_a_miner_that_forgets_to_stop_shutting_down_becomes_a_fault(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.force_state("shutting-down")
    rig = AgentRig({"s19": stand_in}, clock)
    rig.pause("s19")
    rig.run(250)
    assert rig.last("s19").state is MinerState.STOPPING
    rig.run(200)
    assert rig.last("s19").problem == "command_without_effect"
    rig.close()


def test_a_restarted_agent_knows_another_miner_from_its_own(clock: VirtualClock) -> None:
    stand_in, broker = VnishStandIn(clock=clock), MemoryBroker()
    rig = AgentRig({"s19": stand_in}, clock, broker=broker)
    rig.run(5)
    ours, stand_in.faults.wire = stand_in.mac, Wire.RESET
    rig.run(5)
    rig.close()
    stand_in.mac, stand_in.faults.wire = "02:00:00:00:00:99", Wire.WHOLE
    rig = AgentRig({"s19": stand_in}, clock, broker=broker)
    rig.pause("s19")
    rig.run(20)
    assert (rig.last("s19").problem, rig.last("s19").mac) == ("another_device", ours)
    assert "`mac: 02:00:00:00:00:99`" in rig.last("s19").detail
    assert stand_in.controls() == []
    stand_in.mac = ours
    rig.run(60)
    assert rig.last("s19").settled
    rig.close()
