"""What the watchdog waits for before it believes a doubt, or takes an order for lost: both by the clock of the farm."""

from datetime import timedelta

import pytest

from services.policy_engine.rules import WatchRules
from shared.messages import OverrideKind, PoolVerdict
from tests.watched_rigs import ASIC, PLAIN, Rig, WatchedFarm, rules_for


@pytest.mark.parametrize("watch", [ASIC, PLAIN], ids=["with_interface", "behind_a_plug"])
def test_a_pool_that_is_slow_to_see_who_has_been_paused_is_no_cause_for_a_word(watch: WatchRules) -> None:
    farm = WatchedFarm(rules_for({"a": watch}))
    farm.run.override("a", OverrideKind.PAUSE, until=farm.now + timedelta(hours=2))
    farm.play(119)
    farm.pool_answers = False
    farm.play(6)
    assert farm.rigs["a"].works
    farm.pool_answers = True
    farm.play(30)
    assert farm.codes("a") == []


def test_but_one_that_goes_on_missing_it_is() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    farm.run.override("a", OverrideKind.PAUSE, until=farm.now + timedelta(hours=2))
    farm.play(119)
    farm.pool = {"last_seen_at": farm.now - timedelta(hours=2), "verdict": PoolVerdict.OFFLINE}
    farm.play(30)
    assert farm.codes("a") == ["settling", "pool_disagrees"]


def test_on_a_fast_clock_an_order_lasts_for_some_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = timedelta(hours=1)
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}, lease=slow, grace=slow))
    farm.rigs["a"].hung = True
    # The agent of the outlet is slow to take it; on a clock that runs 864 times as fast that is half a second.
    monkeypatch.setattr(Rig, "_switch", lambda *_: None)
    farm.play(11 + 8)
    outlet = farm.run.farm.miners["a"].outlet
    assert outlet is not None
    assert outlet.cycle_at is not None
    monkeypatch.undo()
    farm.play(10)
    assert "cycle_not_taken" not in farm.codes("a")


def test_on_the_usual_one_an_order_that_nobody_takes_is_gone_after_five_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    farm.rigs["a"].hung = True
    monkeypatch.setattr(Rig, "_switch", lambda *_: None)
    farm.play(11 + 8)
    outlet = farm.run.farm.miners["a"].outlet
    assert outlet is not None
    assert outlet.cycle_at is None
    assert farm.codes("a")[-1] == "cycle_not_taken"
