"""The order of policies does not matter; one more policy never raises a ceiling."""

import math
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.policy_engine.decide import Book, decide_all
from services.policy_engine.explain import Term
from services.policy_engine.policies import all_policies
from services.policy_engine.policy import PolicyEntry
from services.policy_engine.rules import Rules
from services.policy_engine.state import Farm
from shared.messages import Limit, MinerCommand
from tests.engine_core import CoreRun, essence
from tests.engine_history import HISTORIES, PROPERTY, RULES, History

ALONE = replace(RULES, groups={}, stagger_w=1_000_000)


def after(history: list[tuple[Any, ...]], rules: Rules) -> CoreRun:
    played = History(CoreRun(rules))
    for event in history:
        if event[0] != "override" or event[1] in {*rules.miners, *rules.groups}:
            played.play(event)
    return played.run


def decided(run: CoreRun, policies: list[PolicyEntry], farm: Farm | None = None) -> dict[str, MinerCommand]:
    book = Book(run.rules, policies)
    return decide_all(book, farm or run.farm, None, run.now, Term("test", 1, run.rules.lease))


@PROPERTY
@given(HISTORIES, st.randoms(use_true_random=False))
def test_the_order_of_policies_does_not_matter(history: list[tuple[Any, ...]], random: Any) -> None:
    run = after(history, RULES)
    policies = list(all_policies(RULES))
    shuffled = policies[:]
    random.shuffle(shuffled)
    first, second = decided(run, policies), decided(run, shuffled)
    assert {name: essence(command) for name, command in first.items()} == {
        name: essence(command) for name, command in second.items()
    }
    assert [command.sentence for command in first.values()] == [second[name].sentence for name in first]


def made_up(name: str, ceiling_w: float | None) -> PolicyEntry:
    def policy(_farm: Farm, _miner: str, _last: Limit | None, now: datetime) -> Limit:
        return Limit(policy=name, ceiling_w=ceiling_w, code="made_up", sentence="made up", since=now)

    return PolicyEntry(name, policy)


def height(ceiling_w: float | None) -> float:
    return math.inf if ceiling_w is None else ceiling_w


@PROPERTY
@given(HISTORIES, st.sampled_from(["aaa", "zzz"]))
def test_one_more_policy_never_raises_a_ceiling(history: list[tuple[Any, ...]], name: str) -> None:
    # Without shared caps and stagger: there, what one miner gives up is rightly another's to have.
    run = after(history, ALONE)
    policies = list(all_policies(ALONE))
    before = decided(run, policies)
    for ceiling_w in (None, 0, 1, 1800, 2500, 3300, 4000):
        with_one_more = decided(run, [*policies, made_up(name, ceiling_w)])
        for miner, command in with_one_more.items():
            assert height(command.ceiling_w) <= min(height(ceiling_w), height(before[miner].ceiling_w))
            assert command.point.power_w <= before[miner].point.power_w
            assert all(command.point.power_w <= height(limit.ceiling_w) for limit in command.limits)


@PROPERTY
@given(HISTORIES, st.sampled_from([entry.name for entry in all_policies(RULES) if entry.name != "override"]))
def test_one_policy_less_never_lowers_the_first_stage(history: list[tuple[Any, ...]], left_out: str) -> None:
    # Not the override: a person who forces a miner on silences the battery's rule, and is the only one who may.
    run = after(history, RULES)
    policies = list(all_policies(RULES))
    fewer = [entry for entry in policies if entry.name != left_out]
    whole, partial = decided(run, policies), decided(run, fewer)
    names = {entry.name for entry in policies}
    for miner in whole:
        assert lowest(whole[miner], names) <= lowest(partial[miner], names)


def lowest(command: MinerCommand, names: set[str]) -> float:
    return min((height(limit.ceiling_w) for limit in command.limits if limit.policy in names), default=math.inf)
