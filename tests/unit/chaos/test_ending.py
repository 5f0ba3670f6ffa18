"""The rules of the end fail on histories that are wrong in this one thing, and on no others."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos import ending
from tests.chaos.checker import check
from tests.chaos.history import Beat, History, Look
from tests.unit.chaos.made_history import ENDED, ENGINE_1, SECONDS, beat, broken, made, told

Change = Callable[[History], None]
BEAT = beat(60.0, ENGINE_1)


UNWELL: dict[str, Change] = {
    "not settled": lambda it: it.told.append(told(ENDED - 0.5, "m0", settled=False)),
    "at its failsafe": lambda it: it.told.append(told(ENDED - 0.5, "m0", following="failsafe")),
    "not hashing": lambda it: it.looks.append(Look(ENDED - 0.1, frozenset({"m1"}))),
}


@pytest.mark.parametrize("name", UNWELL)
def test_who_has_not_come_to_rest_is_found(name: str) -> None:
    history = made()
    history.told = [one for one in history.told if one.at < ENDED - 0.6]
    assert broken(history) == set()
    UNWELL[name](history)
    assert broken(history) == {ending.CONVERGED}


@pytest.mark.parametrize("one", [replace(BEAT, dropped={"inbox_dropped": 3}), replace(BEAT, broken={"loop_failed": 1})])
def test_what_was_dropped_or_failed_is_found_once(one: Beat) -> None:
    history = made()
    history.beats += [replace(one, at=at) for at in (60.0, 65.0)]
    history.beats.sort(key=lambda beat: beat.at)
    (found,) = check(history).broken
    assert (found.rule, found.whom) == (ending.QUEUES, ENGINE_1)


def test_an_exception_in_a_log_is_found() -> None:
    history = made()
    history.tracebacks = {"vnish_agent-1/log/vnish_agent.log": 2}
    assert broken(history) == {ending.QUEUES}


@pytest.mark.parametrize("field", ["own_mb", "threads", "descriptors"])
def test_what_grows_is_found(field: str) -> None:
    history = made()
    history.weights = [
        replace(one, **{field: getattr(one, field) * 1.6}) if one.at > SECONDS else one for one in history.weights
    ]
    assert broken(history) == {ending.FLAT}


def test_one_process_more_for_a_while_is_no_growth() -> None:
    history = made()
    few = [replace(one, processes=4, threads=20) for one in history.weights if 20 < one.at < 30]
    history.weights = [one for one in history.weights if not 20 < one.at < 30] + few
    assert broken(history) == set()
    assert check(history).growth[0].threads == (10.0, 10.0)
