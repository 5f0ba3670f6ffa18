"""A pool that the farm file describes, and a built-in one at another address, for another coin, over several pages."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.pool_poller.declared import PAGES_MAX, DeclaredProvider
from services.pool_poller.provider import NOT_MONITORED, Account, AccountFacts, Answer, PoolAnswerError, PoolProvider
from services.pool_poller.providers import SPECS, provider_of
from shared.messages import LastSeenKind
from shared.settings.pools import PoolSettings

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE_AGO = NOW - timedelta(minutes=1)


def made(key: str = "basement", **settings: object) -> PoolProvider:
    return provider_of({key: PoolSettings.model_validate(settings)}, key)


def read(provider: PoolProvider, *bodies: Any) -> AccountFacts:
    return provider.parse([Answer(200, json.dumps(body)) for body in bodies], NOW)


def pages(provider: PoolProvider, bodies: Sequence[Any]) -> list[str]:
    """The URLs that are asked for when the pool answers so."""
    account, answers, urls = Account("any", "acct", "key"), list[Answer](), list[str]()
    while requests := provider.requests(account, answers):
        for request in requests:
            urls.append(request.url)
            answers.append(Answer(200, json.dumps(bodies[min(len(answers), len(bodies) - 1)])))
    return urls


def test_every_place_of_a_described_pool() -> None:
    provider = made(
        url="http://10.0.0.6/stats/{account}?coin={coin}",
        coin="BTC",
        workers="data.miners",
        name="id",
        last_seen="seen.at",
        last_seen_kind="bucket",
        hashrate="rates[*].now",
        hashrate_unit="GH/s",
        online="state",
        online_words=["Fine"],
        offline_words=["Gone"],
        error="problem",
        absent_is_offline=True,
        headers={"X-Key": "Bearer {secret}", "X-Plain": "sunherd"},
        poll="2 min",
        offline_after="30 min",
        offline_floor="25 min",
        apart="3 s",
    )
    (request,) = provider.requests(Account("basement", "a/b", "k3y"), [])
    assert request.url == "http://10.0.0.6/stats/a%2Fb?coin=BTC"
    assert request.headers == {"X-Key": "Bearer k3y", "X-Plain": "sunherd"}
    assert (provider.key, provider.needs_secret) == ("basement", True)
    assert (provider.poll_seconds, provider.apart_seconds) == (120, 3)
    assert (provider.offline_seconds, provider.floor_seconds) == (1800, 1500)

    row = {"id": 7, "seen": {"at": "2026-11-20T13:59:00+02:00"}, "rates": [{"now": 500}, {"now": "1 TH/s"}]}
    said = read(provider, {"data": {"miners": [row | {"state": "FINE"}, row | {"id": "b", "state": "gone"}]}})
    assert said.absent_is_offline
    first, second = said.workers
    assert (first.name, first.last_seen_at, first.kind) == ("7", MINUTE_AGO, LastSeenKind.BUCKET)
    assert (first.hashrate_hs, first.online, second.online) == (1.5e12, True, False)
    with pytest.raises(PoolAnswerError) as caught:
        read(provider, {"problem": "your key k3y is wrong", "data": {"miners": [row]}})
    assert caught.value.code == "pool_error"
    assert "k3y" not in caught.value.sentence


def test_a_pool_that_shows_only_a_hashrate() -> None:
    provider = made(url="http://h/", workers="w", name="@key", hashrate="hr", as_of="made")
    taken = (NOW - timedelta(minutes=5)).isoformat()
    said = read(provider, {"made": taken, "w": {"a": {"hr": 5}, "b": {"hr": 0}, "c": {"hr": "?"}}})
    by_name = {worker.name: (worker.last_seen_at, worker.kind, worker.online) for worker in said.workers}
    assert by_name == {
        "a": (NOW - timedelta(minutes=5), LastSeenKind.DERIVED, True),
        "b": (None, LastSeenKind.DERIVED, False),
        "c": (None, LastSeenKind.DERIVED, None),
    }
    with pytest.raises(PoolAnswerError, match="20 min old"):
        read(provider, {"made": (NOW - timedelta(minutes=20)).isoformat(), "w": {"a": {"hr": 5}}})


def test_a_pool_that_shows_only_a_flag_in_an_answer_that_is_the_list() -> None:
    provider = made(url="http://h/", workers="", online="up")
    said = read(provider, [{"name": "a", "up": True}, {"name": "b", "up": 0}, {"name": "c", "up": "?"}, {"name": "d"}])
    assert [worker.online for worker in said.workers] == [True, False, None, None]
    assert {worker.last_seen_at for worker in said.workers} == {None}


def test_a_post_with_a_body() -> None:
    provider = made(url="http://h/", method="POST", body={"who": "{account}", "size": 50}, workers="w", last_seen="t")
    (request,) = provider.requests(Account("basement", "{coin}"), [])
    assert (request.method, request.body) == ("POST", {"who": "{coin}", "size": 50})


def test_a_mark_in_an_account_stays_what_it_is() -> None:
    (request,) = made(url="http://h/{account}", workers="w", last_seen="t").requests(Account("p", "{page}&x=1"), [])
    assert request.url == "http://h/%7Bpage%7D%26x%3D1"


def test_a_built_in_pool_at_another_address() -> None:
    provider = made("my-pool", provider="public_pool", url="http://10.0.0.5:3334/", poll="5 min")
    (request,) = provider.requests(Account("my-pool", "bc1q"), [])
    assert request.url == "http://10.0.0.5:3334/api/client/bc1q"
    assert (provider.key, provider.poll_seconds, provider.floor_seconds) == ("my-pool", 300, 1500)


def test_a_pool_of_one_site_for_each_coin() -> None:
    (request,) = made("2miners", coin="solo-bch").requests(Account("2miners", "q"), [])
    assert request.url == "https://solo-bch.2miners.com/api/accounts/q"


def test_an_unknown_pool() -> None:
    with pytest.raises(KeyError):
        provider_of({}, "ghostpool")


def _viabtc(*names: str, more: bool) -> Any:
    rows = [{"worker_name": name, "last_active": MINUTE_AGO.timestamp(), "hashrate_10min": "5"} for name in names]
    return {"code": 0, "data": {"data": rows, "has_next": more}}


def test_pages_are_asked_for_until_the_last() -> None:
    provider = made("viabtc")
    bodies = [_viabtc("a", "b", more=True), _viabtc("c", more=False)]
    urls = pages(provider, bodies)
    assert [url.partition("&page=")[2] for url in urls] == ["1&limit=100", "2&limit=100"]
    assert [worker.name for worker in read(provider, *bodies).workers] == ["a", "b", "c"]


def test_pages_without_end_are_bounded() -> None:
    assert len(pages(made("viabtc"), [_viabtc("a", more=True)])) == PAGES_MAX
    assert len(pages(made("luxor"), [{"workers": [], "pagination": {"next_page_url": "/next"}}])) == PAGES_MAX


def test_pages_that_are_counted() -> None:
    rig = {"name": "a", "minerStatus": "MINING", "stats": []}
    body = {"miningRigs": [rig], "pagination": {"page": 0, "totalPageCount": 3}}
    urls = pages(made("nicehash"), [body])
    assert [url[-1] for url in urls] == ["0", "1", "2"]


def test_a_bad_page_makes_the_whole_bad() -> None:
    with pytest.raises(PoolAnswerError, match="asked too often"):
        made("viabtc").parse([Answer(200, json.dumps(_viabtc("a", more=True))), Answer(429, "")], NOW)


def test_pages_that_were_not_read_may_hold_who_is_missed() -> None:
    provider = DeclaredProvider(replace(SPECS["viabtc"], absent_is_offline=True))
    assert read(provider, _viabtc("a", more=False)).absent_is_offline
    assert not read(provider, *[_viabtc("a", more=True)] * PAGES_MAX).absent_is_offline


def test_the_default_is_never_below_the_least_that_counts() -> None:
    provider = made(url="http://h/", workers="w", last_seen="t", offline_after="5 min", offline_floor="20 min")
    assert provider.offline_seconds == provider.floor_seconds == 1200


def test_sessions_of_which_one_hashrate_is_unknown() -> None:
    rows = [{"name": "a", "hashRate": 5}, {"name": "a", "hashRate": None}]
    (worker,) = read(made("public_pool"), {"workers": rows}).workers
    assert worker.hashrate_hs is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!DOCTYPE html>", "a web page instead of data"),
        ("", "it is empty"),
        ('{"workers": [', "no whole JSON"),
        ('{"workers": 5}', "no list of workers"),
        ('{"workers": [{"id": "a"}, 7]}', "none of its workers has a name"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(text: str, said: str) -> None:
    with pytest.raises(PoolAnswerError, match=said):
        made("public_pool").parse([Answer(200, text)], NOW)


def test_a_closed_pool_is_asked_nothing_and_says_so() -> None:
    provider = made("flexpool")
    assert provider.requests(Account("flexpool", "0x1"), []) == ()
    with pytest.raises(PoolAnswerError) as caught:
        provider.parse([], NOW)
    assert caught.value.code == "retired"


def test_braiins_does_not_watch_every_worker() -> None:
    rows = {"u.a": {"state": "dis", "last_share": 1}, "u.b": {"state": "low", "last_share": MINUTE_AGO.timestamp()}}
    unwatched, low = read(made("braiins"), {"btc": {"workers": rows}}).workers
    assert (unwatched.problem, low.problem) == (NOT_MONITORED, None)
    assert low.last_seen_at == MINUTE_AGO


def test_nicehash_does_not_count_the_time_of_a_status_as_that_of_a_share() -> None:
    day_ago = int((NOW - timedelta(days=1)).timestamp() * 1000)
    rigs: list[dict[str, Any]] = [
        {"name": word, "statusTime": day_ago, "minerStatus": word, "stats": []} for word in ("MINING", "OFFLINE")
    ]
    mining, offline, other = read(
        made("nicehash"), {"miningRigs": [*rigs, rigs[0] | {"name": "other", "minerStatus": "BENCHMARKING"}]}
    ).workers
    assert (mining.last_seen_at, mining.online) == (NOW, True)
    assert (offline.last_seen_at, offline.online) == (NOW - timedelta(days=1), False)
    assert other.online is None


def test_open_ethereum_pools_write_null_for_no_workers() -> None:
    assert read(made("solopool"), {"workers": None}).workers == ()
    with pytest.raises(PoolAnswerError, match="no list of workers"):
        read(made("parasite"), {"workerData": None})


def test_ckpool_in_several_lines() -> None:
    line = '{"worker": [{"workername": "a.b", "lastshare": 1700000000, "hashrate5m": "999"}]}'
    said = made("ckpool").parse([Answer(200, f"{line}\n{line}\n")], NOW)
    assert [worker.hashrate_hs for worker in said.workers] == [999]
    with pytest.raises(PoolAnswerError):
        made("parasite").parse([Answer(200, '{"workerData": []}\n{}')], NOW)
