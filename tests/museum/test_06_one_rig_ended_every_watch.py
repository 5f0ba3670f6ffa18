"""Seed S2: one worker that the pool did not know, or one answer in HTML, ended the watch of every rig.

Only that rig is affected, and says why; all others are watched as before.
"""

from services.simulator.pool import PoolStandIn
from shared.clock import VirtualClock
from shared.messages import PoolVerdict
from tests.pool_farm import ACCOUNT, PoolRig


def test_a_missing_worker_and_a_web_page_concern_nobody_else(clock: VirtualClock) -> None:
    well, sick = PoolStandIn(clock, ACCOUNT), PoolStandIn(clock, ACCOUNT)
    alive = {"rig7", "rig8"}

    def beat() -> None:
        for name in alive:
            well.share(name)

    sick.faults.web_page = True
    beat()
    workers = {
        "missing": f"well/{ACCOUNT}/nowhere",
        "page": f"sick/{ACCOUNT}/rig7",
        "m7": f"well/{ACCOUNT}/rig7",
        "m8": f"well/{ACCOUNT}/rig8",
    }
    rig = PoolRig({"well": well, "sick": sick}, workers, clock)
    rig.run(3600, beat, tick_seconds=2)
    alive.discard("rig7")
    rig.run(1200, beat, tick_seconds=2)
    assert rig.verdicts("m7") == ["online", "offline"]
    assert rig.verdicts("m8") == ["online"]
    assert (rig.last("missing").verdict, rig.last("missing").problem) == (PoolVerdict.UNKNOWN, "worker_never_seen")
    assert (rig.last("page").verdict, rig.last("page").problem) == (PoolVerdict.UNKNOWN, "bad_answer")
    assert rig.codes("missing") == ["worker_never_seen"]
    assert rig.codes() == ["bad_answer"]
