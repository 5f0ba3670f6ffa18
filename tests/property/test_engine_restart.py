"""A restart changes nothing: whoever begins with the broker's memory decides what would have been decided."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.engine_core import CoreRun, essence
from tests.engine_history import HISTORIES, PROPERTY, RULES, History


@PROPERTY
@given(HISTORIES, st.sets(st.integers(0, 16), min_size=1))
def test_a_restart_changes_no_decision(history: list[tuple[Any, ...]], restarts: set[int]) -> None:
    kept, restarted = History(CoreRun(RULES)), History(CoreRun(RULES))
    for index, event in enumerate(history):
        kept.play(event)
        if index in restarts:
            restarted.run.restart()
        restarted.play(event)
    for before, after in zip(kept.ticks, restarted.ticks, strict=True):
        assert {name: essence(command) for name, command in before.items()} == {
            name: essence(command) for name, command in after.items()
        }


@PROPERTY
@given(HISTORIES)
def test_the_restart_itself_decides_the_same(history: list[tuple[Any, ...]]) -> None:
    played = History(CoreRun(RULES))
    for event in history:
        played.play(event)
    before = played.run.decide()
    played.run.restart()
    assert {name: essence(command) for name, command in before.items()} == {
        name: essence(command) for name, command in played.run.commands.items()
    }
