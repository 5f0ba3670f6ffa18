"""Rigs that hang come back, and only they: what the watchdog does, and what it leaves alone."""

from datetime import timedelta

import pytest

from services.policy_engine.rules import MinerRules, Rules, WatchRules
from shared.messages import OverrideKind, PoolVerdict
from tests.watched_rigs import ASIC, PLAIN, WatchedFarm, rules_for


def plain(**rest: object) -> WatchedFarm:
    return WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}), **rest)  # type: ignore[arg-type]


def test_a_rig_at_work_is_left_alone_and_nothing_is_said() -> None:
    farm = plain().play(600)
    assert farm.rigs["a"].cycles == []
    assert farm.care("a") is None


def test_a_rig_that_hangs_is_cycled_once_and_returns() -> None:
    farm = plain()
    farm.rigs["a"].hung = True
    hung_at = farm.now
    farm.play(9)
    assert farm.rigs["a"].cycles == []
    farm.play(20)
    assert len(farm.rigs["a"].cycles) == 1
    assert timedelta(minutes=10) <= farm.rigs["a"].cycles[0] - hung_at <= timedelta(minutes=12)
    farm.play(240)
    assert len(farm.rigs["a"].cycles) == 1
    assert farm.rigs["b"].cycles == []
    care = farm.care("a")
    assert care is not None
    assert (care.code, care.returned_at is not None) == ("at_work", True)


def test_three_tries_are_three_then_it_is_given_up_on() -> None:
    farm = plain()
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    farm.play(300)
    assert len(farm.rigs["a"].cycles) == 3
    care = farm.care("a")
    assert care is not None
    assert (care.code, care.unstable_since is not None) == ("unstable", True)
    gaps = [second - first for first, second in zip(farm.rigs["a"].cycles, farm.rigs["a"].cycles[1:], strict=False)]
    assert min(gaps) >= timedelta(minutes=10)


def test_a_person_lets_it_try_again() -> None:
    farm = plain()
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    farm.play(300)
    farm.run.override("a", OverrideKind.AUTOMATIC)
    farm.play(300)
    assert len(farm.rigs["a"].cycles) == 6


def test_a_worker_that_comes_back_by_itself_is_no_longer_unstable() -> None:
    farm = plain()
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    farm.play(300)
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = False
    farm.play(5)
    care = farm.care("a")
    assert care is not None
    assert (care.code, care.unstable_since) == ("at_work", None)


def test_one_that_hangs_again_and_again_has_a_budget_for_the_day() -> None:
    farm = plain()
    rig = farm.rigs["a"]
    for _ in range(40):
        rig.hung = True
        farm.play(32)
    assert len(rig.cycles) == farm.rules.starts_per_day
    assert farm.codes("a")[-1] == "unstable"


def test_nothing_follows_from_a_pool_that_does_not_answer() -> None:
    farm = plain()
    farm.pool_answers = False
    farm.rigs["a"].hung = True
    farm.play(300)
    assert farm.rigs["a"].cycles == []


@pytest.mark.parametrize(
    "said", [{"retired": True}, {"verdict": PoolVerdict.UNKNOWN}, {"confirmed_at": None}, {"last_seen_at": None}]
)
def test_nor_from_one_that_is_retired_or_does_not_know(said: dict[str, object]) -> None:
    farm = plain(pool=said)
    farm.rigs["a"].hung = True
    farm.play(300)
    assert farm.rigs["a"].cycles == []


def test_all_workers_gone_at_once_is_the_pool() -> None:
    farm = plain()
    for rig in farm.rigs.values():
        rig.hung = True
    farm.play(300)
    assert [rig.cycles for rig in farm.rigs.values()] == [[], []]
    assert "offline_unconfirmed" in farm.codes("a")


def test_unless_a_meter_shows_that_they_stand_still() -> None:
    farm = plain()
    for rig in farm.rigs.values():
        rig.hung = rig.meter = True
    farm.play(30)
    assert [len(rig.cycles) for rig in farm.rigs.values()] == [1, 1]
    first, second = (rig.cycles[0] for rig in farm.rigs.values())
    assert abs(second - first) >= farm.rules.stagger_window


def test_one_that_draws_its_watts_is_at_work_elsewhere() -> None:
    farm = plain(others=3)
    farm.rigs["a"].meter = True
    farm.rigs["a"].frozen = True
    farm.play(120)
    assert farm.rigs["a"].cycles == []
    assert farm.codes("a") == ["pool_disagrees"]


def test_a_single_worker_needs_a_second_witness() -> None:
    alone = WatchedFarm(rules_for({"a": PLAIN}))
    alone.rigs["a"].hung = True
    alone.play(120)
    assert alone.rigs["a"].cycles == []
    assert alone.codes("a") == ["offline_unconfirmed"]
    alone.rigs["a"].meter = True
    alone.play(12)
    assert len(alone.rigs["a"].cycles) == 1


def test_a_silent_outlet_is_told_and_tried_when_it_answers() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    farm.rigs["a"].hung = True
    farm.rigs["a"].plug_alive = False
    farm.play(60)
    assert "plug_silent" in farm.codes("a")
    farm.rigs["a"].plug_alive = True
    farm.play(5)
    assert len(farm.rigs["a"].cycles) == 1


