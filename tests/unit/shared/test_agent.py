"""What an agent does with commands, leases, silence and bad devices."""

from datetime import timedelta

import pytest

from shared.clock import VirtualClock
from shared.device import RefusedError, UnreachableError
from shared.messages import (
    PAUSE,
    Action,
    EmergencyStop,
    EngineEpoch,
    Following,
    MinerState,
    MinerTelemetry,
)
from shared.pursuit import FAULT_AFTER_TRIES
from shared.topics import EMERGENCY_STOP, ENGINE_EPOCH, MINER_COMMAND, MINER_TELEMETRY
from tests.unit.shared.commands import ECO, FULL
from tests.unit.shared.yard import NAME, POLL_SECONDS, Yard


@pytest.fixture
def yard(clock: VirtualClock) -> Yard:
    return Yard(clock).start()


def test_a_command_is_applied_at_once_and_read_back(yard: Yard) -> None:
    yard.wants(ECO)
    yard.turn()
    assert yard.miner.applied == ["eco"]
    assert (yard.last.desired, yard.last.settled, yard.last.epoch) == ("eco", False, 5)

    yard.pass_seconds(1)

    assert (yard.last.point, yard.last.settled, yard.last.following) == ("eco", True, Following.COMMAND)
    assert yard.miner.applied == ["eco"]


def test_at_first_start_it_only_reads(yard: Yard) -> None:
    yard.pass_seconds(119)
    assert yard.miner.applied == []
    assert (yard.last.following, yard.last.desired, yard.last.settled) == (Following.NOTHING, None, None)

    yard.pass_seconds(12)
    assert yard.miner.applied == ["pause"]
    assert "failsafe" in yard.codes()


def test_a_settled_miner_is_polled_and_left_alone(yard: Yard) -> None:
    yard.pass_seconds(100, renew=lambda: yard.wants(FULL))
    assert yard.miner.applied == []
    assert 9 <= len(yard.telemetry) <= 13


def test_when_the_lease_has_run_out_grace_holds_and_then_the_failsafe_comes(yard: Yard) -> None:
    yard.wants(FULL)
    yard.pass_seconds(70)
    assert (yard.last.following, yard.miner.applied) == (Following.GRACE, [])

    yard.pass_seconds(125)
    assert (yard.last.following, yard.last.point) == (Following.FAILSAFE, "pause")
    assert yard.codes() == ["failsafe"]

    yard.wants(FULL)
    yard.pass_seconds(2)
    assert (yard.last.following, yard.last.point) == (Following.COMMAND, "full")
    assert yard.codes() == ["failsafe", "failsafe_over"]


def test_a_device_that_says_yes_and_does_nothing_becomes_a_fault_and_recovers(yard: Yard) -> None:
    yard.miner.ignores = True
    yard.pass_seconds(60, renew=lambda: yard.wants(PAUSE))

    assert (yard.last.state, yard.last.problem) == (MinerState.FAULT, "command_without_effect")
    assert yard.last.settled is False
    assert yard.codes() == ["command_without_effect"]
    assert f"tried {FAULT_AFTER_TRIES} times" in yard.events[0].sentence

    tries = len(yard.miner.applied)
    yard.pass_seconds(120, renew=lambda: yard.wants(PAUSE))
    assert len(yard.miner.applied) > tries, "a fault is still tried, seldom"
    assert len(yard.miner.applied) - tries <= 4

    yard.miner.ignores = False
    yard.pass_seconds(70, renew=lambda: yard.wants(PAUSE))
    assert (yard.last.state, yard.last.settled) == (MinerState.PAUSED, True)
    assert yard.codes() == ["command_without_effect", "recovered"]


