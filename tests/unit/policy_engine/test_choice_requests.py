"""What a request makes of a choice: each key checked, what is not named kept, what the file says taken back."""

from dataclasses import replace
from typing import Any

import pytest

from services.policy_engine.choices import Refusal, choice_by, is_empty
from services.policy_engine.rules import GroupRules, MinerRules
from shared.messages import Choice, Number, Request, RequestKind
from tests.engine_core import DIMMABLE, START

S19 = MinerRules(73, 75, max_w=3300)
SHED = GroupRules(("s19", "s21"), 6400)


def asked(by: str = "Ana", **choose: Number | None) -> Request:
    return Request(at=START, kind=RequestKind.CHOOSE, by=by, choose=choose)


def test_what_is_not_named_stays_and_none_takes_it_back() -> None:
    first = choice_by(asked(stop_soc=60, max_w=3000), None, S19, None, START)
    assert isinstance(first, Choice)
    second = choice_by(asked("Rui", max_w=None, point="2500"), first, S19, DIMMABLE, START)
    assert isinstance(second, Choice)
    assert (second.stop_soc, second.max_w, second.point, second.by) == (60, None, "2500", "Rui")
    assert second.at > first.at, "of two at the same moment the later one is known by its date"


def test_what_the_file_says_anyway_counts_as_taken_back() -> None:
    choice = choice_by(asked(stop_soc=73, resume_soc=75, max_w=3300), None, S19, None, START)
    assert isinstance(choice, Choice)
    assert is_empty(choice)


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        ({}, "names nothing"),
        ({"speed": 3}, "cannot be chosen here"),
        ({"stop_soc": 101}, "no state of charge"),
        ({"stop_soc": -1}, "no state of charge"),
        ({"stop_soc": "60"}, "must be a number"),
        ({"stop_soc": True}, "must be a number"),
        ({"stop_soc": 75}, "must be below"),
        ({"resume_soc": 73}, "must be below"),
        ({"max_w": 0}, "no power limit"),
        ({"max_w": -5}, "no power limit"),
        ({"max_w": 3301}, "above the 3300 W of the farm file"),
        ({"point": 3}, "must be the name"),
        ({"point": ""}, "must be the name"),
        ({"point": "turbo"}, "no operating point"),
        ({"point": "pause"}, "a pause"),
    ],
)
def test_what_is_unsound_is_refused_with_its_fix(choose: dict[str, Any], said: str) -> None:
    answer = choice_by(asked(**choose), None, S19, DIMMABLE, START)
    assert isinstance(answer, Refusal)
    assert said in answer.sentence
    assert "Fix: " in answer.sentence


@pytest.mark.parametrize(
    ("choose", "refused"), [({"max_w": 6400}, False), ({"max_w": 6401}, True), ({"point": "x"}, True)]
)
def test_a_group_has_its_cap_alone(choose: dict[str, Any], refused: bool) -> None:
    answer = choice_by(asked(**choose), None, SHED, None, START)
    assert isinstance(answer, Refusal) is refused


def test_what_is_unsound_by_now_stands_in_nobodys_way() -> None:
    known = Choice(at=START, point="gone", stop_soc=74.5)
    answer = choice_by(asked(max_w=2000), known, replace(S19, resume_percent=74), DIMMABLE, START)
    assert isinstance(answer, Choice)
    assert (answer.max_w, answer.point, answer.stop_soc) == (2000, "gone", 74.5)
