"""The rules of power fail on histories that are wrong in this one thing, and on no others."""

from dataclasses import replace

from tests.chaos import power
from tests.chaos.checker import PROMISES, check
from tests.chaos.history import Control, Look, Shown
from tests.chaos.plan import BROKER, Blow
from tests.unit.chaos.made_history import ENDED, ENGINE_1, ENGINE_2, FALLS, RISES, TENDERS, broken, made, trouble


def test_a_sound_history_breaks_nothing() -> None:
    verdict = check(made())
    assert verdict.broken == ()
    assert verdict.kept == dict.fromkeys(PROMISES, 0)
    assert (verdict.starts, verdict.stops) == (2, 2)


def test_a_miner_that_goes_on_hashing_is_found_and_named() -> None:
    history = made()
    history.looks = [Look(one.at, one.busy | {"m1"}) for one in history.looks]
    (found,) = check(history).broken
    assert (found.rule, found.whom) == (power.STOPS, "m1")
    assert FALLS + history.times.reaction < found.at < RISES
    assert "m1 draws power until 44.0 s; the battery is 20.5 %, below 60 % since 20.0 s" in found.sentence


def test_an_unknown_state_of_charge_stops_a_miner_too_but_later() -> None:
    history = made()
    history.shown = [Shown(0.0, 99.5), Shown(FALLS, None), Shown(ENDED, 99.5)]
    history.controls = []
    last = FALLS + history.times.stale_pause + history.times.reaction
    history.looks = [replace(one, busy=frozenset(TENDERS) if one.at <= last else frozenset()) for one in history.looks]
    assert power.STOPS not in broken(history)
    history.looks = [replace(one, busy=frozenset(TENDERS)) for one in history.looks]
    assert power.STOPS in broken(history)


def test_a_start_below_the_band_is_found() -> None:
    history = made()
    history.controls.append(Control(35.0, "m0", "vnish_agent-1", starts=True, took=True))
    (found,) = check(history).broken
    assert found.rule == power.STARTS
    assert "vnish_agent-1 starts m0 at 35.0 s; the battery is 20.5 %" in found.sentence


def test_a_start_inside_the_band_is_found() -> None:
    history = made()
    history.shown[-1] = Shown(RISES, 62.0)
    assert broken(history) == {power.STARTS}


def test_a_start_that_the_miner_did_not_take_is_none() -> None:
    history = made()
    history.controls.append(Control(35.0, "m0", "vnish_agent-1", starts=True, took=False))
    assert broken(history) == set()


def test_a_start_on_old_knowledge_is_allowed_only_in_trouble_and_only_for_so_long() -> None:
    history = made()
    history.controls.append(Control(FALLS + 15, "m0", "vnish_agent-1", starts=True, took=True))
    assert power.STARTS in broken(history)
    history.done.append(trouble(Blow.FREEZE, ENGINE_1, FALLS + 5, FALLS + 8))
    assert power.STARTS not in broken(history)
    history.controls[-1] = replace(history.controls[-1], at=FALLS + history.times.start_of_old + 1)
    history.shown[-1] = Shown(70.0, 99.5)
    assert power.STARTS in broken(history)


def test_with_everything_in_trouble_a_miner_still_stops_by_lease_and_grace() -> None:
    history = made()
    # From 18 s until the end of the chaos nobody but the agents is there.
    for whom in (BROKER, ENGINE_1, ENGINE_2, "soc_bridge-1", "soc_bridge-2"):
        history.done.append(trouble(Blow.KILL, whom, FALLS - 2, ENDED))
    history.shown[-1] = Shown(ENDED, 99.5)
    times = history.times
    deadline = FALLS + times.stale_pause + times.alone + times.reaction
    for last, found in ((deadline - 1, False), (deadline + 2, True)):
        history.looks = [
            replace(one, busy=frozenset(TENDERS) if one.at <= last else frozenset()) for one in history.looks
        ]
        assert (power.STOPS in broken(history)) is found


def test_a_miner_that_hangs_is_not_blamed_until_it_answers() -> None:
    history = made()
    history.looks = [Look(one.at, one.busy | {"m1"}) for one in history.looks]
    history.done = [trouble(Blow.HANG, "m1", FALLS - 1, RISES - 5)]
    assert broken(history) == set()
    history.done = [trouble(Blow.HANG, "m0", FALLS - 1, RISES - 5)]
    assert broken(history) == {power.STOPS}
