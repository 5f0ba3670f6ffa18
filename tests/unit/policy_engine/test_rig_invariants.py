"""What must hold of rigs that hang: each promise broken, kept, and silent where nobody can tell."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.policy_engine.inspector import Inspector
from services.policy_engine.rig_sight import RigSight
from services.policy_engine.rules import MinerRules, Rules
from services.policy_engine.sight import Bounds, Scene, Sight
from shared.messages import PAUSE, Action, Care, Limit, MinerCommand, OverrideKind, PlugCommand
from tests.engine_core import NORMAL, START
from tests.watched_rigs import ASIC, PLAIN

RULES = Rules({"rig": MinerRules(watch=ASIC)})
BOUNDS = Bounds(turn=timedelta(seconds=1), poll=timedelta(seconds=10), rules=RULES)
PLAIN_BOUNDS = replace(BOUNDS, rules=Rules({"rig": MinerRules(watch=PLAIN)}))
LONG_AGO = START - timedelta(hours=5)
SIGNED: dict[str, Any] = {"engine": "test", "epoch": 1, "expires_at": START + timedelta(seconds=60)}


def ago(minutes: float) -> datetime:
    return START - timedelta(minutes=minutes)


def command(*, paused_since: datetime | None = None, care: Care | None = None) -> MinerCommand:
    limits: tuple[Limit, ...] = ()
    if paused_since is not None:
        limits = (Limit(policy="override", ceiling_w=0, code="paused", sentence="paused", since=paused_since),)
    return MinerCommand(
        at=START,
        point=NORMAL if paused_since is None else PAUSE,
        code="test",
        sentence="a test",
        since=LONG_AGO,
        limits=limits,
        hashing_since=None if paused_since is not None else LONG_AGO,
        care=care,
        **SIGNED,
    )


def outlet(*, on: bool, action: Action = Action.APPLY) -> PlugCommand:
    return PlugCommand(at=START, on=on, action=action, code="test", sentence="a test", since=LONG_AGO, **SIGNED)


def told(rig: RigSight, bounds: Bounds = BOUNDS, **rest: Any) -> set[str]:
    """Which promises of rigs are broken if it stays so for as long as each may take."""
    watch = bounds.rules.miners["rig"]
    sight = Sight("rig", watch, **{"command": command(), "chain_since": LONG_AGO, **rest, "rig": rig})
    names = {"no_needless_cycle", "cycle_budget", "one_cycle_for_one_cause", "outlet_as_desired"}
    names |= {"power_comes_back", "rescued", "never_the_parent"}
    inspector, found = Inspector(), set()
    for seconds in (0, 3600):
        scene = Scene(START + timedelta(seconds=seconds), bounds, {"rig": sight}, soc_percent=80.0, soc_known_at=START)
        found |= {breach.invariant for breach in inspector.look(scene)}
    return found & names


def test_of_what_nobody_can_tell_nothing_is_said() -> None:
    assert told(RigSight()) == set()


@pytest.mark.parametrize(
    ("rig", "rest", "broken"),
    [
        ({"works_since": ago(60), "pool_since": LONG_AGO}, {}, True),
        ({"works_since": ago(0), "pool_since": None}, {"command": None}, False),
        ({"works_since": None}, {}, False),
        ({}, {"command": command(paused_since=LONG_AGO)}, True),
        ({}, {"person": OverrideKind.MAINTENANCE}, True),
    ],
)
def test_what_works_or_is_to_be_paused_is_left_alone(rig: dict[str, Any], rest: dict[str, Any], broken: bool) -> None:
    assert ("no_needless_cycle" in told(RigSight(touched=True, **rig), **rest)) is broken
    assert "no_needless_cycle" not in told(RigSight(**rig), **rest)


@pytest.mark.parametrize(
    ("tries", "vain", "broken"), [(6, 3, False), (7, 3, True), (6, 4, True)], ids=["within", "day", "vain"]
)
def test_nothing_is_tried_more_often_than_allowed(tries: int, vain: int, broken: bool) -> None:
    assert ("cycle_budget" in told(RigSight(tries_within_day=tries, vain_tries=vain))) is broken


@pytest.mark.parametrize(("minutes", "broken"), [(3, True), (9, True), (11, False), (None, False)])
def test_what_was_restarted_has_its_time(minutes: float | None, broken: bool) -> None:
    rig = RigSight(touched=True, before_touch_at=None if minutes is None else ago(minutes))
    assert ("one_cycle_for_one_cause" in told(rig)) is broken
    assert "one_cycle_for_one_cause" not in told(replace(rig, touched=False))


@pytest.mark.parametrize(
    ("rig", "rest", "broken"),
    [
        ({}, {}, True),
        ({"outlet_on": True}, {}, False),
        ({"outlet_on": None}, {}, False),
        ({"outlet": outlet(on=True, action=Action.OBSERVE)}, {}, False),
        ({"plug_since": None}, {}, False),
        ({}, {"stop_in_force": True}, False),
        ({}, {"person": OverrideKind.MAINTENANCE}, False),
        ({}, {"outside_pause_until": START}, False),
        ({"outlet_on": True, "outlet": outlet(on=False)}, {}, True),
    ],
)
def test_every_outlet_is_as_commanded(rig: dict[str, Any], rest: dict[str, Any], broken: bool) -> None:
    known = {"plug_since": LONG_AGO, "outlet_on": False, "outlet": outlet(on=True)}
    assert ("outlet_as_desired" in told(RigSight(**{**known, **rig}), **rest)) is broken


@pytest.mark.parametrize(
    ("rig", "bounds", "broken"),
    [
        ({}, BOUNDS, True),
        ({}, PLAIN_BOUNDS, False),
        ({"outlet_on": True}, BOUNDS, False),
        ({"outlet": outlet(on=False)}, BOUNDS, False),
        ({"plug_tended_since": None}, BOUNDS, False),
    ],
)
def test_power_comes_back_whoever_leads_it(rig: dict[str, Any], bounds: Bounds, broken: bool) -> None:
    known = {"plug_tended_since": LONG_AGO, "outlet_on": False, "outlet": outlet(on=True)}
    assert ("power_comes_back" in told(RigSight(**{**known, **rig}), bounds)) is broken


def cared(code: str, tries: int) -> MinerCommand:
    dates = tuple(ago(240 + number) for number in reversed(range(tries)))
    return command(care=Care(code=code, sentence="a test", since=LONG_AGO, tries=dates))


@pytest.mark.parametrize(
    ("rig", "rest", "broken"),
    [
        ({}, {}, True),
        ({}, {"command": cared("settling", 2)}, True),
        ({}, {"command": cared("settling", 3)}, False),
        ({}, {"command": cared("unstable", 1)}, False),
        ({}, {"command": command(paused_since=LONG_AGO)}, False),
        ({}, {"person": OverrideKind.MAINTENANCE}, False),
        ({}, {"stop_in_force": True}, False),
        ({"hangs_since": None}, {}, False),
        ({"plug_since": None}, {}, False),
        ({"pool_since": START + timedelta(minutes=59)}, {}, False),
    ],
)
def test_what_hangs_is_brought_back(rig: dict[str, Any], rest: dict[str, Any], broken: bool) -> None:
    known = {"hangs_since": LONG_AGO, "plug_since": LONG_AGO, "pool_since": LONG_AGO}
    assert ("rescued" in told(RigSight(**{**known, **rig}), **rest)) is broken


def test_no_outlet_is_switched_but_a_miners_own() -> None:
    assert told(RigSight(stranger_switched=True)) == {"never_the_parent"}
