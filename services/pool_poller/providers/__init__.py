"""The pools that are known, and those that the farm file describes."""

from collections.abc import Mapping
from dataclasses import replace

from services.pool_poller.declared import DeclaredProvider
from services.pool_poller.provider import PoolProvider
from services.pool_poller.providers import known, ocean, retired
from services.pool_poller.providers.described import described
from services.pool_poller.spec import Spec
from shared.settings.pools import PoolSettings, provider_key

SPECS: Mapping[str, Spec] = {
    spec.key: spec
    for spec in (
        known.CKPOOL,
        known.CKPOOL_EU,
        known.CKPOOL_AU,
        known.BRAIINS_SOLO,
        known.PUBLIC_POOL,
        ocean.SPEC,
        known.BRAIINS,
        known.F2POOL,
        known.F2POOL_V1,
        known.VIABTC,
        known.LUXOR,
        known.NICEHASH,
        known.TWO_MINERS,
        known.SOLOPOOL,
        known.PARASITE,
        known.HEROMINERS,
        known.NANOPOOL,
        retired.FLEXPOOL,
        retired.ETHERMINE,
        retired.HIVEON,
    )
}


def provider_of(pools: Mapping[str, PoolSettings], key: str) -> PoolProvider:
    """The provider of a pool's name. Raises KeyError where neither `pools` nor a built-in one has it."""
    settings = pools.get(key, PoolSettings())
    if settings.is_described:
        return DeclaredProvider(described(key, settings))
    built_in = provider_key(pools, key)
    if built_in is None:
        raise KeyError(key)
    spec = _with(SPECS[built_in], key, settings)
    return ocean.Ocean(spec) if built_in == ocean.SPEC.key else DeclaredProvider(spec)


def _with(spec: Spec, key: str, settings: PoolSettings) -> Spec:
    """A built-in pool under another name, at another address, for another coin."""
    timing = spec.timing
    if settings.poll is not None:
        poll_seconds = max(settings.poll.total_seconds(), timing.poll_floor_seconds)
        timing = replace(timing, poll_seconds=poll_seconds)
    return replace(spec, key=key, base=settings.url or spec.base, coin=settings.coin or spec.coin, timing=timing)
