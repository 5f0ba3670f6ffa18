"""The rules of tending fail on histories that are wrong in this one thing, and on no others."""

from dataclasses import replace

from tests.chaos import tending
from tests.chaos.checker import check
from tests.chaos.history import Control, History, Look, Shown
from tests.chaos.plan import Blow
from tests.unit.chaos.made_history import ENDED, SECONDS, STARTED, TENDERS, broken, made, told, trouble


def moved(history: History, device: str, by: str, begins: float, ends: float = ENDED + 1) -> None:
    history.told = [
        replace(one, by=by) if one.device == device and begins <= one.at < ends else one for one in history.told
    ]


def test_a_change_of_tender_needs_a_cause() -> None:
    history = made()
    moved(history, "m0", "vnish_agent-3", 50.0)
    history.controls = [one for one in history.controls if one.device != "m0" or one.at < 50]
    assert broken(history) == {tending.ONE_TENDER}
    history.done = [trouble(Blow.KILL, "vnish_agent-1", 45.0, 46.0)]
    assert broken(history) == set()
    history.done = [trouble(Blow.KILL, "vnish_agent-2", 45.0, 46.0)]
    assert broken(history) == {tending.ONE_TENDER}


def test_two_who_take_turns_are_found() -> None:
    history = made()
    history.told.append(told(60.9, "m0", by="vnish_agent-3"))
    history.told.sort(key=lambda one: one.at)
    found = check(history).broken
    assert [one.rule for one in found] == [tending.ONE_TENDER] * 2
    assert "vnish_agent-1" in found[0].sentence
    assert "vnish_agent-3" in found[0].sentence


def test_what_was_said_long_ago_is_nobodys_tenure() -> None:
    history = made()
    history.told.append(told(60.9, "m0", by="vnish_agent-3", age=12.0))
    history.told.append(told(61.9, "m0", by="vnish_agent-3", retained=True))
    history.told.sort(key=lambda one: one.at)
    assert broken(history) == set()


def test_a_wrong_clock_makes_nobody_old() -> None:
    history = made()
    history.done = [trouble(Blow.SKEW, "vnish_agent-1", 40.0, 60.0, "-20")]
    moved(history, "m0", "vnish_agent-3", 50.0, 52.0)
    history.told = [
        replace(one, age=one.age + 20) if one.by == "vnish_agent-1" and 40 <= one.at <= 60 else one
        for one in history.told
    ]
    assert check(history).kept[tending.ALWAYS_TENDED] == 0


def test_a_device_of_which_nothing_is_heard_is_found() -> None:
    history = made()
    history.told = [one for one in history.told if one.device != "m0" or not 50 <= one.at < 69]
    (found,) = check(history).broken
    assert found.rule == tending.ALWAYS_TENDED
    history.done = [trouble(Blow.KILL, "vnish_agent-1", 50.0, 60.0)]
    assert broken(history) == set()
    history.done = [trouble(Blow.KILL, "policy_engine-1", 50.0, 60.0)]
    assert broken(history) == {tending.ALWAYS_TENDED}


def test_a_dead_agents_devices_may_not_wait_for_its_return() -> None:
    history = made()
    history.told = [one for one in history.told if one.device != "m0" or not 5 <= one.at < 69]
    history.done = [trouble(Blow.KILL, "vnish_agent-1", 5.0, 65.0)]
    assert tending.ALWAYS_TENDED in broken(history)


def test_orders_by_two_need_a_cause() -> None:
    history = made()
    history.controls.append(Control(STARTED + 2, "m0", "vnish_agent-3", starts=True, took=True))
    assert broken(history) == {tending.TWO_HANDS}
    history.done = [trouble(Blow.HOLD, "vnish_agent-1", STARTED - 5, STARTED)]
    assert broken(history) == set()


def test_a_start_right_after_the_stop_of_another_is_a_conflict_in_any_trouble() -> None:
    history = made()
    history.shown = [Shown(0.0, 99.5)]
    history.looks = [Look(one.at, frozenset(TENDERS)) for one in history.looks]
    history.controls = [
        Control(50.0, "m0", "vnish_agent-3", starts=False, took=True),
        Control(52.0, "m0", "vnish_agent-1", starts=True, took=True),
    ]
    history.done = [trouble(Blow.HOLD, "vnish_agent-1", 30.0, 48.0)]
    assert broken(history) == {tending.CONFLICT}
    history.controls[1] = replace(history.controls[1], at=50.0 + tending.conflict_seconds_of(history.times) + 0.1)
    assert broken(history) == set()


def test_a_stop_right_after_the_start_of_another_only_lowers() -> None:
    history = made()
    history.controls.append(Control(STARTED + 1, "m0", "vnish_agent-3", starts=False, took=True))
    history.done = [trouble(Blow.HOLD, "vnish_agent-3", 20.0, 30.0)]
    assert broken(history) == set()


def test_a_thawed_process_may_end_the_request_that_it_had_begun() -> None:
    history = made()
    history.shown = [Shown(0.0, 99.5)]
    history.looks = [Look(one.at, frozenset(TENDERS)) for one in history.looks]
    history.controls = [
        Control(50.0, "m0", "vnish_agent-3", starts=False, took=True),
        Control(52.0, "m0", "vnish_agent-1", starts=True, took=True),
    ]
    history.done = [trouble(Blow.FREEZE, "vnish_agent-1", 30.0, 51.9)]
    assert broken(history) == set()


def test_how_soon_the_devices_of_a_lost_agent_are_tended_again_is_measured() -> None:
    history = made()
    history.told = [one for one in history.told if one.device != "m0" or not 30 <= one.at < 47]
    moved(history, "m0", "vnish_agent-3", 47.0)
    history.controls = []
    history.done = [trouble(Blow.FREEZE, "vnish_agent-1", 31.0, SECONDS)]
    verdict = check(history)
    assert verdict.tended_after_silence.all == (17.0,)
    assert verdict.tended_after_kills.count == 0
    history.done = [
        trouble(Blow.KILL, "vnish_agent-1", 31.0, SECONDS),
        trouble(Blow.FREEZE, "vnish_agent-2", 31.0, 34.0),
    ]
    verdict = check(history)
    assert verdict.tended_after_kills.all == (17.0,)
    assert verdict.tended_after_silence.count == 0, "who is back before anybody misses it loses nothing"


def test_the_share_of_a_joiner_is_measured() -> None:
    history = made()
    moved(history, "m0", "vnish_agent-4", 20.0, 60.0)
    history.done = [trouble(Blow.JOIN, "vnish_agent-4", 15.0, 60.0)]
    assert check(history).shares_of_joiners == (0.5,)


def test_a_pause_by_another_replica_is_no_persons() -> None:
    history = made()
    history.told = [replace(one, outside_pause=one.device == "m0" and 30 < one.at < 40) for one in history.told]
    (found,) = check(history).broken
    assert found.rule == tending.OUTSIDE
    assert "vnish_agent-1 stops it at 22.5 s" in found.sentence
