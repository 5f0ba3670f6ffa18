"""The invariants as the engine sees them while it runs, and how long each may be broken before it is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.policy_engine.inspector import Inspector
from services.policy_engine.invariants import INVARIANTS, PROMISES
from services.policy_engine.rules import MinerRules, Rules
from services.policy_engine.sight import Bounds, Scene, Sight
from shared.messages import MinerState, OverrideKind
from tests.engine_core import START
from tests.engine_whole import WholeRun, hashing

BAND = MinerRules(73, 75, nominal_w=3200)
RULES = Rules({"s19": BAND})
BOUNDS = Bounds(turn=timedelta(seconds=1), poll=timedelta(seconds=10), rules=RULES)
CALM = Sight("s19", BAND, draws=False, tended=True, chain_since=START - timedelta(hours=1))
DRAWS = replace(CALM, draws=True, power_w=3200.0)


def scene(sight: Sight, seconds: float = 0, **rest: object) -> Scene:
    now = START + timedelta(seconds=seconds)
    return Scene(now, BOUNDS, {"s19": sight}, **{"soc_percent": 80.0, "soc_known_at": now, **rest})  # type: ignore[arg-type]


def told(inspector: Inspector, *scenes: Scene) -> list[str]:
    return [breach.invariant for each in scenes for breach in inspector.look(each)]


def test_each_has_a_name_of_its_own_and_a_promise() -> None:
    assert len(PROMISES) == len(INVARIANTS) >= 12
    assert all(promise and promise[0].islower() for promise in PROMISES.values())


def test_a_calm_farm_breaks_nothing() -> None:
    assert told(Inspector(), scene(CALM), scene(DRAWS, 10), scene(DRAWS, 10_000)) == []


def test_detection_and_action_take_their_time_and_no_more() -> None:
    react = BOUNDS.react.total_seconds()
    low = [scene(DRAWS, seconds, soc_percent=70.0) for seconds in (0, react - 1, react, react + 1)]
    assert told(Inspector(), *low[:2]) == []
    assert told(Inspector(), *low) == ["battery_floor"], "and it is told once"


def test_what_was_well_for_a_moment_begins_anew() -> None:
    react = BOUNDS.react.total_seconds()
    scenes = [scene(DRAWS, 0, soc_percent=70.0), scene(CALM, 10), scene(DRAWS, 20, soc_percent=70.0)]
    late = scene(DRAWS, react + 10, soc_percent=70.0)
    assert told(Inspector(), *scenes, late) == []


@pytest.mark.parametrize(
    ("sight", "rest", "name"),
    [
        (DRAWS, {"soc_percent": None, "soc_known_at": START - timedelta(hours=1)}, "stale_pauses"),
        (replace(DRAWS, cut_off=True), {}, "failsafe_in_time"),
        (replace(DRAWS, person=OverrideKind.PAUSE), {}, "person_pauses"),
        (replace(DRAWS, stop_in_force=True, told_to_stop=True), {}, "emergency_stop_wins"),
        (replace(DRAWS, rules=replace(BAND, max_w=3000)), {}, "miner_cap"),
        (replace(CALM, stranger_handled=True), {}, "right_device"),
        (replace(CALM, starts_within_day=7), {}, "starts_per_day"),
        (CALM, {"crashes": 1}, "nothing_crashes"),
    ],
)
def test_each_kind_of_wrong_has_its_name(sight: Sight, rest: dict[str, object], name: str) -> None:
    inspector = Inspector()
    assert name in told(inspector, scene(sight, 0, **rest), scene(sight, 3600, **rest))


def test_a_running_engine_says_that_a_miner_does_not_follow() -> None:
    run = hashing()
    run.follow = False
    run.soc(60).run(260)
    broken = [event for _, event in run.events if event.code == "invariant_broken"]
    assert {event.numbers["invariant"] for event in broken} == {"battery_floor"}
    assert "below its stop threshold" in broken[0].sentence
    assert run.service is not None
    assert run.service.counts["invariant_broken"] == 1


def test_a_running_engine_says_nothing_where_all_is_well() -> None:
    run = hashing().run(600)
    run.soc(60).run(600)
    run.soc(80).run(900)
    run.override("s19", OverrideKind.PAUSE).run(300)
    assert [event.code for _, event in run.events if event.code == "invariant_broken"] == []
    assert run.states["s19"] is MinerState.PAUSED


def test_an_engine_that_is_not_in_charge_says_nothing() -> None:
    run = WholeRun(follow=False)
    run.soc(60).miner("s19", MinerState.HASHING)
    run.broker.running = False
    run.launch().run(600)
    assert run.events == []
