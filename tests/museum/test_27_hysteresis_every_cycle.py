"""Museum 27. Seen in openWB 3980: the hysteresis worked for one cycle only.

Must happen: it works in every cycle, for a miner as for its neighbour with another band.
"""

from datetime import timedelta

from services.policy_engine.rules import MinerRules, Rules
from tests.engine_whole import hashing

RULES = Rules(
    miners={"s19": MinerRules(73, 75), "s21": MinerRules(95, 99)},
    minimum_off=timedelta(seconds=30),
    starts_per_day=1000,
    stagger_w=10_000,
)


def test_stop_below_hold_in_between_start_above_again_and_again() -> None:
    run = hashing(RULES, soc=100)
    for _ in range(12):
        for soc, point in ((74, "normal"), (72.9, "pause"), (74, "pause"), (75, "pause"), (75.1, "normal")):
            run.soc(soc).run(60)
            assert run.now_commanded.point.name == point, soc


def test_each_miner_has_its_own_band_in_every_cycle() -> None:
    run = hashing(RULES, soc=100)
    for _ in range(6):
        for soc, points in ((80, ("normal", "pause")), (70, ("pause", "pause")), (100, ("normal", "normal"))):
            run.soc(soc).run(60)
            told = [command.point.name for name in RULES.miners if (command := run.last(name))]
            assert tuple(told) == points