def test_a_device_that_refuses_is_a_fault_with_its_cause_logged_once(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    yard.miner.refuses = RefusedError("the firmware says no")
    yard.pass_seconds(60, renew=lambda: yard.wants(PAUSE))
    assert yard.events[-1].sentence.endswith("the firmware says no")
    assert yard.service.counts["apply_refused"] >= FAULT_AFTER_TRIES
    warnings = [record for record in caplog.records if record.getMessage() == "[s19] pause: the firmware says no"]
    assert len(warnings) == 1


def test_a_dead_device_is_unknown_and_said_once_each_way(yard: Yard) -> None:
    yard.wants(FULL)
    yard.turn()
    yard.miner.fails = UnreachableError("no answer")
    yard.pass_seconds(60, renew=lambda: yard.wants(PAUSE))
    assert (yard.last.state, yard.last.reachable, yard.last.settled) == (MinerState.UNKNOWN, False, None)
    assert yard.miner.applied == []

    yard.miner.fails = None
    yard.pass_seconds(12, renew=lambda: yard.wants(PAUSE))
    assert yard.last.point == "pause"
    assert yard.codes() == ["unreachable", "reachable"]


def test_one_lost_answer_is_unknown_and_not_worth_an_event(yard: Yard) -> None:
    yard.wants(FULL)
    yard.turn()
    yard.miner.fails = UnreachableError("no answer")
    yard.pass_seconds(POLL_SECONDS)
    assert (yard.last.state, yard.last.reachable) == (MinerState.UNKNOWN, False)
    yard.miner.fails = None
    yard.pass_seconds(POLL_SECONDS)
    assert yard.last.reachable
    assert yard.codes() == []


def test_a_driver_with_a_bug_leaves_no_old_reading_standing(yard: Yard) -> None:
    yard.wants(FULL)
    yard.turn()
    assert yard.last.state is MinerState.HASHING
    yard.miner.fails = KeyError("a field that nobody foresaw")
    yard.pass_seconds(POLL_SECONDS + 1)
    assert (yard.last.state, yard.last.reachable, yard.last.problem) == (MinerState.UNKNOWN, False, "driver_failed")
    yard.miner.fails = None
    yard.pass_seconds(POLL_SECONDS + 1)
    assert yard.last.state is MinerState.HASHING


def test_a_device_that_is_dead_from_the_start_is_told(clock: VirtualClock) -> None:
    yard = Yard(clock)
    yard.miner.fails = UnreachableError("no answer")
    yard.start()
    yard.pass_seconds(30)
    assert yard.codes() == ["unreachable"]


def test_a_lower_epoch_is_refused_counted_and_logged_once(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    yard.publish(ENGINE_EPOCH, "home", EngineEpoch(at=yard.clock.now(), engine="engine", epoch=9))
    for _ in range(3):
        yard.wants(PAUSE, epoch=8)
        yard.turn()

    assert yard.miner.applied == []
    assert yard.service.counts["command_lower_epoch"] == 3
    assert caplog.text.count("refused a command of engine, epoch 8: lower_epoch") == 1

    yard.wants(PAUSE, epoch=9)
    yard.turn()
    assert yard.miner.applied == ["pause"]


@pytest.mark.parametrize("action", [Action.APPLY, Action.OBSERVE, Action.MAINTENANCE])
def test_an_emergency_stop_wakes_and_wins_over_everything(clock: VirtualClock, action: Action) -> None:
    yard = Yard(clock, observe=frozenset({NAME})).start()
    yard.wants(FULL, action=action)
    yard.turn()

    yard.stop()
    yard.turn()

    assert yard.miner.applied == ["pause"]
    yard.pass_seconds(1)
    assert yard.last.following is Following.EMERGENCY_STOP


def test_an_emergency_stop_is_lifted_by_an_explicit_word_only(yard: Yard) -> None:
    yard.stop()
    yard.pass_seconds(2)
    yard.engine.clear(EMERGENCY_STOP, "home")
    yard.pass_seconds(30, renew=lambda: yard.wants(FULL))
    assert yard.last.point == "pause"

    yard.stop(active=False)
    yard.pass_seconds(2, renew=lambda: yard.wants(FULL))
    assert yard.last.point == "full"


def test_a_late_resume_lifts_no_newer_stop(yard: Yard, clock: VirtualClock) -> None:
    yard.stop()
    ordered_at, earlier = clock.now(), clock.now() - timedelta(hours=1)
    yard.pass_seconds(2)
    yard.engine.publish(EMERGENCY_STOP, "home", EmergencyStop(at=clock.now(), active=False, lifts=earlier))
    yard.pass_seconds(5, renew=lambda: yard.wants(FULL))
    assert yard.last.following is Following.EMERGENCY_STOP
    assert yard.service.counts["late_resume_refused"] == 1

    yard.engine.publish(EMERGENCY_STOP, "home", EmergencyStop(at=earlier, active=False, lifts=ordered_at))
    yard.pass_seconds(2, renew=lambda: yard.wants(FULL))
    assert (yard.last.following, yard.last.desired) == (Following.COMMAND, "full")


def test_a_stop_that_a_broker_remembers_of_old_times_stays_lifted(yard: Yard) -> None:
    yard.stop()
    old = dict(yard.broker.retained)
    yard.stop(active=False)
    yard.pass_seconds(2, renew=lambda: yard.wants(FULL))
    yard.broker.kill()
    yard.broker.retained = {**yard.broker.retained, **{path: old[path] for path in old if "emergency" in path}}
    yard.broker.revive()
    yard.engine.tend()
    yard.pass_seconds(10, renew=lambda: yard.wants(FULL))
    assert yard.last.point == "full"
    yard.stop()
    yard.pass_seconds(2)
    assert yard.last.point == "pause", "a new one counts"


def test_an_emergency_stop_outlives_a_restart_of_the_agent(clock: VirtualClock) -> None:
    yard = Yard(clock)
    yard.stop()
    yard.start()
    assert yard.miner.applied == ["pause"]


def test_an_observed_miner_is_explained_and_never_touched(clock: VirtualClock) -> None:
    yard = Yard(clock, observe=frozenset({NAME})).start()
    yard.wants(PAUSE)
    yard.pass_seconds(400)
    assert yard.miner.applied == []
    assert (yard.last.following, yard.last.desired, yard.last.settled) == (Following.FAILSAFE, "pause", False)


def test_a_command_to_observe_is_not_applied(yard: Yard) -> None:
    yard.wants(PAUSE, action=Action.OBSERVE)
    yard.pass_seconds(30)
    assert (yard.miner.applied, yard.last.desired) == ([], "pause")


def test_maintenance_keeps_even_the_failsafe_away_until_it_ends(yard: Yard) -> None:
    yard.wants(FULL, action=Action.MAINTENANCE, suspended_until=yard.clock.now() + timedelta(seconds=600))
    yard.pass_seconds(590)
    assert (yard.miner.applied, yard.last.following) == ([], Following.FAILSAFE)
    assert len(yard.telemetry) > 50, "readings go on"

    yard.pass_seconds(20)
    assert yard.miner.applied == ["pause"]


def test_a_cleared_command_changes_nothing(yard: Yard) -> None:
    yard.wants(ECO)
    yard.pass_seconds(2)
    yard.engine.clear(MINER_COMMAND, NAME)
    yard.pass_seconds(12)
    assert (yard.last.following, yard.last.point) == (Following.COMMAND, "eco")


def test_it_starts_with_what_the_broker_remembers(clock: VirtualClock) -> None:
    yard = Yard(clock)
    remembered = MinerTelemetry(at=clock.now(), driver="fake", reachable=True, state=MinerState.PAUSED)
    yard.publish(MINER_TELEMETRY, NAME, remembered)
    yard.agent.start_with_memory()
    yard.service.start()
    assert NAME not in yard.runner.loops
    yard.turn()
    yard.pass_seconds(12)
    assert yard.miner.recalled == [remembered]

    yard.broker.kill()
    yard.broker.revive()
    yard.service.bus.tend()
    yard.pass_seconds(12)
    assert yard.miner.recalled == [remembered], "a later connection brings only our own words back"


def test_without_a_broker_it_starts_after_a_while_for_the_failsafe(clock: VirtualClock) -> None:
    yard = Yard(clock)
    yard.broker.kill()
    yard.agent.start_with_memory()
    yard.service.start()
    for _ in range(12):
        yard.service.step()
        clock.advance(1)
    yard.pass_seconds(125)
    assert yard.miner.applied == ["pause"]


def test_stopping_closes_the_devices(yard: Yard) -> None:
    yard.service.stop()
    assert yard.miner.closed


def test_it_is_started_once_only(yard: Yard) -> None:
    turns = dict(yard.runner.loops)
    yard.agent.start()
    assert yard.runner.loops == turns
