"""Museum 34. Braiins' `dis` means that nobody watches the worker; a script took it for offline.

Must happen: not offline, whatever else is said. That one request serves the account is tested with the poller.
"""

from shared.messages import PoolVerdict
from tests.watched_rigs import PLAIN, WatchedFarm, rules_for


def test_a_worker_that_is_not_monitored_is_never_cycled() -> None:
    pool = {"pool": "braiins", "verdict": PoolVerdict.UNKNOWN, "problem": "not_monitored"}
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}), pool=pool)
    farm.others = 4
    farm.rigs["a"].frozen = True
    farm.play(600)
    assert farm.rigs["a"].cycles == []
