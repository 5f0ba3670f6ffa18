from datetime import datetime, timedelta

import pytest

from shared.device import UnreachableError
from shared.messages import PAUSE, Following, MinerCommand, MinerState, MinerTelemetry
from shared.miner_role import Failsafe, MinerRole
from tests.unit.shared.commands import ECO, FULL, LADDER, T0, command, telemetry


@pytest.fixture
def role() -> MinerRole:
    return MinerRole("fake")


def look(
    role: MinerRole,
    state: MinerState,
    wanted: MinerCommand | None = None,
    *,
    minute: int = 0,
    settled_before: bool = True,
    following: Following = Following.COMMAND,
) -> MinerTelemetry:
    reading = telemetry(state, at=T0 + timedelta(minutes=minute))
    return role.regard(reading, following, wanted or command(), settled_before=settled_before)


def paused_by_a_person(role: MinerRole) -> datetime:
    look(role, MinerState.HASHING)
    since = look(role, MinerState.PAUSED, minute=1).outside_pause_since
    assert since is not None
    return since


def test_a_hashing_miner_that_stops_without_our_word_was_paused_by_somebody(role: MinerRole) -> None:
    assert paused_by_a_person(role) == T0 + timedelta(minutes=1)
    later = look(role, MinerState.PAUSED, minute=9)
    assert later.outside_pause_since == T0 + timedelta(minutes=1)


@pytest.mark.parametrize("state", [MinerState.FAULT, MinerState.UNKNOWN])
def test_a_failed_miner_was_paused_by_nobody(role: MinerRole, state: MinerState) -> None:
    look(role, MinerState.HASHING)
    assert look(role, state, minute=1).outside_pause_since is None


def test_our_own_pause_is_nobody_elses(role: MinerRole) -> None:
    look(role, MinerState.HASHING)
    assert look(role, MinerState.PAUSED, command(PAUSE), minute=1).outside_pause_since is None


def test_a_miner_that_never_settled_was_not_paused_by_a_person(role: MinerRole) -> None:
    look(role, MinerState.RAMPING, settled_before=False)
    assert look(role, MinerState.PAUSED, minute=1, settled_before=False).outside_pause_since is None


@pytest.mark.parametrize("following", [Following.NOTHING, Following.FAILSAFE])
def test_without_a_live_command_nothing_is_concluded(role: MinerRole, following: Following) -> None:
    look(role, MinerState.HASHING)
    assert look(role, MinerState.PAUSED, minute=1, following=following).outside_pause_since is None


def test_a_gap_in_the_readings_may_hide_a_mains_outage(role: MinerRole) -> None:
    look(role, MinerState.HASHING)
    role.unread(UnreachableError("no answer"), T0)
    assert look(role, MinerState.PAUSED, minute=1).outside_pause_since is None


def test_hashing_ends_the_outside_pause(role: MinerRole) -> None:
    paused_by_a_person(role)
    assert look(role, MinerState.RAMPING, minute=2).outside_pause_since is None


def test_an_outside_pause_is_respected_until_the_engine_answers_for_this_very_pause(role: MinerRole) -> None:
    since = paused_by_a_person(role)
    reading = telemetry(MinerState.PAUSED)

    assert role.goal(Following.COMMAND, command(), reading, T0) is None
    another = command(outside_pause_over=since - timedelta(days=1))
    assert role.goal(Following.COMMAND, another, reading, T0) is None
    assert role.goal(Following.COMMAND, command(PAUSE), reading, T0) == command(PAUSE)
    over = command(outside_pause_over=since)
    assert role.goal(Following.COMMAND, over, reading, T0) == over


def test_an_outside_pause_outlives_a_restart_of_the_agent(role: MinerRole) -> None:
    role.recall(telemetry(MinerState.PAUSED, outside_pause_since=T0))
    assert look(role, MinerState.PAUSED, minute=5).outside_pause_since == T0
    assert role.goal(Following.COMMAND, command(), telemetry(MinerState.PAUSED), T0) is None


def test_what_cannot_be_read_is_unknown_and_says_why(role: MinerRole) -> None:
    since = paused_by_a_person(role)
    unread = role.unread(UnreachableError("no answer from 192.168.88.20"), T0)
    assert (unread.state, unread.reachable, unread.problem) == (MinerState.UNKNOWN, False, "unreachable")
    assert unread.detail == "no answer from 192.168.88.20"
    assert (unread.power_w, unread.hashrate_ths, unread.chip_temperature_celsius) == (None, None, None)
    assert unread.outside_pause_since == since


def test_an_emergency_stop_is_a_pause_whatever_else_is_wanted(role: MinerRole) -> None:
    goal = role.goal(Following.EMERGENCY_STOP, None, telemetry(MinerState.HASHING), T0)
    assert goal is not None
    assert (goal.point, goal.code) == (PAUSE, "emergency_stop")


@pytest.mark.parametrize(("failsafe", "point"), [("pause", PAUSE), ("safe_point", ECO), ("hold", None)])
def test_each_failsafe_has_its_point(failsafe: Failsafe, point: object) -> None:
    goal = MinerRole("fake", failsafe).goal(Following.FAILSAFE, None, telemetry(MinerState.HASHING), T0)
    assert (goal.point if goal else None) == point


def test_the_safe_point_is_the_one_that_the_ladder_names() -> None:
    ladder = LADDER.model_copy(update={"safe": FULL.name})
    goal = MinerRole("fake", "safe_point").goal(
        Following.FAILSAFE, None, telemetry(MinerState.HASHING, ladder=ladder), T0
    )
    assert goal is not None
    assert goal.point == FULL


