"""What must not be restarted, and what a restart leaves behind."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from shared.clock import VirtualClock
from shared.device import UnreachableError
from shared.messages import PAUSE, Action, Following, MinerState, MinerTelemetry
from shared.miner_role import RESTART_TAKES, MinerRole
from shared.pursuit import FAULT_AFTER_TRIES
from tests.unit.shared.commands import ECO, FULL, T0, command, telemetry
from tests.unit.shared.orchard import Orchard
from tests.unit.shared.yard import NAME, POLL_SECONDS, Yard


@pytest.fixture
def orchard(clock: VirtualClock) -> Orchard:
    return Orchard(clock)


# --- never


def paused(orchard: Orchard) -> None:
    orchard.order(PAUSE)


def paused_in_vain(orchard: Orchard) -> None:
    orchard.miner.ignores = True
    orchard.order(PAUSE)


def maintained(orchard: Orchard) -> None:
    orchard.order(action=Action.MAINTENANCE, suspended_until=orchard.clock.now() + timedelta(seconds=600))


def watched(orchard: Orchard) -> None:
    orchard.order(action=Action.OBSERVE)


def protected(orchard: Orchard) -> None:
    orchard.miner.protected_since = orchard.clock.now()
    orchard.pass_seconds(POLL_SECONDS)
    orchard.order()


def silent(orchard: Orchard) -> None:
    orchard.miner.fails = UnreachableError("no answer")
    orchard.order()


def stopped(orchard: Orchard) -> None:
    orchard.stop()
    orchard.order()


def standing_paused(orchard: Orchard) -> None:
    orchard.miner.shows = MinerState.PAUSED
    orchard.order()


def stopping(orchard: Orchard) -> None:
    orchard.miner.shows = MinerState.STOPPING
    orchard.order()


def unknown(orchard: Orchard) -> None:
    orchard.miner.shows = MinerState.UNKNOWN
    orchard.order()


def paused_by_a_person(orchard: Orchard) -> None:
    orchard.wants(FULL)
    orchard.pass_seconds(POLL_SECONDS)
    orchard.miner.point = PAUSE
    orchard.pass_seconds(POLL_SECONDS, lambda: orchard.wants(FULL))
    assert orchard.last.outside_pause_since is not None
    orchard.order()


@pytest.mark.parametrize(
    "case",
    [
        paused,
        paused_in_vain,
        maintained,
        watched,
        protected,
        silent,
        stopped,
        standing_paused,
        stopping,
        unknown,
        paused_by_a_person,
    ],
)
def test_it_is_not_restarted(orchard: Orchard, case: Callable[[Orchard], None]) -> None:
    case(orchard)
    orchard.pass_seconds(40)
    assert orchard.miner.restarts == []
    assert orchard.last.last_restart_at is None


def test_an_observed_miner_is_not_restarted(clock: VirtualClock) -> None:
    orchard = Orchard(clock, observe=frozenset({NAME}))
    orchard.order()
    orchard.pass_seconds(40)
    assert orchard.miner.restarts == []


@pytest.mark.parametrize(("silence_seconds", "following"), [(80.0, Following.GRACE), (200.0, Following.FAILSAFE)])
def test_without_a_live_command_nothing_is_restarted(
    orchard: Orchard, silence_seconds: float, following: Following
) -> None:
    orchard.miner.fails = UnreachableError("no answer")
    orchard.order()
    orchard.pass_seconds(silence_seconds)
    orchard.miner.fails = None
    orchard.pass_seconds(2 * POLL_SECONDS)
    assert (orchard.last.following, orchard.miner.restarts) == (following, [])


def test_a_failed_miner_is_restarted_once_the_engine_knows_that_it_stands_still(orchard: Orchard) -> None:
    before = orchard.clock.now() - timedelta(seconds=1)
    orchard.wants(FULL, answers=before)
    orchard.miner.shows = MinerState.FAULT
    orchard.pass_seconds(POLL_SECONDS)
    orchard.order(answers=before)
    orchard.pass_seconds(POLL_SECONDS)
    assert orchard.miner.restarts == [], "to go on is a start"
    orchard.order()
    orchard.pass_seconds(POLL_SECONDS)
    assert len(orchard.miner.restarts) == 1


def test_a_kind_of_device_without_a_restart_goes_on_as_ever(clock: VirtualClock) -> None:
    yard = Yard(clock).start()
    yard.wants(ECO, restart_at=clock.now())
    yard.pass_seconds(2)
    assert (yard.last.point, yard.last.last_restart_at) == ("eco", None)


# --- afterwards


def test_afterwards_a_standstill_is_nobodys_pause_and_it_is_put_back(orchard: Orchard) -> None:
    restart_at = orchard.order()
    orchard.keep_ordering(restart_at, POLL_SECONDS)
    orchard.miner.point = PAUSE  # how it comes back
    orchard.keep_ordering(restart_at, 2 * POLL_SECONDS)
    assert orchard.last.outside_pause_since is None
    assert orchard.last.point == "full"


def test_a_pause_after_it_has_come_back_is_a_persons(orchard: Orchard) -> None:
    restart_at = orchard.order()
    orchard.miner.fails = UnreachableError("no answer")
    orchard.keep_ordering(restart_at, 2 * POLL_SECONDS)
    orchard.miner.fails = None
    orchard.keep_ordering(restart_at, 2 * POLL_SECONDS)
    orchard.miner.point = PAUSE
    orchard.keep_ordering(restart_at, 2 * POLL_SECONDS)
    assert orchard.last.outside_pause_since is not None
    assert orchard.last.point == "pause"


def test_a_restart_explains_a_standstill_for_a_while_only() -> None:
    role = MinerRole("fake")
    role.recall(telemetry(MinerState.HASHING, last_restart_at=T0))

    def look(state: MinerState, at: datetime) -> MinerTelemetry:
        return role.regard(telemetry(state, at=at), Following.COMMAND, command(), settled_before=True)

    look(MinerState.HASHING, T0)
    assert look(MinerState.PAUSED, T0 + timedelta(minutes=1)).outside_pause_since is None
    look(MinerState.RAMPING, T0 + RESTART_TAKES - timedelta(minutes=1))
    look(MinerState.RAMPING, T0 + RESTART_TAKES)
    late = look(MinerState.PAUSED, T0 + RESTART_TAKES + timedelta(minutes=1))
    assert late.outside_pause_since == late.at


def test_a_restart_begins_the_pursuit_anew(orchard: Orchard) -> None:
    """What it failed to do before is no fault of the miner that starts."""
    orchard.miner.ignores = True
    orchard.pass_seconds(60, lambda: orchard.wants(ECO))
    assert orchard.last.problem == "command_without_effect"
    tries = len(orchard.miner.applied)
    assert tries >= FAULT_AFTER_TRIES
    restart_at = orchard.order(ECO)
    orchard.runner.loops[NAME].due_in_seconds = 0
    orchard.turn()
    orchard.miner.shows = MinerState.RAMPING
    orchard.keep_ordering(restart_at, 1, ECO)
    assert orchard.miner.restarts == [None]
    assert orchard.last.state is MinerState.RAMPING
    assert not orchard.last.problem
    assert len(orchard.miner.applied) == tries + 1, "and is tried at once"


def test_a_pause_goes_before_and_after_a_restart(orchard: Orchard) -> None:
    restart_at = orchard.order()
    orchard.wants(PAUSE, restart_at=restart_at)
    orchard.turn()
    orchard.pass_seconds(2)
    assert orchard.miner.asked[-3:] == ["read", "pause", "read"]
    assert (orchard.last.point, len(orchard.miner.restarts)) == ("pause", 1)
