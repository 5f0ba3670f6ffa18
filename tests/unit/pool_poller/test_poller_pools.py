"""Every built-in pool over the stand-in: the dead are told from the living."""

import pytest

from services.simulator.http import json_response
from shared.clock import VirtualClock
from shared.messages import PoolVerdict
from tests.pool_farm import Pool, rig_of

ONLINE, OFFLINE, UNKNOWN = PoolVerdict.ONLINE, PoolVerdict.OFFLINE, PoolVerdict.UNKNOWN


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("ckpool", ""),
        ("braiins_solo", "/solo"),
        ("public_pool", ""),
        ("ocean", "/v1"),
        ("braiins", ""),
        ("f2pool", ""),
        ("f2pool_v1", ""),
        ("viabtc", ""),
        ("luxor", ""),
        ("nicehash", ""),
        ("solopool", ""),
        ("2miners", ""),
        ("parasite", ""),
        ("herominers", ""),
        ("nanopool", ""),
    ],
)
def test_every_pool_tells_the_dead_from_the_living(clock: VirtualClock, provider: str, path: str) -> None:
    pool = Pool(clock)
    secret = {"MINE_KEY": "key"}
    farm = {"mine": {"provider": provider, "url": f"http://mine.test{path}", "coin": "bitcoin"}}
    if provider in {"luxor", "viabtc"}:
        farm["mine"]["coin"] = "BTC"
    rig = rig_of(pool, clock, farm=farm, secrets=secret)
    rig.run(600, pool.beat, tick_seconds=2)
    pool.alive = {"rig8"}
    rig.run(4500, pool.beat, tick_seconds=5)
    # Only NiceHash has a word of its own for it, and says it before the time is old.
    between = ["unknown"] if provider == "nicehash" else []
    assert rig.verdicts("m7") == ["online", *between, "offline"]
    assert rig.verdicts("m8") == ["online"]
    assert rig.last("m8").others_online == 0
    pool.alive = {"rig7", "rig8"}
    rig.run(600, pool.beat, tick_seconds=2)
    assert rig.verdicts("m7") == ["online", *between, "offline", "online"]
    assert rig.events == []


def test_a_provider_that_breaks_is_a_bad_answer_and_not_a_dead_service(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise ZeroDivisionError

    pool = Pool(clock)
    rig = rig_of(pool, clock)
    rig.run(61, pool.beat)
    monkeypatch.setattr("services.pool_poller.declared.DeclaredProvider.parse", broken)
    rig.run(1000, pool.beat)
    assert rig.last("m7").problem == "bad_answer"
    assert rig.last("m7").verdict is UNKNOWN


def test_an_error_of_500_may_still_say_what_is_wrong(clock: VirtualClock) -> None:
    answer = json_response({"error": "No such user or user has no active workers"}, 500)
    rig = rig_of(lambda _: answer, clock, provider="ocean")
    rig.run(10)
    assert rig.codes() == ["unknown_account"]