def test_a_safe_point_starts_nothing_that_stands_paused() -> None:
    """For the battery, for heat, by a person: whoever could tell has fallen silent."""
    role = MinerRole("fake", "safe_point")
    goals = [
        role.goal(Following.FAILSAFE, None, telemetry(state), T0) for state in (MinerState.PAUSED, MinerState.STOPPING)
    ]
    assert [goal.point if goal else None for goal in goals] == [PAUSE, PAUSE]


def test_a_safe_point_starts_no_miner_that_a_person_has_paused() -> None:
    role = MinerRole("fake", "safe_point")
    paused_by_a_person(role)
    goal = role.goal(Following.FAILSAFE, None, telemetry(MinerState.PAUSED), T0)
    assert goal is not None
    assert goal.point == PAUSE


def test_without_a_known_ladder_the_safe_point_is_a_pause() -> None:
    goal = MinerRole("fake", "safe_point").goal(
        Following.FAILSAFE, None, telemetry(MinerState.HASHING, ladder=None), T0
    )
    assert goal is not None
    assert goal.point == PAUSE


def test_a_fault_keeps_what_was_read_in_its_detail(role: MinerRole) -> None:
    faulty = role.faulty(telemetry(MinerState.HASHING, power_w=3000), command(PAUSE))
    assert (faulty.state, faulty.problem) == (MinerState.FAULT, "command_without_effect")
    assert faulty.detail == "reports hashing, wanted pause"
    assert faulty.power_w == 3000
    assert role.name(command(PAUSE)) == "pause"


def test_a_start_decided_before_our_stop_was_known_is_not_made(role: MinerRole) -> None:
    """Started outside while meant to be off, and stopped by us in the moment in which its time off ends."""
    look(role, MinerState.HASHING, command(PAUSE))
    role.acts(command(PAUSE))
    told = look(role, MinerState.STOPPING, command(), minute=1, settled_before=False)
    paused = telemetry(MinerState.PAUSED)

    assert told.stopped_at == T0 + timedelta(minutes=1)
    unaware = command(answers=T0)
    assert role.goal(Following.COMMAND, unaware, paused, T0) is None
    aware = command(answers=told.stopped_at)
    assert role.goal(Following.COMMAND, aware, paused, T0) == aware
    assert look(role, MinerState.RAMPING, aware, minute=2).stopped_at is None


def test_a_stop_outlives_a_restart_of_the_agent(role: MinerRole) -> None:
    role.recall(telemetry(MinerState.PAUSED, stopped_at=T0))
    assert look(role, MinerState.PAUSED, minute=5).stopped_at == T0
    assert (
        role.goal(Following.COMMAND, command(answers=T0 - timedelta(seconds=1)), telemetry(MinerState.PAUSED), T0)
        is None
    )


def test_a_failed_miner_waits_for_a_start_that_knows_of_it(role: MinerRole) -> None:
    look(role, MinerState.HASHING)
    failed = look(role, MinerState.FAULT, minute=1)
    still = look(role, MinerState.FAULT, minute=2)
    reading = telemetry(MinerState.FAULT)

    assert failed.stopped_at == still.stopped_at == T0 + timedelta(minutes=1)
    assert role.goal(Following.COMMAND, command(answers=T0), reading, T0) is None
    assert role.goal(Following.COMMAND, command(answers=still.at), reading, T0) is not None


def test_in_the_time_of_grace_what_runs_goes_on_and_nothing_starts(role: MinerRole) -> None:
    def goal(state: MinerState, wanted: MinerCommand) -> MinerCommand | None:
        return role.goal(Following.GRACE, wanted, telemetry(state), T0)

    assert goal(MinerState.PAUSED, command()) is None
    assert goal(MinerState.UNKNOWN, command()) is None
    assert goal(MinerState.HASHING, command(ECO)) == command(ECO)
    assert goal(MinerState.HASHING, command(PAUSE)) == command(PAUSE)


def test_a_pause_by_a_person_in_the_time_of_grace_is_one(role: MinerRole) -> None:
    look(role, MinerState.HASHING)
    told = look(role, MinerState.PAUSED, minute=1, following=Following.GRACE)
    assert told.outside_pause_since == told.at


def test_which_machine_it_was_is_told_also_while_it_is_silent(role: MinerRole) -> None:
    role.recall(telemetry(MinerState.PAUSED, mac="02:00:00:00:00:01"))
    assert role.unread(UnreachableError("no answer"), T0).mac == "02:00:00:00:00:01"


def test_what_hashes_on_with_a_fault_needs_no_start() -> None:
    role = MinerRole("fake", failed_stands_still=False)
    look(role, MinerState.HASHING)
    assert look(role, MinerState.FAULT, minute=1).stopped_at is None


def test_hold_does_not_hold_what_is_too_hot() -> None:
    role = MinerRole("fake", "hold")
    goal = role.goal(Following.FAILSAFE, None, telemetry(MinerState.HASHING, problem="too_hot"), T0)
    assert goal is not None
    assert goal.point == ECO


def test_what_cannot_pause_was_not_stopped_and_any_word_may_raise_it(role: MinerRole) -> None:
    """Told to pause it goes to its floor. The next command may have been decided before anybody could read that."""
    without_pause = LADDER.model_copy(update={"points": [point for point in LADDER.points if not point.is_pause]})
    reading = telemetry(MinerState.HASHING, ladder=without_pause, at=T0 + timedelta(minutes=1))
    role.acts(command(PAUSE))
    told = role.regard(reading, Following.COMMAND, command(ECO), settled_before=False)
    early = command(ECO, answers=T0)
    assert told.stopped_at is None
    assert role.goal(Following.COMMAND, early, told, T0) == early
