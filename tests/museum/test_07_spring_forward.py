"""Museum 7. Seen in the rig restarter: at the change to summer time every rig looked an hour stale, and was cycled.

Must happen: times are aware and UTC; nobody is cycled.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.engine_core import CoreRun
from tests.watched_rigs import PLAIN, WatchedFarm, rules_for

ZONE = ZoneInfo("Europe/Lisbon")
BEFORE = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


def test_nobody_is_cycled_when_the_clocks_go_forward() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}, zone=ZONE))
    farm.run = CoreRun(farm.rules, BEFORE)
    farm.play(20)
    assert farm.now.astimezone(ZONE).utcoffset() == timedelta(0)
    farm.play(120)
    assert farm.now.astimezone(ZONE).utcoffset() == timedelta(hours=1)
    assert [rig.cycles for rig in farm.rigs.values()] == [[], []]
    assert [farm.care(name) for name in farm.rigs] == [None, None]


def test_one_that_hangs_at_that_moment_is_given_its_full_time() -> None:
    farm = WatchedFarm(rules_for({"a": PLAIN, "b": PLAIN}, zone=ZONE))
    farm.run = CoreRun(farm.rules, BEFORE)
    farm.play(25)
    farm.rigs["a"].hung = True
    hung_at = farm.now
    farm.play(30)
    assert timedelta(minutes=10) <= farm.rigs["a"].cycles[0] - hung_at <= timedelta(minutes=12)
