"""Seed S2: a pool leaves out whoever is dead; the restarter raised an error about just the rig that it was there for.

Absent after having been seen, for long enough and in more than one good answer, is offline.
"""

from services.simulator.pool import PoolManners, PoolStandIn
from shared.clock import VirtualClock
from tests.pool_farm import ACCOUNT, PoolRig


def test_a_dead_rig_that_the_pool_leaves_out_is_offline(clock: VirtualClock) -> None:
    pool = PoolStandIn(clock, ACCOUNT)
    pool.manners = PoolManners(leaves_out_after_seconds=300)
    alive = {"rig7", "rig8"}

    def beat() -> None:
        for name in alive:
            pool.share(name)

    beat()
    workers = {name: f"mine/{ACCOUNT}/{worker}" for name, worker in (("m7", "rig7"), ("m8", "rig8"), ("m9", "rig9"))}
    rig = PoolRig({"mine": pool}, workers, clock, provider="public_pool")
    rig.run(1000, beat, tick_seconds=2)
    alive.discard("rig7")
    rig.run(3600, beat, tick_seconds=2)
    assert rig.verdicts("m7")[-1] == "offline"
    assert rig.last("m7").others_online == 1
    assert rig.verdicts("m8") == ["online"]
    assert rig.verdicts("m9") == ["unknown"], "never seen: a slip of the pen, not a dead rig"
