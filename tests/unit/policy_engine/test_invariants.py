"""The invariants as the engine sees them while it runs, and how long each may be broken before it is told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.policy_engine.inspector import Inspector
from services.policy_engine.introspection import bounds_of, scene_of
from services.policy_engine.invariants import INVARIANTS, PROMISES
from services.policy_engine.rules import MinerRules, Rules
from services.policy_engine.sight import Bounds, Scene, Sight
from shared.messages import Following, MinerState, OperatingPoint, OverrideKind
from shared.schedule import ByClock, Window
from tests.bitaxe_ladder import LOWEST, NORMAL, RUNG, TOP, WITHOUT_PAUSE, point, reads
from tests.bitaxe_ladder import rules as heat_rules
from tests.engine_core import START, CoreRun
from tests.engine_whole import WholeRun, hashing

BAND = MinerRules(73, 75, nominal_w=3200)
RULES = Rules({"s19": BAND})
ABOVE = point(650, 1350, 33)
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


@pytest.mark.parametrize(
    ("celsius", "told_to", "broken"),
    [(75, NORMAL, ["heat_limits"]), (70, NORMAL, []), (75, RUNG, []), (None, NORMAL, []), (75, TOP, ["heat_limits"])],
)
def test_what_is_too_hot_must_be_told_to_draw_less(
    celsius: float | None, told_to: OperatingPoint, broken: list[str]
) -> None:
    run = reads(CoreRun(heat_rules(), now=START), 50)
    command = run.decide()["axe"].model_copy(update={"point": told_to})
    telemetry = reads(run, celsius, NORMAL).farm.miners["axe"].telemetry
    sight = replace(CALM, name="axe", rules=heat_rules().miners["axe"], telemetry=telemetry, command=command)
    bounds = replace(BOUNDS, rules=heat_rules())

    def found(sight: Sight) -> list[str]:
        scenes = [Scene(START + timedelta(seconds=at), bounds, {"axe": sight}) for at in (0, 100, 3600)]
        return [name for name in told(Inspector(), *scenes) if name == "heat_limits"]

    assert found(sight) == broken
    assert found(replace(sight, fresh=True, before=command.model_copy(update={"point": ABOVE}))) == []


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


def test_what_cannot_pause_is_as_low_as_it_can_be_at_its_floor() -> None:
    run = reads(CoreRun(heat_rules(), now=START), 50, LOWEST, ladder=WITHOUT_PAUSE, following=Following.COMMAND)
    run.decide()
    bounds = bounds_of(run.rules)

    def sees() -> Sight:
        return scene_of(run.farm, run.farm, bounds, run.now, START, 1).sights["axe"]

    assert (sees().draws, sees().at_floor) == (False, True)
    reads(run, 50, RUNG, ladder=WITHOUT_PAUSE, following=Following.COMMAND)
    assert (sees().draws, sees().at_floor) == (True, False)
    reads(run, 50, LOWEST, following=Following.COMMAND)
    assert (sees().draws, sees().at_floor) == (True, False)


@pytest.mark.parametrize(
    ("window", "at", "broken"),
    [
        (Window(ByClock(0), ByClock(1440), pause=True), RUNG, True),
        (Window(ByClock(0), ByClock(1440), voltage_mv=1075, frequency_mhz=425), RUNG, False),
        (Window(ByClock(0), ByClock(1440), voltage_mv=1075, frequency_mhz=425), NORMAL, True),
        (Window(ByClock(0), ByClock(60), pause=True), RUNG, False),
    ],
)
def test_a_window_of_the_schedule_is_not_exceeded(window: Window, at: OperatingPoint, *, broken: bool) -> None:
    run = reads(CoreRun(heat_rules(window), now=START), 50, at)
    sight = replace(DRAWS, name="axe", rules=run.rules.miners["axe"], telemetry=run.farm.miners["axe"].telemetry)

    def found(sight: Sight) -> bool:
        bounds = replace(BOUNDS, rules=run.rules)
        scenes = [Scene(START + timedelta(seconds=seconds), bounds, {"axe": sight}) for seconds in (0, 3600)]
        return "schedule" in told(Inspector(), *scenes)

    assert found(sight) is broken
    assert not found(replace(sight, person=OverrideKind.FORCE_ON))
    assert not found(replace(sight, draws=False))
    command = run.decide()["axe"]
    assert not found(replace(sight, command=command, power_w=13.0)) or window.pause, "as few watts will do"


@pytest.mark.parametrize(
    ("sight", "name"),
    [
        (replace(DRAWS, hot="has 75 °C"), "heat_answered"),
        (replace(DRAWS, chain_since=None, far_too_hot="has 80 °C"), "heat_alone"),
        (replace(CALM, written_badly="was set too high"), "set_with_care"),
        (replace(DRAWS, above_clamps="is set too high"), "clamps"),
        (replace(CALM, draws=True, cut_off=True), "failsafe_in_time"),
    ],
)
def test_what_only_the_world_sees_has_its_name_too(sight: Sight, name: str) -> None:
    scenes = [Scene(START + timedelta(seconds=at), BOUNDS, {"s19": sight}, soc_percent=80.0) for at in (0, 3600)]
    assert name in told(Inspector(), *scenes)
    kept = replace(sight, above_failsafe=False, rules=replace(BAND, observe=True))
    assert name == "set_with_care" or name not in told(Inspector(), scene(kept), scene(kept, 3600))


@pytest.mark.parametrize(
    ("problem", "broken"), [(None, True), ("no_shares", True), ("warm", False), ("too_hot", False)]
)
def test_what_its_agent_holds_lower_on_purpose_is_as_it_should_be(problem: str | None, *, broken: bool) -> None:
    run = reads(CoreRun(heat_rules(), now=START), 69, RUNG, following=Following.COMMAND, problem=problem, settled=False)
    command = run.decide()["axe"]
    telemetry = run.farm.miners["axe"].telemetry
    sight = replace(DRAWS, name="axe", rules=run.rules.miners["axe"], telemetry=telemetry, command=command)
    bounds = replace(BOUNDS, rules=run.rules)
    scenes = [Scene(START + timedelta(seconds=seconds), bounds, {"axe": sight}) for seconds in (0, 3600)]
    assert ("converged" in told(Inspector(), *scenes)) is broken
