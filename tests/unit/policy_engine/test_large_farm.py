"""Farms that are looked at share by share: nobody is forgotten, starts go by priority, shared caps stay whole."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.policy_engine.rota import EVERY, Rota
from services.policy_engine.rules import GroupRules, MinerRules, Rules
from tests.engine_core import START
from tests.engine_whole import WholeRun, hashing

NAMES = [f"m{index:03}" for index in range(120)]
LARGE = Rules(miners=dict.fromkeys(NAMES, MinerRules(73, 75)), stagger_w=7000)


def rota(count: int) -> Rota:
    return Rota(tuple((f"m{index}",) for index in range(count)), START)


def test_a_small_farm_is_looked_at_as_a_whole() -> None:
    one = rota(1)
    assert one.turn(START + EVERY / 2) == ((), one)
    miners, after = one.turn(START + EVERY)
    assert miners is None
    assert after.looked_at == START + EVERY


@given(st.integers(2, 30), st.lists(st.floats(0.001, 0.9), min_size=5, max_size=60))
def test_every_share_has_its_turn_within_a_second(count: int, pauses: list[float]) -> None:
    now, current = START, rota(count)
    seen = dict.fromkeys((f"m{index}" for index in range(count)), START)
    for pause in pauses:
        now += timedelta(seconds=pause)
        miners, current = current.turn(now)
        seen.update(dict.fromkeys(seen if miners is None else miners, now))
        assert now - min(seen.values()) < EVERY + current.period


def test_after_a_long_silence_all_are_due_once() -> None:
    miners, after = rota(4).turn(START + timedelta(hours=1))
    assert miners is None
    assert after.turn(START + timedelta(hours=1))[0] == ()


@given(st.lists(st.sets(st.integers(0, 29), min_size=1, max_size=5), max_size=6), st.integers(1, 10))
def test_shares_hold_each_miner_once_and_cut_no_cap(groups: list[set[int]], size: int) -> None:
    names = [f"m{index}" for index in range(30)]
    rules = Rules(
        dict.fromkeys(names, MinerRules()),
        {f"g{number}": GroupRules(tuple(names[index] for index in group), 9000) for number, group in enumerate(groups)},
    )
    shares = rules.shares(size)
    assert sorted(miner for share in shares for miner in share) == sorted(names)
    for share in shares:
        assert set(rules.together_with(frozenset(share))) == set(share)
        assert list(rules.together_with(frozenset(share[:1]))) == [
            miner for miner in share if miner in rules.together_with(frozenset(share[:1]))
        ]


def by_shares(run: WholeRun, seconds: float) -> WholeRun:
    """Lets time pass in steps so short that never the whole farm is due; nobody reports anything new."""
    for _ in range(round(seconds / 0.1)):
        run.clock.advance(0.1)
        run.settle()
    return run


def test_all_commands_of_a_large_farm_are_renewed_in_time() -> None:
    run = by_shares(hashing(LARGE), 70)
    for name in NAMES:
        command = run.last(name)
        assert command is not None
        assert command.expires_at - run.clock.now() > LARGE.lease / 3


def test_the_miners_of_a_large_farm_stop_at_one_message_and_start_by_priority() -> None:
    run = hashing(LARGE).soc(60)
    assert {command.code for name in NAMES if (command := run.last(name)) is not None} == {"soc_low"}
    by_shares(run.run(400).soc(90), 100)
    running = [name for name in NAMES if (command := run.last(name)) is not None and not command.point.is_pause]
    assert running == NAMES[:8], "two within each stagger window"