def test_a_miner_whose_agent_is_silent_may_be_paused_by_it() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    farm.rigs["a"].agent_alive = False
    farm.rigs["a"].paused = True
    farm.play(120)
    assert farm.rigs["a"].cycles == []
    assert "agent_silent" in farm.codes("a")


def test_an_answering_miner_is_restarted_before_its_power_is_cycled() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    rig = farm.rigs["a"]
    rig.frozen = rig.stubborn = True
    farm.play(15)
    assert (len(rig.restarts), len(rig.cycles)) == (1, 0)
    farm.play(12)
    assert (len(rig.restarts), len(rig.cycles)) == (1, 1)
    farm.play(120)
    assert (len(rig.restarts), len(rig.cycles)) == (1, 1)


def test_without_an_outlet_it_is_only_restarted() -> None:
    watch = WatchRules(has_worker=True, can_restart=True)
    farm = WatchedFarm(rules_for({"a": watch, "b": watch}))
    rig = farm.rigs["a"]
    rig.faulty = rig.stubborn = True
    farm.play(200)
    assert (len(rig.restarts), rig.cycles) == (3, [])
    assert farm.codes("a")[-1] == "unstable"


def test_without_any_remedy_a_person_is_told() -> None:
    watch = WatchRules(has_worker=True, can_restart=True)
    farm = WatchedFarm(rules_for({"a": watch, "b": watch}))
    farm.rigs["a"].hung = True
    farm.play(60)
    assert farm.codes("a")[-1] == "no_remedy"


def test_a_restart_of_the_engine_forgets_no_try() -> None:
    farm = plain()
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    for _ in range(120):
        farm.play(3).restart_engine()
    assert len(farm.rigs["a"].cycles) == 3
    assert farm.codes("a")[-1] == "unstable"


def test_zero_tries_only_watches() -> None:
    watch = WatchRules(has_worker=True, has_plug=True, is_plug=True, tries=0)
    farm = WatchedFarm(rules_for({"a": watch, "b": PLAIN}))
    farm.rigs["a"].hung = True
    farm.play(60)
    assert farm.rigs["a"].cycles == []
    assert farm.codes("a") == ["watched_only"]


def test_what_nobody_wants_to_hash_is_never_cycled() -> None:
    for kind in (OverrideKind.PAUSE, OverrideKind.MAINTENANCE):
        farm = plain(others=3)
        farm.run.override("a", kind, until=farm.now + timedelta(hours=9))
        farm.rigs["a"].hung = True
        farm.play(400)
        assert farm.rigs["a"].cycles == [], kind
        assert farm.care("a") is None, "nor is anything ordered that would be done once it is over"


def test_under_an_emergency_stop_nothing_is_cycled() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": PLAIN}))
    farm.rigs["a"].hung = True
    farm.run.emergency(active=True)
    farm.play(200)
    assert farm.rigs["a"].cycles == []
    assert not farm.is_on("b")
    farm.run.emergency(active=False)
    farm.play(60)
    # Its power was cut, because nobody had seen it stop; with the power it has come back.
    assert [rig.works for rig in farm.rigs.values()] == [True, True]
    assert farm.rigs["a"].cycles == []


def test_what_is_only_observed_is_never_touched() -> None:
    farm = WatchedFarm(Rules(miners={"a": MinerRules(observe=True, watch=PLAIN), "b": MinerRules(watch=PLAIN)}))
    farm.rigs["a"].hung = True
    farm.play(200)
    assert farm.rigs["a"].cycles == []
    assert farm.is_on("a")


def test_after_a_pause_it_has_time_to_be_seen_again() -> None:
    farm = plain()
    farm.run.override("a", OverrideKind.PAUSE, until=farm.now + timedelta(hours=2))
    farm.play(119)
    assert not farm.is_on("a")
    farm.rigs["a"].hangs_again = True
    farm.play(10)
    assert farm.is_on("a")
    assert farm.rigs["a"].cycles == []
    farm.play(6)
    assert len(farm.rigs["a"].cycles) == 1


def test_an_outlet_that_somebody_has_switched_off_is_left_off() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    rig = farm.rigs["a"]
    rig.on, rig.outside_off_since = False, farm.now
    farm.play(300)
    assert (rig.on, rig.cycles) == (False, [])
    farm.run.override("a", OverrideKind.AUTOMATIC)
    farm.play(5)
    assert rig.on


def test_one_that_hangs_while_paused_and_unseen_is_brought_back_when_it_may_run() -> None:
    farm = WatchedFarm(Rules(miners={"a": MinerRules(73, 75, watch=ASIC), "b": MinerRules(watch=ASIC)}))
    rig = farm.rigs["a"]

    def play(minutes: int, soc: float) -> None:
        for _ in range(minutes):
            farm.run.soc(soc)
            farm.play(1)

    play(20, 80.0)
    play(5, 60.0)
    rig.hung, rig.agent_alive = True, False
    play(60, 60.0)
    play(20, 80.0)
    assert rig.cycles == []
    rig.agent_alive = True
    play(30, 80.0)
    assert (len(rig.cycles), rig.works) == (1, True)
