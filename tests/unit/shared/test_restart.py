"""Restarts that the engine orders: carried out once, and only while they are young."""

from datetime import timedelta

import pytest

from shared.clock import VirtualClock
from shared.device import BusyError, NonsenseError, RefusedError, UnauthorizedError, UnreachableError
from shared.messages import (
    RESTART_YOUNG_SECONDS,
    Following,
    MinerCommand,
    MinerState,
    MinerTelemetry,
)
from shared.restart import REFUSALS_MAX, RETRY_SECONDS
from shared.topics import MINER_COMMAND, MINER_TELEMETRY
from tests.unit.shared.commands import FULL, command
from tests.unit.shared.orchard import Orchard, Restartable
from tests.unit.shared.yard import NAME, POLL_SECONDS, Yard


@pytest.fixture
def orchard(clock: VirtualClock) -> Orchard:
    return Orchard(clock)


# --- once


def test_an_order_is_carried_out_once_and_told(orchard: Orchard) -> None:
    restart_at = orchard.order()
    orchard.keep_ordering(restart_at, 400)
    assert orchard.miner.restarts == [None]
    assert orchard.last.last_restart_at == restart_at
    assert orchard.codes() == ["restart_asked"]


def test_a_later_order_is_another_one(orchard: Orchard) -> None:
    first = orchard.order()
    orchard.keep_ordering(first, 100)
    second = orchard.order()
    orchard.keep_ordering(second, 20)
    assert orchard.miner.restarts == [None, first]
    orchard.keep_ordering(first, 20)
    assert len(orchard.miner.restarts) == 2, "an engine that lags behind asks for the first one"
    assert orchard.last.last_restart_at == second


def test_what_was_done_is_told_also_while_it_is_silent(orchard: Orchard) -> None:
    restart_at = orchard.order()
    orchard.miner.fails = UnreachableError("no answer")
    orchard.pass_seconds(POLL_SECONDS)
    assert (orchard.last.reachable, orchard.last.last_restart_at) == (False, restart_at)


def test_an_agent_that_was_restarted_knows_what_was_done(clock: VirtualClock) -> None:
    orchard = Yard(clock, Restartable(clock))
    done = clock.now() + timedelta(seconds=20)
    previous = MinerTelemetry(at=done, driver="fake", reachable=True, state=MinerState.HASHING, last_restart_at=done)
    orchard.publish(MINER_TELEMETRY, NAME, previous)
    orchard.agent.start_with_memory()
    orchard.service.start()
    orchard.turn()
    clock.advance(20)
    orchard.pass_seconds(60, lambda: orchard.wants(FULL, restart_at=done))
    assert isinstance(orchard.miner, Restartable)
    assert orchard.miner.restarts == []
    assert orchard.last.last_restart_at == done


@pytest.mark.parametrize(
    ("ahead_seconds", "ordered_seconds", "late_seconds"),
    [
        pytest.param(0, 30, 0, id="clocks agree"),
        pytest.param(25, 10, 0, id="the engine's clock is ahead"),
        pytest.param(0, 0, 40, id="the command comes late"),
    ],
)
def test_what_was_ordered_before_the_agent_was_there_may_have_been_done(
    orchard: Orchard, ahead_seconds: float, ordered_seconds: float, late_seconds: float
) -> None:
    """By a process that died before it could say so."""
    at = orchard.clock.now() + timedelta(seconds=ahead_seconds - late_seconds)
    message = command(FULL, at=at, restart_at=at - timedelta(seconds=ordered_seconds))
    lease = orchard.agent.tenders[NAME].lease
    assert lease.offer(message, orchard.clock.now(), retained=False) is None
    orchard.pass_seconds(30)
    assert (orchard.last.following, orchard.miner.restarts) == (Following.COMMAND, [])


# --- young


@pytest.mark.parametrize(("age_seconds", "asked"), [(RESTART_YOUNG_SECONDS - 1, 1), (RESTART_YOUNG_SECONDS, 0)])
def test_an_old_order_is_not_carried_out(orchard: Orchard, age_seconds: float, asked: int) -> None:
    restart_at = orchard.clock.now()
    orchard.pass_seconds(age_seconds, lambda: orchard.wants(FULL))
    orchard.wants(FULL, restart_at=restart_at)
    orchard.runner.loops[NAME].due_in_seconds = 0
    orchard.turn()
    assert len(orchard.miner.restarts) == asked


def test_the_time_since_receipt_counts(orchard: Orchard) -> None:
    orchard.miner.fails = UnreachableError("no answer")
    orchard.order(lease=1000)
    orchard.pass_seconds(RESTART_YOUNG_SECONDS + POLL_SECONDS)
    orchard.miner.fails = None
    orchard.pass_seconds(2 * POLL_SECONDS)
    assert (orchard.last.following, orchard.miner.restarts) == (Following.COMMAND, [])


