from datetime import timedelta
from typing import Any

import pytest

from shared.lease import Lease
from shared.messages import Action, Following, MinerCommand
from tests.unit.shared.commands import ECO, T0, command

GRACE = timedelta(seconds=120)


@pytest.fixture
def lease() -> Lease[MinerCommand]:
    return Lease(T0, GRACE)


def after(seconds: float) -> Any:
    return T0 + timedelta(seconds=seconds)


def followed(lease: Lease[MinerCommand], seconds: float) -> Following:
    return lease.follow(after(seconds), emergency=False)[0]


def test_a_command_is_followed_through_lease_and_grace_then_the_failsafe(lease: Lease[MinerCommand]) -> None:
    assert lease.offer(command(), T0, retained=False) is None

    assert followed(lease, 59.9) is Following.COMMAND
    assert lease.follow(after(59.9), emergency=False)[1] == command()
    assert followed(lease, 60) is Following.GRACE
    assert lease.follow(after(179), emergency=False)[1] == command()
    assert lease.follow(after(180), emergency=False) == (Following.FAILSAFE, None)


def test_before_the_first_command_it_only_waits_for_the_length_of_grace(lease: Lease[MinerCommand]) -> None:
    assert followed(lease, 119) is Following.NOTHING
    assert followed(lease, 120) is Following.FAILSAFE


def test_an_emergency_stop_comes_before_everything(lease: Lease[MinerCommand]) -> None:
    lease.offer(command(), T0, retained=False)
    assert lease.follow(T0, emergency=True) == (Following.EMERGENCY_STOP, None)


def test_only_the_length_of_the_lease_counts_not_the_engines_clock(lease: Lease[MinerCommand]) -> None:
    an_hour_slow = command(at=after(-80), lease=60)
    assert lease.offer(an_hour_slow, T0, retained=False) is None
    assert followed(lease, 59) is Following.COMMAND


def test_a_remembered_command_has_been_running_since_it_was_written(lease: Lease[MinerCommand]) -> None:
    assert lease.offer(command(at=after(-40)), T0, retained=True) is None
    assert followed(lease, 19) is Following.COMMAND
    assert followed(lease, 20) is Following.GRACE


def test_a_remembered_command_of_yesterday_leads_straight_to_the_failsafe(lease: Lease[MinerCommand]) -> None:
    assert lease.offer(command(at=after(-86400)), T0, retained=True) is None
    assert followed(lease, 0) is Following.FAILSAFE


def test_a_slightly_fast_engine_clock_does_not_lengthen_the_lease(lease: Lease[MinerCommand]) -> None:
    assert lease.offer(command(at=after(20)), T0, retained=True) is None
    assert followed(lease, 60) is Following.GRACE


@pytest.mark.parametrize(
    ("offered", "retained", "refusal"),
    [
        (command(at=after(31)), False, "from_the_future"),
        (command(at=after(31)), True, "from_the_future"),
        (command(at=after(-91)), False, "too_old"),
        (command(lease=0), False, "lease_out_of_bounds"),
        (command(lease=-60), False, "lease_out_of_bounds"),
        (command(lease=86401), False, "lease_out_of_bounds"),
        (command(epoch=4), False, "lower_epoch"),
        (command(epoch=4), True, "lower_epoch"),
    ],
)
def test_what_must_not_be_obeyed_is_refused_by_name(
    lease: Lease[MinerCommand], offered: MinerCommand, retained: bool, refusal: str
) -> None:
    lease.raise_fence(5, T0, timedelta(seconds=60))

    assert lease.offer(offered, T0, retained=retained) == refusal
    assert followed(lease, 0) is Following.NOTHING


def test_an_older_command_of_the_same_engine_does_not_overtake(lease: Lease[MinerCommand]) -> None:
    lease.offer(command(at=after(10)), after(10), retained=False)

    assert lease.offer(command(ECO, at=T0), after(10), retained=True) == "overtaken"
    assert lease.follow(after(11), emergency=False)[1] == command(at=after(10))


def test_a_newer_engine_replaces_even_if_its_clock_is_behind(lease: Lease[MinerCommand]) -> None:
    lease.offer(command(at=after(10)), after(10), retained=False)
    newer = command(ECO, at=after(5), epoch=6)

    assert lease.offer(newer, after(10), retained=False) is None
    assert lease.offer(command(at=after(11)), after(11), retained=False) == "lower_epoch"


def test_the_fence_is_forgotten_after_lease_plus_grace_without_word_of_it(lease: Lease[MinerCommand]) -> None:
    lease.raise_fence(9, T0, timedelta(seconds=60))

    assert lease.offer(command(at=after(179)), after(179), retained=False) == "lower_epoch"
    assert lease.offer(command(at=after(180)), after(180), retained=False) is None


def test_word_of_a_lower_epoch_does_not_lower_a_standing_fence(lease: Lease[MinerCommand]) -> None:
    lease.raise_fence(9, T0, timedelta(seconds=60))
    lease.raise_fence(3, after(1), timedelta(seconds=60))
    assert lease.offer(command(at=after(2)), after(2), retained=False) == "lower_epoch"

    lease.raise_fence(3, after(180), timedelta(seconds=60))
    assert lease.offer(command(at=after(181)), after(181), retained=False) is None


def test_maintenance_suspends_until_its_end_even_without_the_engine(lease: Lease[MinerCommand]) -> None:
    assert not lease.suspended(T0)
    lease.offer(command(action=Action.MAINTENANCE, suspended_until=after(3600)), T0, retained=False)

    assert lease.suspended(after(3599))
    assert not lease.suspended(after(3600))

    lease.offer(command(at=after(1), action=Action.MAINTENANCE), after(1), retained=False)
    assert lease.suspended(after(99999))

    lease.offer(command(at=after(2)), after(2), retained=False)
    assert not lease.suspended(after(2))
