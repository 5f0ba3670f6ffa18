"""Public Pool: the time that it calls last seen is the start of a period of ten minutes, and comes late.

By a rule of ten minutes a healthy rig was cycled again and again. The owner's wish counts, but never below what the
pool's own times allow.
"""

from services.simulator.pool import PoolFaults, PoolManners, PoolStandIn
from shared.clock import VirtualClock
from tests.pool_farm import ACCOUNT, PoolRig


def test_a_healthy_rig_is_never_called_offline(clock: VirtualClock) -> None:
    pool = PoolStandIn(clock, ACCOUNT)
    pool.manners, pool.faults = PoolManners(bucket_seconds=600), PoolFaults(late_seconds=600)
    pool.share("rig7")
    wish = {"time_until_offline": "10 min", "status_check_frequency": "30 s"}
    rig = PoolRig({"mine": pool}, {"m7": f"mine/{ACCOUNT}/rig7"}, clock, provider="public_pool", miner=wish)
    rig.run(12 * 3600, lambda: pool.share("rig7"), tick_seconds=20)
    ages = [(reading.at - (reading.last_seen_at or reading.at)).total_seconds() for reading in rig.readings["m7"]]
    assert max(ages) > 1000, "the times are such that ten minutes would not do"
    assert rig.verdicts("m7") == ["online"]
    assert rig.last("m7").offline_after_seconds == 25 * 60
