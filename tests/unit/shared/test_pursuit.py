import pytest

from shared.device import Step
from shared.pursuit import BACK_OFF_MAX_SECONDS, FAULT_AFTER_TRIES, Pursuit

VAIN = Step(1.0)
MOVING = Step(2.0, on_the_way=True, patience_seconds=100)


@pytest.fixture
def pursuit() -> Pursuit:
    made = Pursuit()
    made.judge("pause", settled=False)
    return made


def exhaust(pursuit: Pursuit, seconds: float = 0.0) -> None:
    for _ in range(FAULT_AFTER_TRIES):
        pursuit.applied(seconds, VAIN)


def test_each_vain_try_waits_longer_for_the_next_up_to_a_bound(pursuit: Pursuit) -> None:
    waits = []
    for _ in range(9):
        assert pursuit.applied(100.0, VAIN) == 1.0
        waits.append(pursuit.wait_seconds(100.0))

    assert waits[:5] == [1.0, 5.0, 10.0, 20.0, 40.0]
    assert waits[-1] == BACK_OFF_MAX_SECONDS


def test_after_so_many_vain_tries_it_is_a_fault_told_once(pursuit: Pursuit) -> None:
    exhaust(pursuit)

    assert pursuit.judge("pause", settled=False) is True
    assert pursuit.faulty
    assert pursuit.judge("pause", settled=False) is None


def test_what_cannot_be_read_is_no_verdict(pursuit: Pursuit) -> None:
    exhaust(pursuit)
    assert pursuit.judge("pause", settled=None) is None


def test_reaching_the_goal_ends_the_fault_and_the_count(pursuit: Pursuit) -> None:
    exhaust(pursuit)
    pursuit.judge("pause", settled=False)

    assert pursuit.judge("pause", settled=True) is False
    assert (pursuit.tries, pursuit.faulty) == (0, False)
    assert pursuit.judge("pause", settled=True) is None


def test_a_new_goal_is_tried_at_once(pursuit: Pursuit) -> None:
    exhaust(pursuit)
    pursuit.failed("it said no")

    assert pursuit.judge("full", settled=False) is None
    assert (pursuit.wait_seconds(0.0), pursuit.tries, pursuit.cause) == (0.0, 0, "")


def test_a_new_goal_that_is_reached_already_ends_the_old_fault(pursuit: Pursuit) -> None:
    exhaust(pursuit)
    pursuit.judge("pause", settled=False)
    assert pursuit.judge("full", settled=True) is False


def test_a_device_on_its_way_is_not_counted_but_not_for_ever(pursuit: Pursuit) -> None:
    assert pursuit.applied(0.0, MOVING) == 2.0
    pursuit.applied(99, MOVING)
    assert pursuit.tries == 0

    pursuit.applied(100, MOVING)
    assert pursuit.tries == 1
