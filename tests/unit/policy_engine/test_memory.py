"""What is remembered and for how long, what a restart carries over, and by whose clock a reading is old."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.policy_engine.memory import recall
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from services.policy_engine.state import fold
from shared.messages import EmergencyStop, Following, Limit, MinerState, Override, OverrideKind
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_OVERRIDE,
    MINER_COMMAND,
    MINER_OVERRIDE,
    MINER_TELEMETRY,
    SITE_TELEMETRY,
    Topic,
)
from tests.bitaxe_ladder import WITHOUT_PAUSE, reads
from tests.bitaxe_ladder import rules as heat_rules
from tests.engine_core import DIMMABLE, NORMAL, START, CoreRun, limit_of, reading, site

BAND = Rules(miners={"s19": MinerRules(73, 75)})
GRID = Rules(miners={"s19": MinerRules(require_grid=True)})
LASTS = BAND.memory_lasts.total_seconds()


def running(rules: Rules = BAND) -> CoreRun:
    run = CoreRun(rules).soc(80, grid_available=True).miner("s19", MinerState.HASHING)
    run.decide()
    return run


# --- how long latches count


@pytest.mark.parametrize(
    ("seconds", "code"), [(LASTS, "soc_ok"), (LASTS + 1, "soc_no_memory"), (-30, "soc_ok"), (-31, "soc_no_memory")]
)
def test_a_latch_counts_until_every_agent_is_at_its_failsafe(seconds: float, code: str) -> None:
    run = running().wait(seconds).soc(74)
    assert limit_of(run, "soc_hysteresis").code == code


def test_starts_of_a_void_memory_still_count() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.PAUSED)
    run.decide()
    run.wait(300).soc(80).decide()
    begun = run.now
    run.wait(86399)
    assert recall(run.farm, "s19", BAND, run.now).limits == {}
    assert recall(run.farm, "s19", BAND, run.now).starts == (begun,)
    assert recall(run.farm, "s19", BAND, run.wait(1).now).starts == ()


def test_a_start_in_the_future_counts_as_one_of_now() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.PAUSED)
    run.decide()
    run.wait(300).soc(80).decide()
    run.now -= timedelta(hours=3)
    assert recall(run.farm, "s19", BAND, run.now).starts == (run.now,)


def test_a_pause_that_was_commanded_without_a_date_begins_now() -> None:
    run = running()
    command = run.soc(70).decide()["s19"].model_copy(update={"paused_since": None})
    run.say(MINER_COMMAND, "s19", command)
    run.wait(10).soc(80)
    assert (run.decide()["s19"].code, run.commands["s19"].paused_since) == ("minimum_off", run.now)


def test_the_date_of_a_pause_outlives_the_latches() -> None:
    run = running().soc(60)
    run.decide()
    assert run.wait(3600).soc(80).decide()["s19"].point == NORMAL
    assert run.commands["s19"].starts == (run.now,)


# --- what a restart carries over


def test_a_restart_does_not_begin_the_count_of_a_stale_battery_anew() -> None:
    run = running()
    run.wait(100).soc(None).decide()
    run.wait(20).restart()
    limit = limit_of(run.wait(30), "stale_input")
    assert (limit.numbers["age_seconds"], limit.numbers["counted_from"]) == (150, START.isoformat())


def test_a_restart_does_not_begin_the_count_of_an_unknown_grid_anew() -> None:
    run = running(GRID)
    run.wait(100).soc(80, grid_available=None).decide()
    run.wait(20).restart()
    limit = limit_of(run.wait(30), "grid_available")
    assert (limit.numbers["age_seconds"], limit.numbers["known_at"]) == (150, START.isoformat())


def test_a_restart_before_the_first_reading_keeps_what_was_decided() -> None:
    run = running()
    del run.retained[MINER_TELEMETRY, "s19"]
    run.wait(10).restart()
    assert (run.commands["s19"].point, run.commands["s19"].code) == (NORMAL, "soc_ok")


def test_the_sentence_of_a_limit_that_says_something_else_begins_now() -> None:
    run = running()
    run.wait(60).soc(None).decide()
    assert limit_of(run, "stale_input").since == run.now
    run.wait(60).miner("s19", MinerState.PAUSED)
    limit = limit_of(run, "stale_input")
    assert (limit.code, limit.ceiling_w, limit.since) == ("soc_unknown", 0, run.now)


# --- by whose clock


def site_limit(run: CoreRun, at: datetime, policy: str, *, retained: bool = False, **rest: object) -> Limit:
    told = site(at, 80, **{"confirmed_at": at, "grid_available": True, **rest})
    run.say(SITE_TELEMETRY, "home", told, retained=retained)
    return limit_of(run, policy)


@pytest.mark.parametrize(("rules", "policy"), [(BAND, "stale_input"), (GRID, "grid_available")])
def test_a_live_message_is_as_new_as_its_arrival_whatever_the_senders_clock(rules: Rules, policy: str) -> None:
    run = CoreRun(rules).wait(100).miner("s19", MinerState.HASHING)
    assert site_limit(run, run.now - timedelta(hours=1), policy).numbers["age_seconds"] == 0


@pytest.mark.parametrize(("rules", "policy"), [(BAND, "stale_input"), (GRID, "grid_available")])
def test_an_older_message_from_the_brokers_memory_makes_nothing_older(rules: Rules, policy: str) -> None:
    run = CoreRun(rules).wait(100).soc(80, grid_available=True).wait(50)
    limit = site_limit(run, run.now - timedelta(seconds=140), policy, retained=True)
    assert limit.numbers["age_seconds"] == 50


def test_a_value_without_a_confirmation_is_as_old_as_its_message() -> None:
    run = CoreRun(BAND).wait(100)
    limit = site_limit(run, run.now, "stale_input", confirmed_at=None)
    assert limit.numbers["age_seconds"] == 0


def test_an_unknown_grid_keeps_the_date_at_which_it_was_known() -> None:
    run = CoreRun(GRID).wait(100).soc(80, grid_available=True).wait(60).soc(80, grid_available=None)
    assert limit_of(run, "grid_available").numbers["age_seconds"] == 60


def test_a_value_gives_a_verdict_for_as_long_as_it_lets_start() -> None:
    run = CoreRun(BAND).soc(80)
    run.wait(299)
    assert (limit_of(run, "stale_input").code, limit_of(run, "soc_hysteresis").code) == ("soc_fresh", "soc_ok")
    run = CoreRun(BAND).soc(80).wait(300)
    assert (limit_of(run, "stale_input").code, limit_of(run, "soc_hysteresis").code) == ("soc_stale", "soc_never_known")


def test_a_clock_may_be_half_a_minute_ahead() -> None:
    run = CoreRun(BAND)
    run.say(SITE_TELEMETRY, "home", site(run.now + timedelta(seconds=30), 90))
    assert run.farm.site.soc_percent == 90


PAIR = Rules(
    miners={"high": MinerRules(73, 75), "low": MinerRules()}, groups={"garage": GroupRules(("high", "low"), 4000)}
)


@pytest.mark.parametrize(
    ("age", "retained", "started"), [(LASTS + 1, False, True), (LASTS + 1, True, False), (10, True, True)]
)
def test_a_reading_from_the_brokers_memory_is_as_old_as_it_says(age: float, retained: bool, started: bool) -> None:
    """A live one is new, however late its sender's clock: but what lay in the broker may be a dead agent's."""
    run = CoreRun(PAIR).soc(70).miner("high", MinerState.PAUSED, desired="pause")
    run.override("low", OverrideKind.PAUSE).miner("low", MinerState.PAUSED, desired="pause").decide()
    run.wait(400, silent=True).soc(80).miner("high", MinerState.PAUSED, desired="pause")
    told = reading(run.now - timedelta(seconds=age), MinerState.PAUSED, desired="pause")
    run.say(MINER_TELEMETRY, "low", told, retained=retained)
    assert (not run.decide()["high"].point.is_pause) is started


def test_what_a_broker_remembers_of_old_times_replaces_nothing_newer() -> None:
    """Seen with a broker that writes its memory now and then: after a power cut it tells how things stood before."""
    run = running().soc(80).override("s19", OverrideKind.PAUSE).emergency(active=True)
    run.emergency(active=False)
    before, old = run.farm, run.now - timedelta(minutes=20)
    for topic, identifier, message in (
        (SITE_TELEMETRY, "home", site(old, 20)),
        (MINER_TELEMETRY, "s19", reading(old, MinerState.PAUSED)),
        (MINER_OVERRIDE, "s19", Override(at=old, kind=OverrideKind.AUTOMATIC)),
        (EMERGENCY_STOP, "home", EmergencyStop(at=old, active=True)),
    ):
        assert fold(before, topic, identifier, message, run.now, retained=True) is before
        assert fold(before, topic, identifier, message, run.now, retained=False) is not before, "live it counts"


# --- what changes nothing


def test_a_late_word_of_a_deposed_engine_takes_no_start_away() -> None:
    run = CoreRun(BAND).soc(70).miner("s19", MinerState.PAUSED)
    before = run.decide()["s19"]
    run.epoch = 2
    newest = run.wait(300).soc(80).decide()["s19"]
    assert len(newest.starts) == 1
    farm = fold(run.farm, MINER_COMMAND, "s19", before, run.now, retained=False)
    assert farm.miners["s19"].command == newest
    # An engine that has lost its memory may begin with a lower epoch; what it says now counts.
    later = before.model_copy(update={"at": run.now + timedelta(seconds=1)})
    assert fold(run.farm, MINER_COMMAND, "s19", later, run.now, retained=False).miners["s19"].command == later


@pytest.mark.parametrize("topic", [MINER_TELEMETRY, MINER_COMMAND, MINER_OVERRIDE, EMERGENCY_STOP])
def test_a_message_of_the_wrong_kind_changes_nothing(topic: Topic[Any]) -> None:
    run = running().override("s19", OverrideKind.PAUSE).emergency(active=True)
    wrong = run.farm.miners["s19"].telemetry if topic == EMERGENCY_STOP else EmergencyStop(at=START, active=False)
    assert fold(run.farm, topic, "s19", wrong, START, retained=False) is run.farm
    command = run.farm.miners["s19"].command
    assert fold(run.farm, MINER_TELEMETRY, "s19", command, START, retained=False) is run.farm


def test_a_cleared_command_is_still_remembered() -> None:
    run = running()
    assert fold(run.farm, MINER_COMMAND, "s19", None, START, retained=False) is run.farm


def test_what_is_no_override_does_not_stand_as_a_groups() -> None:
    run = CoreRun(replace(BAND, groups={"shed": GroupRules(("s19",))})).override("shed", OverrideKind.PAUSE)
    assert isinstance(run.farm.groups["shed"], Override)
    farm = fold(run.farm, GROUP_OVERRIDE, "shed", EmergencyStop(at=START, active=True), START, retained=False)
    assert farm.groups["shed"] is None


# --- the point that is held


@pytest.mark.parametrize(("point", "held"), [("1800", "1800"), ("?", "normal")])
def test_a_miner_found_hashing_holds_the_watts_that_it_reports(point: str, held: str) -> None:
    """Beside one that may be drawing: what runs already may run on, and not rise. An unknown point holds the most."""
    rules = replace(PAIR, miners={"high": MinerRules(), "low": MinerRules()})
    run = CoreRun(rules).miner("low", MinerState.HASHING, DIMMABLE, point=point)
    assert run.decide()["low"].point.name == held


def test_a_miner_found_hashing_on_an_empty_ladder_is_left_alone() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING, DIMMABLE.model_copy(update={"points": ()}))
    assert run.decide()["s19"].point.is_pause


# --- stops by the agent of which we have seen nothing


def test_a_stop_between_two_looks_begins_a_time_off() -> None:
    run = running().wait(10).soc(80)
    stopped_at = run.now
    run.miner("s19", MinerState.PAUSED, stopped_at=stopped_at)
    command = run.decide()["s19"]
    assert (command.code, command.paused_since) == ("minimum_off", run.now)
    # Told on until a start shows that we knew; it must not begin the time anew.
    later = run.wait(200).soc(80).miner("s19", MinerState.PAUSED, stopped_at=stopped_at).decide()["s19"]
    assert later.paused_since == command.paused_since
    started = run.wait(100).soc(80).miner("s19", MinerState.PAUSED, stopped_at=stopped_at).decide()["s19"]
    assert started.point == NORMAL


def test_a_failure_begins_a_time_off_and_its_end_is_a_start() -> None:
    run = running().wait(10).soc(80)
    run.miner("s19", MinerState.FAULT, problem="miner_failure", stopped_at=run.now)
    assert run.decide()["s19"].code == "minimum_off"
    begun = len(run.commands["s19"].starts)
    run.wait(300).soc(80).miner("s19", MinerState.FAULT, problem="miner_failure", stopped_at=run.now).decide()
    assert len(run.commands["s19"].starts) == begun + 1


# --- what cannot pause


def test_a_stop_takes_no_starts_away_from_what_cannot_pause() -> None:
    """It hashed on at its floor all the time: each word of its agent during the stop was counted as one more start."""
    run = CoreRun(heat_rules())
    axe(run).decide()
    run.emergency(active=True)
    for _ in range(5):
        axe(run.wait(2), stopped_at=run.now, desired="pause", following=Following.EMERGENCY_STOP)
        stopped = run.decide()["axe"]
        assert (stopped.code, stopped.starts, stopped.paused_since) == ("cannot_pause", (), None)
    run.emergency(active=False)
    free = axe(run.wait(2)).decide()["axe"]
    assert (free.point.name, free.starts) == ("efficient", ())


def test_what_cannot_pause_was_not_paused_while_nothing_was_known_of_it() -> None:
    run = CoreRun(heat_rules(stop_percent=73, resume_percent=75)).soc(60)
    assert run.decide()["axe"].point.is_pause
    low = axe(run).decide()["axe"]
    assert (low.code, low.starts) == ("cannot_pause", ())


def axe(run: CoreRun, **rest: Any) -> CoreRun:
    return reads(run, 50, ladder=WITHOUT_PAUSE, **rest)
