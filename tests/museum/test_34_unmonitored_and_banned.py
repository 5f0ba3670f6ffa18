"""Braiins Pool: `dis` means that nobody wants a worker monitored, and more than one request in 5 s is a ban.

An unmonitored worker is not offline; one request asks for all workers of an account, and accounts take turns.
"""

from services.simulator.pool import PoolManners, PoolStandIn
from shared.clock import VirtualClock
from shared.messages import PoolVerdict
from tests.pool_farm import ACCOUNT, PoolRig

KEY = {"MINE_KEY": "key"}


def test_an_unmonitored_worker_is_not_offline(clock: VirtualClock) -> None:
    pool = PoolStandIn(clock, ACCOUNT)
    pool.unmonitored = frozenset({"rig7"})
    pool.share("rig7")
    pool.share("rig8")
    workers = {"m7": f"mine/{ACCOUNT}/rig7", "m8": f"mine/{ACCOUNT}/rig8"}
    rig = PoolRig({"mine": pool}, workers, clock, provider="braiins", secrets=KEY)
    rig.run(7200, lambda: pool.share("rig8"), tick_seconds=5)
    assert rig.verdicts("m7") == ["unknown"]
    assert rig.last("m7").problem == "not_monitored"
    assert rig.codes("m7") == ["not_monitored"]
    assert rig.last("m8").verdict is PoolVerdict.ONLINE


def test_ten_rigs_of_three_accounts_are_never_banned(clock: VirtualClock) -> None:
    pool = PoolStandIn(clock, ACCOUNT)
    pool.manners = PoolManners(bans_within_seconds=5)
    workers = {f"m{number}": f"mine/account{number % 3}/rig{number}" for number in range(10)}

    def beat() -> None:
        for number in range(10):
            pool.share(f"rig{number}")

    beat()
    wish = {"status_check_frequency": "30 s"}
    rig = PoolRig({"mine": pool}, workers, clock, provider="braiins", secrets=KEY, miner=wish)
    rig.run(3600, beat, tick_seconds=1)
    assert {verdict for name in workers for verdict in rig.verdicts(name)} == {"online"}
    assert pool.closest_requests_seconds() >= 5
    assert len(pool.heard) <= 3 * 61
