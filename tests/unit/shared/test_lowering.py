"""A lowering acts on the last reading, and nothing else does (docs/decisions/0016)."""

from datetime import timedelta
from itertools import pairwise

import pytest

from shared.clock import VirtualClock
from shared.device import UnauthorizedError, UnreachableError
from shared.messages import PAUSE, Action, Following, MinerState
from tests.unit.shared.commands import ECO, FULL
from tests.unit.shared.yard import NAME, POLL_SECONDS, Yard


@pytest.fixture
def yard(clock: VirtualClock) -> Yard:
    """A miner that hashes as it is told to, and has just been read."""
    made = Yard(clock).start()
    settle(made)
    return made


def settle(yard: Yard, action: Action = Action.APPLY) -> None:
    yard.wants(FULL, action=action)
    yard.turn()
    assert yard.last.state is MinerState.HASHING
    yard.miner.asked.clear()


@pytest.mark.parametrize("age_seconds", [0, 1, POLL_SECONDS - 1, 1.4 * POLL_SECONDS])
def test_a_pause_comes_first_and_is_read_back(yard: Yard, age_seconds: float) -> None:
    yard.clock.advance(age_seconds)
    yard.wants(PAUSE)
    yard.turn()
    assert yard.miner.asked == ["pause"]

    yard.pass_seconds(1)
    assert yard.miner.asked == ["pause", "read"]
    assert (yard.last.state, yard.last.desired, yard.last.settled) == (MinerState.PAUSED, "pause", True)


@pytest.mark.parametrize("state", [MinerState.RAMPING, MinerState.HASHING])
def test_a_miner_that_ramps_up_is_stopped_at_once_too(yard: Yard, state: MinerState) -> None:
    yard.miner.shows = state
    yard.pass_seconds(POLL_SECONDS)
    yard.miner.asked.clear()
    yard.wants(PAUSE)
    yard.turn()
    assert yard.miner.asked[0] == "pause"


def test_a_pause_interrupts_what_has_not_settled_yet(yard: Yard) -> None:
    yard.miner.ignores = True
    yard.wants(ECO)
    yard.pass_seconds(3)
    yard.miner.asked.clear()
    yard.wants(PAUSE)
    yard.turn()
    assert yard.miner.asked == ["pause"]


def test_a_start_never_acts_without_a_fresh_reading(yard: Yard) -> None:
    yard.wants(PAUSE)
    yard.pass_seconds(2)
    yard.miner.asked.clear()
    yard.wants(FULL)
    yard.turn()
    assert yard.miner.asked == ["read", "full"]


def test_a_lower_point_may_take_a_restart_and_reads_first(yard: Yard) -> None:
    yard.wants(ECO)
    yard.turn()
    assert yard.miner.asked == ["read", "eco"]


@pytest.mark.parametrize("state", [MinerState.UNKNOWN, MinerState.FAULT, MinerState.PAUSED, MinerState.STOPPING])
def test_what_is_not_known_to_be_at_work_is_read_first(yard: Yard, state: MinerState) -> None:
    yard.miner.shows = state
    yard.pass_seconds(POLL_SECONDS)
    yard.miner.asked.clear()
    yard.wants(PAUSE)
    yard.turn()
    assert yard.miner.asked[0] == "read"


def test_an_old_reading_is_read_anew(yard: Yard) -> None:
    yard.clock.advance(1.6 * POLL_SECONDS)  # no turn came meanwhile: the loop was busy, or the machine asleep
    yard.wants(PAUSE)
    yard.runner.loops[NAME].due_in_seconds = 0
    yard.turn()
    assert yard.miner.asked == ["read", "pause"]


def test_one_reading_is_good_for_one_lowering(yard: Yard) -> None:
    yard.miner.refuses = KeyError("a field that nobody foresaw")
    yard.wants(PAUSE)
    with pytest.raises(KeyError):
        yard.turn()
    yard.miner.refuses = None
    yard.runner.loops[NAME].due_in_seconds = 0
    yard.turn()
    assert yard.miner.asked == ["pause", "read", "pause"], "a driver with a bug does not keep us from looking"


def test_a_miner_that_could_not_be_read_is_read_first(yard: Yard) -> None:
    yard.miner.fails = UnreachableError("no answer")
    yard.pass_seconds(POLL_SECONDS)
    yard.miner.asked.clear()
    yard.wants(PAUSE)
    yard.turn()
    assert yard.miner.asked == ["read"]


