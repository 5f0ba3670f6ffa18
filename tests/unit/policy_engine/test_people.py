"""What people do: overrides, pauses in the miner's own web page, the emergency stop, watching only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.policy_engine.policies.emergency_stop import remembered_stop
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from services.policy_engine.state import with_commands
from services.policy_engine.sunrise import next_sunrise
from shared.messages import Action, EmergencyStop, MinerState, OverrideKind
from shared.topics import EMERGENCY_STOP
from tests.engine_core import CoreRun, limit_of

RULES = Rules(miners={"s19": MinerRules(73, 75), "s21": MinerRules(73, 75)}, groups={"shed": GroupRules(("s19",))})


def running(soc: float = 80, rules: Rules = RULES) -> CoreRun:
    run = CoreRun(rules).soc(soc)
    for name in rules.miners:
        run.miner(name, MinerState.HASHING)
    run.decide()
    return run


@pytest.mark.parametrize("slot", ["s19", "shed"])
def test_a_pause_holds_until_its_time_and_says_who_and_why(slot: str) -> None:
    run = running().override(slot, OverrideKind.PAUSE, until=running().now + timedelta(hours=1), reason="too\nloud")
    command = run.decide()["s19"]
    assert (command.code, command.sentence) == ("paused_by_person", "paused by owner until 13:00: too loud")
    assert run.commands["s21"].point.name == "normal"
    assert run.wait(3599).soc(80).decide()["s19"].code == "paused_by_person"
    assert run.wait(1).soc(80).decide()["s19"].point.name == "normal"


def test_a_pause_without_end_holds_until_somebody_clears_it() -> None:
    run = running().override("s19", OverrideKind.PAUSE)
    run.wait(40 * 86400).soc(80)
    assert run.decide()["s19"].changes_when == "automatic when a person says so"
    run.override("s19", None)
    assert run.decide()["s19"].code != "paused_by_person"


def test_force_on_silences_the_battery_and_nothing_else() -> None:
    run = running(60).wait(400).soc(60)
    run.override("s19", OverrideKind.FORCE_ON, until=run.now + timedelta(hours=1))
    command = run.decide()["s19"]
    assert (command.point.name, command.code) == ("normal", "force_on")
    silenced = next(limit for limit in command.limits if limit.policy == "soc_hysteresis")
    assert (silenced.code, silenced.ceiling_w, silenced.numbers["silenced_ceiling_w"]) == ("soc_low", None, 0)
    run.soc(None).wait(900)
    assert run.decide()["s19"].code == "soc_stale_pause"


def test_the_latch_is_the_same_after_force_on() -> None:
    run = running(60).wait(400).soc(60)
    run.override("s19", OverrideKind.FORCE_ON, until=run.now + timedelta(seconds=60))
    run.decide()
    run.wait(30).soc(74).decide()
    run.wait(30).soc(74)
    assert (run.decide()["s19"].code, run.commands["s19"].point.is_pause) == ("soc_low", True)


def test_force_on_passes_no_gate() -> None:
    run = running(60)
    run.override("s19", OverrideKind.FORCE_ON, until=run.now + timedelta(hours=1))
    assert run.wait(60).soc(60).decide()["s19"].code == "minimum_off"


def test_a_groups_pause_is_stronger_than_a_miners_force() -> None:
    run = running().override("s19", OverrideKind.FORCE_ON, until=running().now + timedelta(hours=1))
    run.override("shed", OverrideKind.PAUSE)
    assert run.decide()["s19"].code == "paused_by_person"


def test_maintenance_suspends_actions_and_ends_by_itself() -> None:
    run = running().override("s19", OverrideKind.MAINTENANCE)
    command = run.decide()["s19"]
    assert (command.action, command.suspended_until) == (Action.MAINTENANCE, run.now + timedelta(hours=12))
    assert run.commands["s21"].action is Action.APPLY
    run.wait(12 * 3600).soc(80)
    assert run.decide()["s19"].action is Action.APPLY


def test_observing_decides_and_explains_and_never_applies() -> None:
    run = running(60, replace(RULES, miners={"s19": MinerRules(73, 75, observe=True)}, groups={}))
    command = run.decide()["s19"]
    assert (command.action, command.code, command.point.is_pause) == (Action.OBSERVE, "soc_low", True)


def test_what_was_only_imagined_is_forgotten_when_it_becomes_serious() -> None:
    run = running(60, replace(RULES, miners={"s19": MinerRules(73, 75, observe=True)}, groups={})).soc(80)
    serious = CoreRun(replace(RULES, miners={"s19": MinerRules(73, 75)}, groups={}), retained=run.retained)
    serious.now = run.now
    serious.restart()
    assert (serious.decide()["s19"].point.name, serious.commands["s19"].starts) == ("normal", ())


# --- pauses made outside


def paused_outside(rules: Rules = RULES) -> CoreRun:
    run = running(rules=rules)
    run.miner("s19", MinerState.PAUSED, outside_pause_since=run.now).decide()
    return run


def test_a_pause_outside_is_respected_for_its_time_and_then_echoed_as_over() -> None:
    run = paused_outside()
    since = run.now
    first = run.decide()["s19"]
    assert (first.code, first.outside_pause_over) == ("outside_pause", None)
    run.wait(12 * 3600).soc(80)
    command = run.decide()["s19"]
    assert (command.point.name, command.outside_pause_over) == ("normal", since)


def test_with_a_place_it_is_respected_until_the_sun_rises() -> None:
    lisbon = replace(RULES, latitude=38.7, longitude=-9.1)
    run = paused_outside(lisbon)
    sunrise = next_sunrise(run.now, 38.7, -9.1)
    assert sunrise is not None
    assert datetime(2026, 6, 22, 5, 0, tzinfo=UTC) < sunrise < datetime(2026, 6, 22, 5, 30, tzinfo=UTC)
    assert run.wait((sunrise - run.now).total_seconds() - 1).soc(80).decide()["s19"].code == "outside_pause"
    assert run.wait(1).soc(80).decide()["s19"].point.name == "normal"


@pytest.mark.parametrize("place", [(38.7, None), (None, -9.1)])
def test_half_a_place_is_none(place: tuple[float | None, float | None]) -> None:
    run = paused_outside(replace(RULES, latitude=place[0], longitude=place[1]))
    assert limit_of(run.wait(12 * 3600 - 1), "outside_pause").code == "outside_pause"
    assert limit_of(run.wait(1), "outside_pause").code == "outside_pause_over"


def test_where_the_sun_does_not_rise_the_set_time_counts() -> None:
    assert next_sunrise(datetime(2026, 6, 21, 12, tzinfo=UTC), 78.2, 15.6) is None
    run = paused_outside(replace(RULES, latitude=78.2, longitude=15.6)).wait(12 * 3600).soc(80)
    assert run.decide()["s19"].point.name == "normal"


@pytest.mark.parametrize("kind", [OverrideKind.AUTOMATIC, OverrideKind.FORCE_ON])
def test_a_person_ends_it_and_it_stays_ended(kind: OverrideKind) -> None:
    run = paused_outside()
    since = run.now
    run.decide()
    run.wait(600).soc(80).override("s19", kind, until=run.now + timedelta(hours=1))
    assert (run.decide()["s19"].point.name, run.commands["s19"].outside_pause_over) == ("normal", since)
    run.override("s19", None)
    assert run.decide()["s19"].outside_pause_over == since


@pytest.mark.parametrize("seconds", [0, 10])
def test_an_override_from_before_does_not_end_it(seconds: float) -> None:
    run = running().override("s19", OverrideKind.AUTOMATIC).wait(seconds)
    run.miner("s19", MinerState.PAUSED, outside_pause_since=run.now)
    assert run.decide()["s19"].code == "outside_pause"


# --- the emergency stop


def test_the_stop_is_above_everything_and_only_a_resume_lifts_it() -> None:
    run = running().override("s19", OverrideKind.FORCE_ON, until=running().now + timedelta(hours=9))
    run.emergency(active=True)
    assert {command.code for command in run.decide().values()} == {"emergency_stop"}
    run.say(EMERGENCY_STOP, "home", None)
    assert run.decide()["s19"].code == "emergency_stop"
    run.emergency(active=False).wait(400).soc(80)
    assert run.decide()["s19"].point.name == "normal"


def test_what_happens_behind_a_stop_is_remembered() -> None:
    run = running().emergency(active=True)
    run.decide()
    for soc in (72, 74):
        run.wait(5).soc(soc).decide()  # well before the commands are due for renewal
    run.emergency(active=False).wait(5).soc(74)
    assert (run.decide()["s19"].code, run.commands["s19"].point.is_pause) == ("soc_low", True)


def test_the_stop_speaks_even_if_other_rules_are_as_low() -> None:
    run = running(20).override("s19", OverrideKind.PAUSE).emergency(active=True)
    assert run.decide()["s19"].sentence == "emergency stop by owner: smoke"


def test_the_commands_remember_a_stop_by_the_date_of_its_order() -> None:
    run = running()
    assert remembered_stop(run.farm, "engine", run.now) is None
    ordered_at = run.now - timedelta(seconds=40)
    run.say(EMERGENCY_STOP, "home", EmergencyStop(at=ordered_at, active=True, by="owner"))
    run.decide()
    assert remembered_stop(run.farm, "engine", run.now) == EmergencyStop(
        at=ordered_at, active=True, by="engine", reason="the commands remember it, the broker does not"
    )


def test_a_command_of_the_version_before_remembers_a_stop_since_it_began() -> None:
    run = running().emergency(active=True)
    since = run.now
    command = run.decide()["s19"]
    undated = tuple(limit.model_copy(update={"numbers": {}}) for limit in command.limits)
    run.farm = with_commands(run.farm, {name: command.model_copy(update={"limits": undated}) for name in run.commands})
    remembered = remembered_stop(run.farm, "engine", run.wait(30).now)
    assert remembered is not None
    assert remembered.at == since
