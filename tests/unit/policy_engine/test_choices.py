"""What people choose instead of the farm file: what holds, who is named, and what is never lifted."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.policy_engine.choices import Choices, Refusal, choice_by, is_empty, rules_with, unsound
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from services.policy_engine.state import empty_farm, fold
from shared.messages import Choice, MinerState, Number, Request, RequestKind
from shared.schedule import ByClock, Window
from shared.topics import GROUP_CHOICE, MINER_CHOICE
from tests.bitaxe_ladder import LADDER, timetable
from tests.engine_core import DIMMABLE, START, CoreRun, limit_of

RULES = Rules(
    miners={"s19": MinerRules(73, 75, max_w=3300), "s21": MinerRules(), "b1": MinerRules()},
    groups={"shed": GroupRules(("s19", "s21"), 6400), "all": GroupRules(("s19", "s21"))},
)
S19 = RULES.miners["s19"]


def running(soc: float = 80, rules: Rules = RULES) -> CoreRun:
    run = CoreRun(rules).soc(soc)
    for name in rules.miners:
        run.miner(name, MinerState.HASHING, DIMMABLE)
    run.decide()
    return run


def asked(by: str = "Ana", **choose: Number | None) -> Request:
    return Request(at=START, kind=RequestKind.CHOOSE, by=by, choose=choose)


def chosen(**values: Any) -> Choice:
    return Choice(at=START, by="Ana", **values)


# --- the band


def test_a_chosen_band_holds_and_says_who_chose_it_instead_of_what() -> None:
    run = running(70).choose("s19", stop_soc=60.0)
    run.decide()
    assert run.miner("s19", MinerState.HASHING).commands["s19"].point.is_pause, "in the band it stays as it was"
    run = running(74)
    run.choose("s19", stop_soc=78.0, resume_soc=90.0)
    command = run.decide()["s19"]
    assert (command.code, command.sentence) == ("soc_low", "SoC 74.0 % < 78 %, chosen by owner instead of 73 %")
    numbers = limit_of(run, "soc_hysteresis").numbers
    assert (numbers["file"], numbers["by"], numbers["stop_percent"]) == (73, "owner", 78)


@pytest.mark.parametrize(
    ("soc", "choice", "said"),
    [
        (80.0, {"resume_soc": 78.0}, "SoC 80.0 % > 78 %, chosen by owner instead of 75 %"),
        (74.0, {"stop_soc": 70.0}, "SoC 74.0 % ≥ 70 %, chosen by owner instead of 73 %"),
        (74.0, {"resume_soc": 78.0}, "SoC 74.0 % ≥ 73 %"),
        (60.0, {"resume_soc": 78.0}, "SoC 60.0 % < 73 %"),
    ],
)
def test_only_the_threshold_that_speaks_is_said_to_be_chosen(soc: float, choice: dict[str, Any], said: str) -> None:
    run = running(80).soc(soc).choose("s19", **choice)
    assert limit_of(run, "soc_hysteresis").sentence == said


def test_the_latch_and_its_date_outlive_another_band() -> None:
    run = running(70)
    since = limit_of(run, "soc_hysteresis").since
    run.wait(40).soc(74).choose("s19", stop_soc=50.0)
    run.decide()
    limit = limit_of(run, "soc_hysteresis")
    assert (limit.code, limit.ceiling_w, limit.since) == ("soc_low", 0, since)
    assert run.soc(76).wait(400).soc(76).decide()["s19"].point.name == "normal"


def test_a_band_is_not_given_to_whom_the_battery_does_not_govern() -> None:
    answer = choice_by(asked(stop_soc=40, resume_soc=50), None, RULES.miners["s21"], None, START)
    assert isinstance(answer, Refusal)
    assert "does not govern" in answer.sentence
    assert (
        rules_with(RULES, Choices({"s21": chosen(stop_soc=40.0, resume_soc=50.0)})).miners["s21"].stop_percent is None
    )


# --- caps


def test_a_chosen_cap_holds_and_a_higher_one_than_the_files_is_not_applied() -> None:
    run = running().choose("s19", max_w=2600.0)
    command = run.decide()["s19"]
    assert (command.point.name, command.code) == ("2500", "miner_cap")
    assert command.sentence == "at most 2600 W for this miner, chosen by owner instead of 3300 W"
    assert limit_of(run, "miner_cap").numbers["file"] == 3300
    run.choose("s19", max_w=9000.0)
    assert limit_of(run, "miner_cap").ceiling_w == 3300


def test_a_cap_where_the_file_has_none_says_who_chose_it() -> None:
    run = running().choose("s21", max_w=2000.0)
    assert run.decide()["s21"].sentence == "at most 2000 W for this miner, chosen by owner"
    assert "file" not in limit_of(run, "miner_cap", "s21").numbers
    run.choose("s21")
    assert run.decide()["s21"].point.name == "normal"


def test_a_chosen_cap_of_a_group_binds_and_is_named() -> None:
    run = running().choose("shed", max_w=5000.0)
    commands = run.decide()
    assert (commands["s19"].point.name, commands["s21"].point.name) == ("normal", "1800")
    assert commands["s21"].sentence.startswith(
        "group shed may draw 5000 W, chosen by owner instead of 6400 W, and others"
    )
    assert limit_of(run, "group_cap", "s21").numbers["file"] == 6400


def test_a_group_without_a_cap_in_the_file_gets_one_and_gives_it_back() -> None:
    run = running().choose("all", max_w=3200.0)
    assert run.decide()["s21"].code == "group_cap"
    run.choose("all")
    run.wait(400).soc(80)
    assert run.decide()["s21"].point.name == "normal"


# --- the point


def test_a_chosen_point_is_applied_as_it_is() -> None:
    run = running().choose("s21", point="1800")
    command = run.decide()["s21"]
    assert (command.point.name, command.code) == ("1800", "chosen")
    assert command.sentence == "1800, chosen by owner instead of normal"
    assert limit_of(run, "choice", "s21").numbers["file"] == "normal"


WINDOW = Window(ByClock(0), ByClock(24 * 60 - 1), profile="performance")


@pytest.mark.parametrize(("point", "applied"), [("efficient", "efficient"), ("performance", "performance")])
def test_at_most_that_point_also_where_a_schedule_asks_for_another(point: str, applied: str) -> None:
    rules = Rules(miners={"b1": MinerRules(timetable=timetable(WINDOW))})
    run = CoreRun(rules).miner("b1", MinerState.HASHING, LADDER)
    assert run.decide()["b1"].point.name == "performance"
    assert run.choose("b1", point=point).decide()["b1"].point.name == applied


def test_a_schedule_that_asks_for_less_than_the_choice_has_its_way() -> None:
    rules = Rules(miners={"b1": MinerRules(timetable=timetable(replace(WINDOW, profile="efficient")))})
    run = CoreRun(rules).miner("b1", MinerState.HASHING, LADDER).choose("b1", point="performance")
    assert run.decide()["b1"].point.name == "efficient"


def test_a_point_waits_for_its_ladder_and_a_lower_ceiling_binds() -> None:
    run = CoreRun(RULES).miner("s21", MinerState.HASHING, None).choose("s21", point="2500")
    assert limit_of(run, "choice", "s21").code == "choice_unknown_ladder"
    run.miner("s21", MinerState.HASHING, DIMMABLE)
    assert run.decide()["s21"].point.name == "2500"
    run.choose("s21", point="2500", max_w=1900.0)
    assert run.decide()["s21"].point.name == "1800"


@pytest.mark.parametrize("point", ["gone", "pause"])
def test_a_point_that_it_does_not_have_is_not_applied_and_said_so(point: str) -> None:
    run = running().choose("s21", point=point)
    assert run.decide()["s21"].point.name == "normal"
    limit = limit_of(run, "choice", "s21")
    assert (limit.code, limit.ceiling_w, "Fix:" in limit.sentence) == ("choice_point_missing", None, True)


# --- the farm file changes below a choice


def test_what_does_not_fit_the_file_any_more_is_not_applied_and_named() -> None:
    choices = Choices({"s19": chosen(stop_soc=74.0, max_w=3200.0, point="gone")}, {"shed": chosen(max_w=7000.0)})
    tighter = replace(RULES, miners={**RULES.miners, "s19": MinerRules(60, 70, max_w=3000)})
    rules = rules_with(tighter, choices)
    own = rules.miners["s19"]
    assert (own.stop_percent, own.resume_percent, own.max_w, rules.groups["shed"].max_w) == (60, 70, 3000, 6400)
    found = {(each.identifier, each.key) for each in unsound(tighter, choices, {"s19": DIMMABLE})}
    assert found == {("s19", "stop_soc"), ("s19", "max_w"), ("s19", "point"), ("shed", "max_w")}
    assert {each.key for each in unsound(tighter, choices, {})} == {"stop_soc", "max_w"}, "no ladder tells nothing"


def test_without_a_choice_the_rules_are_the_very_same() -> None:
    assert rules_with(RULES, Choices({"s19": chosen(), "gone": chosen(max_w=1.0)})) is RULES


# --- memory


def test_a_brokers_old_memory_does_not_win_and_a_taken_back_choice_stays_so() -> None:
    farm = empty_farm(RULES.miners, RULES.groups, START)
    for topic, name in ((MINER_CHOICE, "s19"), (GROUP_CHOICE, "shed")):
        new, old = chosen(max_w=2000.0), Choice(at=START - timedelta(seconds=1), max_w=1000.0)
        farm = fold(farm, topic, name, new, START, retained=True)
        assert fold(farm, topic, name, old, START, retained=True) is farm
        cleared = fold(farm, topic, name, None, START, retained=False)
        assert is_empty(cleared.choices.of(topic, name))
        assert fold(cleared, topic, name, old, START, retained=True) is cleared
    assert fold(farm, MINER_CHOICE, "stranger", chosen(max_w=5.0), START, retained=False) is farm


def test_a_restart_changes_nothing_of_a_choice() -> None:
    run = running(74).choose("s19", stop_soc=70.0).choose("s21", point="1800")
    before = {name: (command.point, command.code) for name, command in run.decide().items()}
    run.restart()
    assert {name: (command.point, command.code) for name, command in run.decide().items()} == before