def test_a_miner_that_hangs_now_is_unknown_a_second_later(yard: Yard) -> None:
    yard.miner.fails = UnreachableError("no answer")
    yard.wants(PAUSE)
    yard.turn()
    assert yard.miner.asked == ["pause"]
    yard.pass_seconds(1)
    assert (yard.last.state, yard.last.reachable) == (MinerState.UNKNOWN, False)
    yard.miner.fails = None
    yard.pass_seconds(POLL_SECONDS + 1)
    assert yard.last.state is MinerState.PAUSED


def test_one_that_wants_to_be_left_alone_is_read_a_second_later_all_the_same(yard: Yard) -> None:
    yard.miner.refuses = UnauthorizedError("wrong password", retry_seconds=60)
    yard.wants(PAUSE)
    yard.turn()
    yard.pass_seconds(1)
    assert yard.miner.asked == ["pause", "read"]
    assert (yard.last.desired, yard.last.settled) == ("pause", False)
    yard.pass_seconds(50, renew=lambda: yard.wants(PAUSE))
    assert yard.miner.applied == ["pause"]


def test_the_back_off_between_vain_tries_holds(yard: Yard) -> None:
    yard.miner.ignores = True
    yard.wants(PAUSE)
    yard.turn()
    applied_at = [0] * len(yard.miner.applied)
    for second in range(1, 40):
        yard.runner.loops[NAME].wake()
        yard.wants(PAUSE)
        yard.pass_seconds(1)
        applied_at += [second] * (len(yard.miner.applied) - len(applied_at))
        assert yard.miner.asked[-1] == "read" or yard.miner.asked[-2] == "read", "only the first came before reading"
    gaps = [later - earlier for earlier, later in pairwise(applied_at)]
    assert gaps == [1, 5, 10, 20]


def test_an_observed_miner_is_never_touched(clock: VirtualClock) -> None:
    yard = Yard(clock, observe=frozenset({NAME})).start()
    settle(yard)
    yard.wants(PAUSE)
    yard.turn()
    assert yard.miner.asked == ["read"]
    assert (yard.last.desired, yard.last.settled) == ("pause", False)


@pytest.mark.parametrize("action", [Action.OBSERVE, Action.MAINTENANCE])
def test_a_pause_that_is_not_to_be_applied_is_not(yard: Yard, action: Action) -> None:
    yard.wants(PAUSE, action=action, suspended_until=yard.clock.now() + timedelta(seconds=600))
    yard.turn()
    assert yard.miner.asked == ["read"]


@pytest.mark.parametrize("action", [Action.APPLY, Action.OBSERVE, Action.MAINTENANCE])
def test_an_emergency_stop_comes_first_under_any_action(clock: VirtualClock, action: Action) -> None:
    yard = Yard(clock, observe=frozenset({NAME})).start()
    settle(yard, action)
    yard.stop()
    yard.turn()
    assert yard.miner.asked == ["pause"]


def test_an_emergency_stop_comes_first_where_a_pause_was_only_observed(yard: Yard) -> None:
    yard.wants(PAUSE, action=Action.OBSERVE)
    yard.turn()
    yard.miner.asked.clear()
    yard.stop()
    yard.turn()
    assert yard.miner.asked == ["pause"]


def test_a_stop_that_is_taken_back_before_it_was_read_is_nobodys_pause(yard: Yard) -> None:
    yard.stop()
    yard.turn()
    yard.stop(active=False)
    yard.wants(FULL)
    yard.turn()
    assert yard.last.outside_pause_since is None
    yard.pass_seconds(2)
    assert yard.last.state is MinerState.HASHING


def test_a_stop_of_our_own_that_was_not_read_is_known_to_us_all_the_same(yard: Yard) -> None:
    heard_at = yard.last.at
    yard.clock.advance(1)
    yard.stop()
    yard.turn()
    yard.stop(active=False)
    yard.wants(FULL, answers=heard_at)
    yard.pass_seconds(12)
    assert yard.last.point == "pause", "that start was decided while the engine took it for hashing"

    yard.wants(FULL, answers=yard.last.at)
    yard.pass_seconds(POLL_SECONDS + 1)
    assert yard.last.state is MinerState.HASHING


def test_the_failsafe_looks_first(yard: Yard) -> None:
    while "pause" not in yard.miner.asked:
        yard.pass_seconds(1)
    assert yard.last.following is Following.FAILSAFE, "what was read in the same step has been published"
