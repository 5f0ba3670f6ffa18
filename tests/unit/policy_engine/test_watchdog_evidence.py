"""What each witness says, what they come to, and what is written down of a try."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.policy_engine.rules import MinerRules, Rules, WatchRules
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.finding import Finding, judge
from services.policy_engine.watchdog.shares import SharesSeen, share_interval, shareless_for, shares_after
from services.policy_engine.watchdog.witnesses import (
    NOTHING,
    Statement,
    Witnesses,
    Word,
    api_says,
    hear_all,
    pool_says,
    watts_say,
)
from shared.messages import Following, MinerState, PlugTelemetry, PoolVerdict
from tests.engine_core import START, CoreRun, pool_reading, reading
from tests.watched_rigs import ASIC, PLAIN, WatchedFarm, rules_for

RULES = rules_for({"a": ASIC, "b": ASIC})
FREE = Rules(miners={name: MinerRules(watch=WatchRules(can_restart=True)) for name in ("a", "b")})
MINUTE = timedelta(minutes=1)


def later(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


# --- shares


def test_the_interval_is_difficulty_against_hashrate() -> None:
    told = reading(START, MinerState.HASHING, hashrate_ths=100.0, share_difficulty=65536.0)
    interval = share_interval(told)
    assert interval is not None
    assert interval.total_seconds() == pytest.approx(65536 * 2**32 / 1e14)
    for rest in ({"hashrate_ths": None}, {"hashrate_ths": 0.0}, {"share_difficulty": None}):
        assert share_interval(told.model_copy(update=rest)) is None
    assert share_interval(told.model_copy(update={"share_difficulty": 1e300})) is None


def test_a_counter_that_moves_is_work_and_one_that_stands_is_not_for_long() -> None:
    rest: dict[str, Any] = {"hashrate_ths": 100.0, "share_difficulty": 65536.0}
    seen = shares_after(SharesSeen(), reading(START, MinerState.HASHING, shares_accepted=7, **rest), START)
    assert (seen.count, seen.since) == (7, START)
    same = shares_after(seen, reading(later(5), MinerState.HASHING, shares_accepted=7, **rest), later(5))
    assert same.since == START
    assert shares_after(
        same, reading(later(6), MinerState.HASHING, shares_accepted=3, **rest), later(6)
    ).since == later(6)
    idle = shares_after(same, reading(later(6), MinerState.PAUSED), later(6))
    assert (idle.since, idle.interval) == (None, same.interval)
    assert shareless_for(seen, later(10), RULES) is None
    assert shareless_for(seen, later(10.1), RULES) == 10.1 * MINUTE
    assert shareless_for(idle, later(600), RULES) is None


def test_a_tiny_miner_may_find_nothing_for_hours() -> None:
    tiny = SharesSeen(1, START, timedelta(minutes=30))
    assert tiny.longest(RULES) == timedelta(hours=10)
    assert SharesSeen(1, START).longest(RULES) == timedelta(minutes=30)
    slow = replace(RULES, lease=timedelta(minutes=5))
    assert SharesSeen(1, START).longest(slow) == timedelta(minutes=150)
    assert SharesSeen(1, START, timedelta(seconds=1)).longest(slow) == timedelta(minutes=50)


# --- witnesses


def view(**rest: Any) -> MinerView:
    return MinerView(**{"heard_at": START, "plug_heard_at": START, "pool_heard_at": START, **rest})


def test_the_pool_counts_while_its_answer_is_young() -> None:
    unseen = view(pool=pool_reading(START, 700.0))
    assert pool_says(unseen, RULES, "a", START).word is Word.DEAD
    assert pool_says(unseen, RULES, "a", later(10)).word is Word.DEAD
    assert pool_says(unseen, RULES, "a", later(10.1)) is NOTHING
    old = view(pool=pool_reading(START, 700.0, confirmed_at=later(-8)))
    assert pool_says(old, RULES, "a", later(2)).word is Word.DEAD
    assert pool_says(old, RULES, "a", later(2.1)) is NOTHING
    seldom = Rules(miners={"a": MinerRules(watch=replace(ASIC, asked_every=15 * MINUTE))})
    assert pool_says(old, seldom, "a", later(22)).word is Word.DEAD
    assert pool_says(old, seldom, "a", later(22.1)) is NOTHING


def test_the_miners_own_pace_stretches_the_pools_limit() -> None:
    tiny = view(pool=pool_reading(START, 3600.0), shares=SharesSeen(interval=timedelta(minutes=4)))
    assert pool_says(tiny, RULES, "a", later(9)) is NOTHING
    assert pool_says(replace(tiny, pool=pool_reading(START, 4800.0)), RULES, "a", START).word is Word.DEAD


def test_without_a_worker_no_pool_is_listened_to() -> None:
    assert pool_says(view(pool=pool_reading(START, 0.0)), FREE, "a", START) is NOTHING


@pytest.mark.parametrize(
    ("told", "since", "minutes", "word"),
    [
        (reading(START, MinerState.HASHING), {}, 0, Word.ALIVE),
        (reading(START, MinerState.FAULT), {}, 0, Word.SICK),
        (reading(START, MinerState.PAUSED), {}, 0, Word.UNKNOWN),
        (reading(START, MinerState.UNKNOWN), {}, 0, Word.UNKNOWN),
        (reading(START, MinerState.RAMPING), {"ramping_since": later(-30)}, 0, Word.ALIVE),
        (reading(START, MinerState.RAMPING), {"ramping_since": later(-30.1)}, 0, Word.SICK),
        (reading(START, None, problem="unreachable"), {"unreachable_since": START}, 1.9, Word.UNKNOWN),
        (reading(START, None, problem="unreachable"), {"unreachable_since": START}, 2, Word.DEAD),
        (reading(START, None, problem="unauthorized"), {"unreachable_since": later(-60)}, 0, Word.UNKNOWN),
        (reading(START, MinerState.HASHING).model_copy(update={"driver": "plug"}), {}, 0, Word.UNKNOWN),
        (reading(START, MinerState.HASHING), {}, 2.1, Word.UNKNOWN),
    ],
)
def test_what_the_miner_says_of_itself(told: Any, since: dict[str, Any], minutes: float, word: Word) -> None:
    assert api_says(view(telemetry=told, **since), RULES, later(minutes)).word is word


@pytest.mark.parametrize(
    ("plug", "word"),
    [
        ({"power_w": 270.0}, Word.ALIVE),
        ({"power_w": 269.0}, Word.DEAD),
        ({"power_w": None}, Word.UNKNOWN),
        ({"on": False, "power_w": 0.0}, Word.UNKNOWN),
        ({"reachable": False, "power_w": 0.0}, Word.UNKNOWN),
        ({"power_w": 0.0, "cycle_off_since": START}, Word.UNKNOWN),
    ],
)
def test_what_the_meter_says(plug: dict[str, Any], word: Word) -> None:
    told = PlugTelemetry(**{"at": START, "reachable": True, "on": True, **plug})
    assert watts_say(view(plug=told), RULES, "a", START).word is word
    assert watts_say(view(plug=told), RULES, "a", later(2.1)) is NOTHING
    assert watts_say(view(plug=told), FREE, "a", START) is NOTHING


def test_neighbours_count_only_where_no_pool_is_asked() -> None:
    run = CoreRun(FREE)
    for name, count in (("a", 5), ("b", 5)):
        run.miner(name, MinerState.HASHING, shares_accepted=count)
    run.now = later(31)
    run.miner("a", MinerState.HASHING, shares_accepted=5)
    assert hear_all(run.farm, "a", FREE, run.now).neighbours is False
    run.miner("b", MinerState.HASHING, shares_accepted=6)
    assert hear_all(run.farm, "a", FREE, run.now).neighbours is True
    assert hear_all(run.farm, "a", RULES, run.now).neighbours is False
    assert hear_all(run.farm, "b", FREE, run.now).neighbours is False


# --- what they come to

ALIVE, DEAD = Statement(Word.ALIVE, "fine"), Statement(Word.DEAD, "gone")
SHARELESS = Statement(Word.SICK, "no shares")
FAULTY = Statement(Word.SICK, "a fault", is_own_word=True)


@pytest.mark.parametrize(
    ("witnesses", "has_worker", "finding", "code"),
    [
        (Witnesses(pool=ALIVE), True, Finding.AT_WORK, "at_work"),
        (Witnesses(pool=ALIVE, api=DEAD), True, Finding.AT_WORK, "at_work"),
        (Witnesses(pool=ALIVE, api=FAULTY), True, Finding.DOUBTFUL, "pool_still_sees_it"),
        (Witnesses(pool=DEAD), True, Finding.DOUBTFUL, "offline_unconfirmed"),
        (Witnesses(pool=DEAD, others=1), True, Finding.FAILED, "failed"),
        (Witnesses(pool=DEAD, api=DEAD), True, Finding.FAILED, "failed"),
        (Witnesses(pool=DEAD, watts=DEAD), True, Finding.FAILED, "failed"),
        (Witnesses(pool=DEAD, watts=ALIVE, others=9), True, Finding.DOUBTFUL, "pool_disagrees"),
        (Witnesses(pool=DEAD, api=ALIVE, watts=DEAD, others=9), True, Finding.DOUBTFUL, "pool_disagrees"),
        (Witnesses(pool=DEAD, api=SHARELESS, watts=ALIVE), True, Finding.FAILED, "failed"),
        (Witnesses(api=SHARELESS, neighbours=True), True, Finding.DOUBTFUL, "shareless_unconfirmed"),
        (Witnesses(api=SHARELESS), False, Finding.DOUBTFUL, "shareless_unconfirmed"),
        (Witnesses(api=SHARELESS, neighbours=True), False, Finding.FAILED, "failed"),
        (Witnesses(api=FAULTY), True, Finding.FAILED, "failed"),
        (Witnesses(api=FAULTY), False, Finding.FAILED, "failed"),
        (Witnesses(api=ALIVE), True, Finding.AT_WORK, "at_work"),
        (Witnesses(watts=ALIVE), False, Finding.AT_WORK, "at_work"),
        (Witnesses(api=DEAD, watts=DEAD), True, Finding.DOUBTFUL, "dead_unconfirmed"),
        (Witnesses(watts=DEAD), False, Finding.DOUBTFUL, "dead_unconfirmed"),
        (Witnesses(), True, Finding.UNKNOWN, "nothing_known"),
    ],
)
def test_what_the_witnesses_come_to(witnesses: Witnesses, has_worker: bool, finding: Finding, code: str) -> None:
    opinion = judge(witnesses, has_worker=has_worker)
    assert (opinion.finding, opinion.code) == (finding, code)
    assert opinion.answers is (finding is Finding.FAILED and witnesses.api.word is Word.SICK)


def test_an_opinion_names_both_sides() -> None:
    opinion = judge(Witnesses(pool=Statement(Word.DEAD, "unseen"), api=DEAD), has_worker=True)
    assert opinion.sentence == "unseen; gone"
    assert "3 other workers" in judge(Witnesses(pool=DEAD, others=3), has_worker=True).sentence
    assert "another worker" in judge(Witnesses(pool=DEAD, others=1), has_worker=True).sentence


# --- what is written down


def test_a_try_is_written_down_before_anything_is_done() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    farm.rigs["a"].hung = True
    while (care := farm.care("a")) is None or care.cycle_at is None:
        farm.tick()
    assert farm.rigs["a"].cycles == []
    assert (care.code, care.tries, care.cycle_at, care.since) == ("power_cycling", (farm.now,), farm.now, farm.now)
    assert "its power is cycled, try 1 of 3" in care.sentence
    assert care.numbers == {"tries_in_vain": 0, "tries_allowed": 3}
    outlet = farm.run.farm.miners["a"].outlet
    assert outlet is not None
    assert (outlet.cycle_at, outlet.on, outlet.off_seconds) == (farm.now, True, 10.0)


def test_a_restart_says_so_and_asks_nothing_of_the_outlet() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    farm.rigs["a"].frozen = farm.rigs["a"].stubborn = True
    while (care := farm.care("a")) is None or not care.tries:
        farm.tick()
    assert (care.code, care.tries, care.cycle_at) == ("restarting", (farm.now,), None)
    assert "its software is restarted, try 1 of 3" in care.sentence
    command = farm.run.farm.miners["a"].command
    assert command is not None
    assert command.restart_at == farm.now


def test_an_order_that_is_not_taken_is_told_and_made_again() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    rig = farm.rigs["a"]
    rig.hung = True
    while (care := farm.care("a")) is None or care.cycle_at is None:
        farm.tick()
    first = care.cycle_at
    rig.plug_obeys = False
    farm.play(4.5)
    assert farm.codes("a")[-1] == "settling"
    farm.play(1)
    assert farm.codes("a")[-1] == "cycle_not_taken"
    farm.play(5)
    care = farm.care("a")
    assert care is not None
    assert care.cycle_at is not None
    assert care.cycle_at - first >= timedelta(minutes=10)
    assert len(care.tries) == 2


def test_what_only_the_outlet_remembers_counts_as_a_try() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    farm.rigs["a"].hung = farm.rigs["a"].hangs_again = True
    farm.play(12)
    assert len(farm.rigs["a"].cycles) == 1
    farm.run.farm = CoreRun(farm.rules, farm.now).farm  # the broker has lost its memory, and so have we
    farm.play(9)
    assert len(farm.rigs["a"].cycles) == 1


@pytest.mark.parametrize(
    "plug", [{"reachable": False}, {"on": None}, {"cycle_off_since": START}, {"outside_off_since": START}]
)
def test_an_outlet_that_is_not_ready_is_not_asked(plug: dict[str, Any]) -> None:
    farm = WatchedFarm(
        Rules(miners={"a": MinerRules(watch=replace(ASIC, nominal_w=None)), "b": MinerRules(watch=ASIC)})
    )
    rig = farm.rigs["a"]
    rig.hung = True
    report = rig.report

    def unready(run: CoreRun, command: Any) -> None:
        report(run, command)
        run.plug("a", **plug)

    rig.report = unready  # type: ignore[method-assign] # only what its outlet tells differs
    farm.play(60)
    assert rig.cycles == []


def test_without_a_worker_it_is_back_when_it_hashes_after_its_time() -> None:
    farm = WatchedFarm(FREE)
    rig = farm.rigs["a"]
    rig.faulty = True
    while not rig.restarts:
        farm.tick()
    farm.play(5)
    care = farm.care("a")
    assert care is not None
    assert care.returned_at is None
    farm.play(8)
    care = farm.care("a")
    assert care is not None
    assert care.returned_at is not None
    assert len(rig.restarts) == 1


def test_a_miner_that_follows_no_command_is_left_alone() -> None:
    farm = WatchedFarm(rules_for({"a": ASIC, "b": ASIC}))
    rig = farm.rigs["a"]
    rig.hung = True
    report = rig.report

    def alone(run: CoreRun, command: Any) -> None:
        report(run, command)
        told = run.farm.miners["a"].telemetry
        assert told is not None
        run.miner("a", None, problem="unreachable", following=Following.FAILSAFE)

    rig.report = alone  # type: ignore[method-assign] # its agent has gone to the failsafe
    farm.play(60)
    assert rig.cycles == []
    assert farm.codes("a")[-1] == "agent_silent"


def test_the_pools_word_of_being_back_must_be_newer_than_the_try() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}))
    rig = farm.rigs["a"]
    rig.hung = rig.hangs_again = True
    farm.play(13)
    assert len(rig.cycles) == 1
    farm.pool = {"verdict": PoolVerdict.ONLINE}
    farm.play(5)
    care = farm.care("a")
    assert care is not None
    assert (care.code, care.returned_at) == ("at_work", None)
