"""What a person asks to be done to one rig: when it is refused, and what it does to the watchdog's memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.policy_engine.rules import MinerRules, Rules
from services.policy_engine.watchdog.asked import refusal
from shared.messages import Action, Following, MinerState, OverrideKind, RequestKind
from tests.engine_core import ON_OFF, CoreRun
from tests.watched_rigs import ASIC, PLAIN, WatchedFarm, rules_for, told

RESTART, CYCLE, CLEAR = RequestKind.RESTART, RequestKind.CYCLE, RequestKind.CLEAR_UNSTABLE
RULES = Rules(miners={"rig": MinerRules(73, 75, watch=ASIC)})


def hashing(run: CoreRun, **rest: Any) -> CoreRun:
    known = {"following": Following.COMMAND, "last_restart_at": None, **rest}
    return run.miner("rig", known.pop("state", MinerState.HASHING), ON_OFF, **known)


def plugged(run: CoreRun, **rest: Any) -> CoreRun:
    run.plug("rig", **{"following": Following.COMMAND, **rest})
    return run


def sound(rules: Rules = RULES) -> CoreRun:
    """A rig that hashes, with an outlet that is on and follows."""
    run = CoreRun(rules).soc(80)
    plugged(hashing(run)).decide()
    return run


def why_not(kind: RequestKind, run: CoreRun) -> str | None:
    return refusal(kind, run.farm, "rig", run.rules, run.now)


@pytest.mark.parametrize("kind", [RESTART, CYCLE])
def test_what_is_sound_can_be_asked(kind: RequestKind) -> None:
    assert why_not(kind, sound()) is None


def watched(watch: Any) -> Callable[[], CoreRun]:
    return lambda: sound(Rules(miners={"rig": MinerRules(73, 75, watch=watch)}))


@pytest.mark.parametrize(
    ("kind", "make", "said"),
    [
        (RESTART, lambda: sound().emergency(active=True), "emergency stop"),
        (CYCLE, lambda: sound().emergency(active=True), "emergency stop"),
        (RESTART, lambda: sound().override("rig", OverrideKind.MAINTENANCE), "maintenance"),
        (CYCLE, lambda: sound().override("rig", OverrideKind.MAINTENANCE), "maintenance"),
        (RESTART, lambda: sound(Rules(miners={"rig": MinerRules(73, 75, observe=True, watch=ASIC)})), "only watched"),
        (CYCLE, lambda: sound(Rules(miners={"rig": MinerRules(73, 75, observe=True, watch=ASIC)})), "only watched"),
        (RESTART, lambda: CoreRun(RULES), "nothing has been decided"),
        (RESTART, watched(replace(ASIC, can_restart=False)), "cannot be restarted"),
        (RESTART, lambda: hashing(sound(), state=None, detail="no answer"), "does not answer: no answer"),
        (RESTART, lambda: sound().wait(200, silent=True), "agent is not heard"),
        (RESTART, lambda: hashing(sound(), following=Following.FAILSAFE), "follows no command"),
        (RESTART, lambda: hashing(sound(), state=MinerState.PAUSED), "a restart would start it"),
        (RESTART, lambda: hashing(sound(), state=MinerState.UNKNOWN), "a restart would start it"),
        (RESTART, lambda: hashing(sound(), protected_since=sound().now), "protects it from heat"),
        (CYCLE, watched(replace(ASIC, has_plug=False)), "no outlet"),
        (CYCLE, lambda: sound().wait(200, silent=True), "outlet is not heard"),
        (CYCLE, lambda: plugged(sound(), reachable=False, on=None), "outlet does not answer"),
        (CYCLE, lambda: plugged(sound(), on=None), "outlet does not answer"),
        (CYCLE, lambda: plugged(sound(), cycle_off_since=sound().now), "is being cycled"),
        (CYCLE, lambda: plugged(sound(), on=False), "nothing to cycle"),
        (CYCLE, lambda: plugged(sound(), following=Following.GRACE), "follows no command"),
        (CLEAR, sound, "nothing to clear"),
    ],
)
def test_it_is_refused_with_the_reason_and_the_fix(kind: RequestKind, make: Callable[[], CoreRun], said: str) -> None:
    cause = why_not(kind, make())
    assert cause is not None
    assert said in cause
    assert "Fix: " in cause


def test_what_is_paused_is_not_restarted_but_may_be_cycled_while_its_outlet_is_on() -> None:
    run = sound().soc(60)
    run.decide()
    hashing(run, state=MinerState.PAUSED)
    assert "it is paused: SoC 60.0 % < 73 %" in (why_not(RESTART, run) or "")
    assert why_not(CYCLE, run) is None
    command = run.ask("rig", CYCLE)
    assert (command.point.is_pause, command.code) == (True, "soc_low"), "it comes back to what is wanted of it"
    outlet = run.farm.miners["rig"].outlet
    assert outlet is not None
    assert (outlet.on, outlet.cycle_at, outlet.action) == (True, run.now, Action.APPLY)


@pytest.mark.parametrize("kind", [RESTART, CYCLE])
def test_it_is_a_try_with_its_time_to_come_back(kind: RequestKind) -> None:
    run = sound()
    command = run.ask("rig", kind)
    assert command.care is not None
    assert (command.care.tries, command.care.unstable_since) == ((run.now,), None)
    assert "owner has asked for it" in command.care.sentence
    assert (command.restart_at == run.now, command.care.cycle_at == run.now) == (kind is RESTART, kind is CYCLE)
    for again in (RESTART, CYCLE):
        assert "its time to come back" in (why_not(again, run) or "")
    ordered_at = run.now
    run.wait(300).decide()
    assert run.commands["rig"].care is not None
    assert run.commands["rig"].restart_at == (ordered_at if kind is RESTART else None)
    assert why_not(kind, run.wait(300)) is None


def test_the_same_word_is_not_done_again_by_the_next_decisions() -> None:
    run = sound()
    first = run.ask("rig", CYCLE)
    run.wait(30).decide()
    second = run.commands["rig"]
    assert first.care is not None
    assert second.care is not None
    assert (second.care.cycle_at, second.care.tries) == (first.care.cycle_at, first.care.tries)


# --- the watchdog's memory


def given_up() -> WatchedFarm:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    farm.play(300)
    assert len(farm.rigs["a"].cycles) == 3
    return farm


def test_clearing_lets_it_try_as_often_as_at_first() -> None:
    farm = given_up()
    assert refusal(CLEAR, farm.run.farm, "a", farm.rules, farm.now) is None
    farm.run.ask("a", CLEAR)
    assert len(farm.rigs["a"].cycles) == 3
    farm.play(300)
    assert len(farm.rigs["a"].cycles) == 6
    care = farm.care("a")
    assert care is not None
    assert care.code == "unstable"


def test_a_cycle_by_a_person_is_the_first_of_a_new_series() -> None:
    farm = given_up()
    farm.run.ask("a", CYCLE)
    farm.play(5)
    assert len(farm.rigs["a"].cycles) == 4
    farm.play(300)
    assert len(farm.rigs["a"].cycles) == 6, "two more by the watchdog"


def test_nobody_is_told_that_it_is_at_work_again_because_a_person_acted() -> None:
    farm = given_up()
    farm.run.ask("a", CLEAR)
    farm.play(30)
    assert "returned" not in {event.code for event in told(farm, "a")}
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = False
    farm.play(30)
    assert "returned" in {event.code for event in told(farm, "a")}


def test_a_restart_by_a_person_in_vain_is_followed_by_a_cycle() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    farm.rigs["a"].frozen = farm.rigs["a"].stubborn = True
    farm.run.ask("a", RESTART)
    farm.play(60)
    assert (len(farm.rigs["a"].restarts), len(farm.rigs["a"].cycles)) == (1, 1)


def test_a_restarted_engine_remembers_what_was_asked() -> None:
    farm = given_up()
    farm.run.ask("a", CLEAR)
    farm.restart_engine().play(300)
    assert len(farm.rigs["a"].cycles) == 6


def test_a_clearing_needs_tries_in_vain() -> None:
    farm = given_up()
    farm.run.ask("a", CLEAR)
    assert refusal(CLEAR, farm.run.farm, "a", farm.rules, farm.now + timedelta(seconds=1)) is not None


def test_a_try_by_a_person_waits_for_nobodys_turn_but_others_wait_for_it() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    farm.rigs["b"].hung = True
    farm.play(9.5)
    farm.run.ask("a", CYCLE)
    farm.play(30)
    assert len(farm.rigs["b"].cycles) == 1
    assert farm.rigs["b"].cycles[0] - farm.rigs["a"].cycles[0] >= farm.rules.stagger_window
