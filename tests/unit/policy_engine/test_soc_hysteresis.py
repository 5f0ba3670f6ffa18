"""The battery's band, one miner, the pure core."""

from dataclasses import replace

import pytest

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import Limit, MinerState
from tests.engine_core import CoreRun

BAND = Rules(miners={"s19": MinerRules(73, 75)})


def running(soc: float = 80) -> CoreRun:
    run = CoreRun(BAND).soc(soc).miner("s19", MinerState.HASHING)
    run.decide()
    return run


def soc_limit(run: CoreRun) -> Limit:
    return next(limit for limit in run.decide()["s19"].limits if limit.policy == "soc_hysteresis")


@pytest.mark.parametrize(
    ("soc", "code", "ceiling_w", "sentence"),
    [
        (72.9, "soc_low", 0, "SoC 72.9 % < 73 %"),
        (72.96, "soc_low", 0, "SoC 72.96 % < 73 %"),
        (75.1, "soc_ok", None, "SoC 75.1 % > 75 %"),
        (0, "soc_low", 0, "SoC 0.0 % < 73 %"),
        (100, "soc_ok", None, "SoC 100.0 % > 75 %"),
    ],
)
def test_outside_the_band_the_value_alone_decides(
    soc: float, code: str, ceiling_w: float | None, sentence: str
) -> None:
    for before in (80, 60):
        limit = soc_limit(running(before).soc(soc))
        assert (limit.code, limit.ceiling_w, limit.sentence) == (code, ceiling_w, sentence)


@pytest.mark.parametrize("soc", [73, 74, 75])
def test_in_the_band_and_on_its_edges_it_stays_as_it_was(soc: float) -> None:
    assert soc_limit(running(80).soc(soc)).ceiling_w is None
    assert soc_limit(running(60).soc(soc)).ceiling_w == 0


def test_in_the_band_without_memory_it_is_paused_with_a_code_of_its_own() -> None:
    limit = soc_limit(running(74))
    assert (limit.code, limit.ceiling_w) == ("soc_no_memory", 0)
    assert limit.changes_when == "resumes above 75 %, now 74.0 %"


def test_a_command_says_what_would_change_it() -> None:
    run = running(70).soc(73.2)
    assert run.decide()["s19"].changes_when == "resumes above 75 %, now 73.2 %"
    assert running(80).decide()["s19"].changes_when == "pauses below 73 %, now 80.0 %"


def test_an_unknown_value_keeps_the_latch() -> None:
    low, ok = running(60), running(80)
    assert soc_limit(low.soc(None)).code == "soc_low"
    assert soc_limit(low.wait(10).soc(74)).ceiling_w == 0
    assert soc_limit(ok.soc(None)).code == "soc_ok"
    assert soc_limit(ok.wait(10).soc(74)).ceiling_w is None


def test_a_value_nobody_confirms_any_more_gives_no_verdict() -> None:
    run = CoreRun(BAND).soc(80).wait(3600).miner("s19", MinerState.HASHING)
    assert soc_limit(run).code == "soc_never_known"
    assert soc_limit(run.soc(74)).code == "soc_no_memory"


def test_with_100_as_the_resume_value_a_full_battery_does() -> None:
    run = CoreRun(replace(BAND, miners={"s19": MinerRules(95, 100)})).soc(100).miner("s19", MinerState.HASHING)
    assert soc_limit(run).code == "soc_ok"


def test_since_stays_while_the_verdict_stands() -> None:
    run = running(70)
    first = soc_limit(run)
    later = soc_limit(run.wait(40).soc(74))
    assert (later.code, later.since) == (first.code, first.since)
    assert soc_limit(run.wait(40).soc(80)).since == run.now


def test_a_miner_without_a_band_is_not_the_batterys() -> None:
    run = CoreRun(Rules(miners={"s19": MinerRules()})).soc(1).miner("s19", MinerState.HASHING)
    command = run.decide()["s19"]
    assert (command.point.name, command.code) == ("normal", "no_limit")
    assert {"soc_hysteresis", "stale_input"}.isdisjoint(limit.policy for limit in command.limits)
