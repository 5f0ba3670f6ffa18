"""Museum 33. Public Pool tells the start of a ten-minute bucket: a rule of ten minutes cycles healthy rigs.

Must happen: the pool's own floor of 25 minutes holds, whatever the owner wishes.
"""

from typing import Any

from shared.messages import LastSeenKind, PoolVerdict
from tests.watched_rigs import PLAIN, WatchedFarm, rules_for

FLOOR_SECONDS = 25 * 60.0
BUCKET: dict[str, Any] = {
    "pool": "public_pool",
    "offline_after_seconds": FLOOR_SECONDS,
    "last_seen_kind": LastSeenKind.BUCKET,
}


def test_a_bucket_that_is_nineteen_minutes_old_is_no_failure() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}), pool=BUCKET)
    farm.play(60)
    for minutes in range(20):
        farm.rigs["a"].frozen = minutes > 0
        farm.play(1)
    assert farm.rigs["a"].cycles == []


def test_even_if_the_pool_calls_it_offline_too_early() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}), pool=BUCKET | {"verdict": PoolVerdict.OFFLINE})
    farm.rigs["a"].frozen = True
    farm.play(20)
    assert farm.rigs["a"].cycles == []


def test_what_is_gone_for_longer_is_cycled() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}), pool=BUCKET)
    farm.rigs["a"].hung = True
    farm.play(40)
    assert len(farm.rigs["a"].cycles) == 1
