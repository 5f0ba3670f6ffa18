"""Ages of the state of charge and of the grid, by whose clock they count, and what they forbid."""

from datetime import timedelta

import pytest

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import Limit, MinerState, Number
from shared.topics import MINER_COMMAND, SITE_TELEMETRY
from tests.engine_core import CoreRun, site

BAND = Rules(miners={"s19": MinerRules(73, 75)})
GRID = Rules(miners={"s19": MinerRules(require_grid=True)})


def limit_of(run: CoreRun, policy: str = "stale_input") -> Limit:
    return next(limit for limit in run.decide()["s19"].limits if limit.policy == policy)


def age_seconds(run: CoreRun) -> Number:
    return limit_of(run).numbers["age_seconds"]


def test_age_is_the_senders_difference_plus_the_time_since_receipt() -> None:
    run = CoreRun(BAND).miner("s19", MinerState.HASHING)
    hours_off = run.now - timedelta(hours=5)
    told = site(hours_off, 80, confirmed_at=hours_off - timedelta(seconds=100))
    run.say(SITE_TELEMETRY, "home", told)
    assert age_seconds(run.wait(20)) == 120


def test_a_retained_value_counts_from_its_confirmation() -> None:
    run = CoreRun(BAND).miner("s19", MinerState.HASHING)
    told = site(run.now - timedelta(seconds=400), 80)
    run.say(SITE_TELEMETRY, "home", told, retained=True)
    assert age_seconds(run) == 400


def test_a_confirmation_later_than_the_message_is_no_age_below_zero() -> None:
    run = CoreRun(BAND).miner("s19", MinerState.HASHING)
    run.say(SITE_TELEMETRY, "home", site(run.now, 80, confirmed_at=run.now + timedelta(hours=1)))
    assert age_seconds(run.wait(20)) == 20


def test_a_valid_value_without_a_confirmation_counts_from_its_message() -> None:
    run = CoreRun(BAND).miner("s19", MinerState.HASHING)
    run.say(SITE_TELEMETRY, "home", site(run.now, 80, confirmed_at=None))
    assert age_seconds(run.wait(30)) == 30


@pytest.mark.parametrize("ahead_seconds", [31, 7200])
def test_a_message_from_the_future_changes_nothing(ahead_seconds: float) -> None:
    run = CoreRun(BAND).soc(60).miner("s19", MinerState.HASHING)
    before = run.farm
    run.say(SITE_TELEMETRY, "home", site(run.now + timedelta(seconds=ahead_seconds), 90))
    assert run.farm.site == before.site


def test_five_and_fifteen_minutes() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING)
    told = []
    for _ in range(16):
        told.append((limit_of(run).code, run.commands["s19"].point.name))
        run.wait(60)
    assert told == [("soc_fresh", "normal")] * 5 + [("soc_stale", "normal")] * 10 + [("soc_stale_pause", "pause")]


def test_a_miner_that_is_meant_to_run_but_is_read_as_paused_is_not_started_blindly() -> None:
    run = CoreRun(BAND).soc(80).miner("s19", MinerState.HASHING)
    run.decide()
    run.miner("s19", MinerState.PAUSED).soc(None)
    assert run.decide()["s19"].code == "soc_unknown"
    assert run.commands["s19"].point.is_pause


@pytest.mark.parametrize("nonsense", ["yesterday", "2026-06-21T12:00:00", 5, True])
def test_nonsense_in_the_memory_is_not_a_date(nonsense: Number) -> None:
    run = CoreRun(BAND).miner("s19", MinerState.HASHING)
    command = run.decide()["s19"]
    limits = [
        limit.model_copy(update={"numbers": {"counted_from": nonsense}}) if limit.policy == "stale_input" else limit
        for limit in command.limits
    ]
    run.say(MINER_COMMAND, "s19", command.model_copy(update={"limits": tuple(limits)}))
    assert age_seconds(run.wait(60)) == 60


def grid(run: CoreRun, available: bool | None) -> CoreRun:
    return run.soc(50, grid_available=available)


def test_without_the_grid_it_is_paused_at_once() -> None:
    run = grid(CoreRun(GRID), available=True).miner("s19", MinerState.HASHING)
    assert run.decide()["s19"].point.name == "normal"
    assert limit_of(grid(run, available=False), "grid_available").code == "grid_lost"
    assert run.commands["s19"].point.is_pause


def test_an_unknown_grid_starts_nothing_and_pauses_after_15_minutes() -> None:
    run = grid(CoreRun(GRID), available=True).miner("s19", MinerState.HASHING)
    told = []
    for _ in range(16):
        told.append((limit_of(run, "grid_available").code, run.commands["s19"].point.name))
        grid(run.wait(60), available=None)
    assert told == [("grid_ok", "normal")] + [("grid_unknown", "normal")] * 14 + [("grid_unknown_pause", "pause")]


def test_a_miner_at_rest_does_not_start_on_an_unknown_grid() -> None:
    run = CoreRun(GRID).miner("s19", MinerState.PAUSED)
    for _ in range(10):
        grid(run.wait(60), available=None).decide()
    assert run.commands["s19"].code == "grid_unknown"


def test_a_retained_grid_counts_from_its_message() -> None:
    run = CoreRun(GRID).miner("s19", MinerState.HASHING)
    told = site(run.now - timedelta(minutes=20), 50, grid_available=True)
    run.say(SITE_TELEMETRY, "home", told, retained=True)
    assert limit_of(run, "grid_available").code == "grid_unknown_pause"