def test_a_clock_that_differs_by_minutes_does_not_matter(orchard: Orchard) -> None:
    orchard.pass_seconds(400, lambda: orchard.wants(FULL))
    behind = orchard.clock.now() - timedelta(seconds=350)
    message = command(FULL, at=behind, epoch=6, lease=600, restart_at=behind - timedelta(seconds=10))
    assert orchard.agent.tenders[NAME].lease.offer(message, orchard.clock.now(), retained=False) is None
    orchard.pass_seconds(POLL_SECONDS)
    assert len(orchard.miner.restarts) == 1


@pytest.mark.parametrize(("back_seconds", "asked"), [(250.0, 1), (310.0, 0)])
def test_a_command_from_the_brokers_memory_counts_from_when_it_was_written(
    orchard: Orchard, back_seconds: float, asked: int
) -> None:
    orchard.pass_seconds(400, lambda: orchard.wants(FULL))
    written = orchard.clock.now() - timedelta(seconds=back_seconds)
    message = command(FULL, at=written, epoch=6, lease=600, restart_at=written)
    assert orchard.agent.tenders[NAME].lease.offer(message, orchard.clock.now(), retained=True) is None
    orchard.pass_seconds(POLL_SECONDS)
    assert len(orchard.miner.restarts) == asked


def test_an_order_of_the_future_is_none(orchard: Orchard) -> None:
    orchard.wants(FULL, restart_at=orchard.clock.now() + timedelta(seconds=5))
    orchard.pass_seconds(1)
    orchard.turn()
    assert orchard.miner.restarts == []


# --- refused, or not answered


@pytest.mark.parametrize(
    "error", [RefusedError("answered 500"), UnauthorizedError("wrong password"), BusyError("too many requests")]
)
def test_a_refused_restart_is_tried_twice_more_and_told(orchard: Orchard, error: Exception) -> None:
    orchard.miner.denies = error
    restart_at = orchard.order()
    orchard.keep_ordering(restart_at, RETRY_SECONDS / 2)
    assert len(orchard.miner.restarts) == 1
    orchard.keep_ordering(restart_at, 200)
    assert len(orchard.miner.restarts) == REFUSALS_MAX == 3
    assert orchard.last.last_restart_at is None, "nothing was done"
    assert orchard.codes() == ["restart_refused"]
    assert str(error) in orchard.events[0].sentence
    orchard.miner.denies = None
    orchard.order()
    orchard.pass_seconds(POLL_SECONDS)
    assert len(orchard.miner.restarts) == 4, "another order begins anew"


def test_a_device_that_wants_to_be_left_alone_is(orchard: Orchard) -> None:
    orchard.miner.denies = BusyError("too many requests", retry_seconds=60)
    restart_at = orchard.order()
    orchard.keep_ordering(restart_at, 50)
    assert len(orchard.miner.restarts) == 1


def test_a_refused_restart_that_is_then_accepted_is_done(orchard: Orchard) -> None:
    orchard.miner.denies = RefusedError("answered 500")
    restart_at = orchard.order()
    orchard.miner.denies = None
    orchard.keep_ordering(restart_at, 100)
    assert len(orchard.miner.restarts) == 2
    assert orchard.last.last_restart_at == restart_at


@pytest.mark.parametrize(
    "error", [UnreachableError("no answer within 5 s"), NonsenseError("not JSON"), KeyError("bug")]
)
def test_a_restart_that_may_have_been_heard_counts_as_done(orchard: Orchard, error: Exception) -> None:
    orchard.miner.denies = error
    restart_at = orchard.order()
    orchard.keep_ordering(restart_at, 200)
    assert len(orchard.miner.restarts) == 1
    assert orchard.last.last_restart_at == restart_at
    assert orchard.codes() == ["restart_asked"]
    assert orchard.events[0].sentence.count(";") == 1, "the doubt is told"


def test_a_command_that_is_no_longer_held_has_no_age(orchard: Orchard) -> None:
    lease = orchard.agent.tenders[NAME].lease
    orchard.wants(FULL)
    orchard.turn()
    _, held = lease.follow(orchard.clock.now(), emergency=False)
    assert isinstance(held, MinerCommand)
    orchard.clock.advance(7)
    assert lease.age(held, orchard.clock.now()) == timedelta(seconds=7)
    orchard.publish(MINER_COMMAND, NAME, command(at=orchard.clock.now()))
    orchard.turn()
    assert lease.age(held, orchard.clock.now()) is None
