"""What every provider asks its pool: one request for a whole account, at a pace that the pool bears."""

import pytest

from services.pool_poller.provider import Account, Answer, PoolProvider
from services.pool_poller.providers import SPECS, provider_of
from shared.settings.pools import BUILT_IN_POOLS, COIN_IN_HOST_POOLS, KEYED_POOLS, PoolSettings
from tests.contract.pool_answers import SHAPES, Rig

ALL = sorted(SHAPES)
RETIRED = {"ethermine", "flexpool", "hiveon"}
ACCOUNT = "bc1q/a b"
SECRET = "s3cr3t"


def pool(key: str) -> PoolProvider:
    return provider_of({}, key)


def test_every_built_in_pool_is_known_by_the_farm_file_and_held_to_this_suite() -> None:
    assert set(SPECS) == set(BUILT_IN_POOLS) == set(SHAPES)
    assert {key for key in SPECS if pool(key).needs_secret} == set(KEYED_POOLS)
    assert {key for key in SPECS if pool(key).retired} == RETIRED
    hosts = {key for key, spec in SPECS.items() if not spec.coin and "{coin}" in spec.base + spec.url}
    assert hosts == COIN_IN_HOST_POOLS


@pytest.mark.parametrize("key", ALL)
def test_one_request_for_a_whole_account_with_the_key_in_a_header_only(key: str) -> None:
    provider, account = pool(key), Account(key, ACCOUNT, SECRET)
    asked = provider.requests(account, [])
    if key in RETIRED:
        assert asked == ()
        return
    (request,) = asked
    assert SECRET not in f"{request!r} {account!r} {request.url} {request.body}"
    assert (SECRET in request.headers.values()) is (key in {*KEYED_POOLS, "f2pool_v1"})
    named = request.url if request.body is None else str(request.body)
    assert ("bc1q%2Fa%20b" in named or ACCOUNT in named) is (key not in {"braiins", "viabtc"})
    assert "{" not in request.url
    assert " " not in request.url
    assert list(provider.requests(account, [Answer(200, SHAPES[key].text([Rig("rig7")]))])) == []
    assert list(provider.requests(account, [Answer(500, "")])) == []
    without = provider.requests(Account(key, ACCOUNT), [])[0]
    assert not without.headers


@pytest.mark.parametrize("key", ALL)
def test_a_pool_is_spared_and_its_own_times_are_respected(key: str) -> None:
    provider = pool(key)
    assert provider.poll_seconds >= provider.poll_floor_seconds >= 60
    assert provider.apart_seconds >= (5.5 if key == "braiins" else 1)
    assert provider.offline_seconds >= provider.floor_seconds >= (1500 if key == "public_pool" else 300)
    hurried = provider_of({key: PoolSettings.model_validate({"poll": "30 s"})}, key)
    assert hurried.poll_seconds == provider.poll_floor_seconds
