"""Museum 11. The rig restarter and the battery script together: one power-cycles the rig that the other has paused.

Must happen: never.
"""

from services.policy_engine.rules import MinerRules, Rules
from tests.watched_rigs import ASIC, PLAIN, WatchedFarm

RULES = Rules(miners={"asic": MinerRules(73, 75, watch=ASIC), "plain": MinerRules(73, 75, watch=PLAIN)})


def play(farm: WatchedFarm, minutes: int, soc: float) -> None:
    for _ in range(minutes):
        farm.run.soc(soc)
        farm.play(1)


def test_a_rig_that_is_paused_for_the_battery_is_never_cycled() -> None:
    farm = WatchedFarm(RULES)
    farm.others = 5
    play(farm, 30, 80.0)
    play(farm, 12 * 60, 60.0)
    assert [rig.works for rig in farm.rigs.values()] == [False, False]
    assert [(rig.cycles, rig.restarts) for rig in farm.rigs.values()] == [([], []), ([], [])]
    play(farm, 60, 80.0)
    assert [rig.works for rig in farm.rigs.values()] == [True, True]
    assert [(rig.cycles, rig.restarts) for rig in farm.rigs.values()] == [([], []), ([], [])]


def test_nor_one_that_hangs_while_it_is_paused_until_it_may_run_again() -> None:
    farm = WatchedFarm(RULES)
    farm.others = 5
    play(farm, 30, 80.0)
    play(farm, 30, 60.0)
    farm.rigs["asic"].hung = True
    play(farm, 10 * 60, 60.0)
    assert farm.rigs["asic"].cycles == []
    play(farm, 30, 80.0)
    assert (len(farm.rigs["asic"].cycles), farm.rigs["asic"].works) == (1, True)


def test_while_the_battery_is_unknown_nobody_is_cycled_either() -> None:
    farm = WatchedFarm(RULES)
    farm.others = 5
    play(farm, 30, 80.0)
    farm.rigs["asic"].hung = farm.rigs["plain"].hung = True
    for _ in range(300):
        farm.run.soc(None)
        farm.play(1)
    late = [date for rig in farm.rigs.values() for date in rig.cycles]
    assert all((date - farm.run.farm.began_at).total_seconds() < (50 + 15 + 1) * 60 for date in late)
