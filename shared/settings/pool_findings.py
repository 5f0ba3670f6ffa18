"""What is wrong with the pools of a farm file, and with the workers that its miners name. Works on raw data."""

from collections.abc import Iterator
from typing import Any

from shared.settings.enabled import is_disabled
from shared.settings.pools import (
    BUILT_IN_POOLS,
    COIN_IN_HOST_POOLS,
    DESCRIBED_KEYS,
    KEYED_POOLS,
    key_variable_of,
)
from shared.settings.problems import did_you_mean

Finding = tuple[tuple[str | int, ...], str, str]


def pool_findings(data: dict[str, Any]) -> Iterator[Finding]:
    """What no single key shows."""
    pools, miners = _mapping(data.get("pools")), _mapping(data.get("miners"))
    workers = dict(_workers(miners))
    yield from _unsound_pools(pools)
    yield from _unknown_pools(pools, workers)
    yield from _shared_workers(workers)


def pool_keys(data: dict[str, Any]) -> dict[str, str]:
    """The variable that must hold the key of a pool, by the first miner that has a worker there."""
    pools = _mapping(data.get("pools"))
    needed: dict[str, str] = {}
    miners = _mapping(data.get("miners"))
    for miner, worker in _workers({name: keys for name, keys in miners.items() if not is_disabled(keys)}):
        pool = worker.split("/")[0]
        if _needs_key(pool, _mapping(pools.get(pool))) and key_variable_of(pool) not in needed.values():
            needed[miner] = key_variable_of(pool)
    return needed


def _needs_key(pool: str, keys: dict[str, Any]) -> bool:
    if _is_described(keys):
        return any("{secret}" in str(value) for value in _mapping(keys.get("headers")).values())
    return keys.get("provider", pool) in KEYED_POOLS


def _unsound_pools(pools: dict[str, Any]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, pool in pools.items():
        keys = _mapping(pool)
        variable = key_variable_of(name)
        if variable in seen:
            cause = f"the variable of its key, {variable}, is that of {seen[variable]}, too"
            yield ("pools", name), cause, "rename one of the two"
        seen.setdefault(variable, name)
        provider = keys.get("provider")
        if isinstance(provider, str) and provider not in BUILT_IN_POOLS:
            cause = f"no built-in pool is called {provider!r}{did_you_mean(provider, BUILT_IN_POOLS)}"
            yield ("pools", name, "provider"), cause, f"use one of: {', '.join(sorted(BUILT_IN_POOLS))}"
        elif name in BUILT_IN_POOLS and (_is_described(keys) or keys.get("provider", name) != name):
            yield ("pools", name), f"{name} is a built-in pool already", "give this one another name"
        elif provider is None and name not in BUILT_IN_POOLS and not _is_described(keys):
            cause = f"{name} is no built-in pool{did_you_mean(name, BUILT_IN_POOLS)}"
            yield ("pools", name), cause, "say which software it runs (provider), or describe it: docs/pools.md"


def _unknown_pools(pools: dict[str, Any], workers: dict[str, str]) -> Iterator[Finding]:
    known = sorted({*BUILT_IN_POOLS, *pools})
    for miner, worker in workers.items():
        pool = worker.split("/")[0]
        place = ("miners", miner, "worker")
        if pool not in known:
            cause = f"no pool is called {pool!r}{did_you_mean(pool, known)}"
            yield place, cause, f"use one of: {', '.join(known)}; or describe it below pools: docs/pools.md"
            continue
        keys = _mapping(pools.get(pool))
        by_coin = keys.get("provider", pool) in COIN_IN_HOST_POOLS and not _is_described(keys)
        if by_coin and keys.get("coin") is None and keys.get("url") is None:
            fix = f"add pools.{pool}.coin, as in the address of the pool's web site"
            yield place, f"{pool} has one site for each coin, and none is named", fix


def _shared_workers(workers: dict[str, str]) -> Iterator[Finding]:
    """Names are compared without case at last, so two that differ in nothing else are one."""
    seen: dict[str, str] = {}
    for miner, worker in workers.items():
        same = worker.casefold()
        if same in seen:
            cause = f"{worker} is already the worker of {seen[same]}"
            fix = "give each miner a worker of its own: of one that two share nobody can tell which has died"
            yield ("miners", miner, "worker"), cause, fix
        seen.setdefault(same, miner)


def _workers(miners: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, miner in miners.items():
        worker = _mapping(miner).get("worker")
        if isinstance(worker, str) and worker.count("/") > 1:
            yield name, worker


def _is_described(keys: dict[str, Any]) -> bool:
    return "provider" not in keys and not DESCRIBED_KEYS.isdisjoint(keys)


def _mapping(value: object) -> dict[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else {}
