"""Replicas that follow one farm file begin anew almost together: no unit is lost, none has two owners."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.replica_farm import STEP_SECONDS, ReplicaFarm

TURNS = st.integers(0, int(6 / STEP_SECONDS))


@settings(max_examples=60, deadline=None)
@given(
    leave=st.lists(TURNS, min_size=2, max_size=4),
    away=st.lists(st.integers(1, int(4 / STEP_SECONDS)), min_size=4, max_size=4),
    keeps=st.booleans(),
)
def test_each_unit_has_one_owner_afterwards_and_never_two(leave: list[int], away: Sequence[int], keeps: bool) -> None:
    farm = ReplicaFarm(units=1 if keeps else 12, keeps=keeps)
    names = [f"an_agent-{number}" for number in range(len(leave))]
    farm.add(*names)
    farm.pass_seconds(20)
    assert farm.is_whole()
    before = farm.shares()

    for turn in range(int(40 / STEP_SECONDS)):
        for name, begins, absent in zip(names, leave, away, strict=False):
            if turn == begins:
                farm.replicas[name].leave()
            elif turn == begins + absent:
                farm.replicas[name].start()
        farm.turn()
        assert not [unit for unit in farm.units if len(farm.tending(unit)) > 1]

    assert farm.is_whole()
    assert keeps or farm.shares() == before
