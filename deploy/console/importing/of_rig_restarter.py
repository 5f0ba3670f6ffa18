"""`rigs.json` of the rig restarter: rigs on outlets, watched through a pool. Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from deploy.console.importing.harvest import Harvest, Machine, duration, number, tidy, words
from services.pool_poller.providers import SPECS
from shared.settings.plug import address_shown, plug_address
from shared.settings.pools import BUILT_IN_POOLS, COIN_IN_HOST_POOLS, KEYED_POOLS, key_variable_of

ASSUMED_W = 1000.0
"""The file does not say what a rig draws, and a farm must know."""

_KEYS = {
    *("status_api", "wallet", "worker_name", "kasa_device_ip", "smart_strip_plug_name", "smart_strip_plug_number"),
    *("power_cycle_on_delay", "time_until_offline", "status_check_frequency", "status_check_cooldown"),
    *("max_consecutive_restarts", "coin", "endpoint"),
}
_WORKER = re.compile(r"[^/\s]+/[^/\s]+/\S+")
_MINUTE = 60.0


def is_rig_restarters(data: Any) -> bool:
    """Whether a file is one of these."""
    rows = data if isinstance(data, list) else []
    return any(isinstance(row, dict) and row.keys() & {"kasa_device_ip", "status_api", "worker_name"} for row in rows)


def harvest_rigs(file: str, rows: Sequence[Any], nominal_w: float | None) -> Harvest:
    """All that it says. `nominal_w`: what each rig draws, where the owner has said it."""
    harvest = Harvest(file)
    outlets: dict[tuple[str, str], str] = {}
    workers: dict[str, str] = {}
    for index, row in enumerate(rows):
        entry = str(row.get("worker_name", f"entry {index + 1}")) if isinstance(row, dict) else f"entry {index + 1}"
        if not isinstance(row, dict):
            harvest.refuse(entry, "this is no rig", "write it as { ... }")
            continue
        keys: dict[str, Any] = {"driver": "plug", "nominal_w": tidy(nominal_w or ASSUMED_W)}
        if not _plug(harvest, entry, row, keys):
            continue
        harvest.lose_unknown(entry, row, _KEYS)
        outlet = (keys["plug"]["host"], str(keys["plug"].get("outlet", "")).lower())
        if outlet in outlets:
            harvest.lose(entry, "kasa_device_ip", row.get("kasa_device_ip"), f"{outlets[outlet]} hangs there already")
            continue
        outlets[outlet] = entry
        if nominal_w is None:
            harvest.lose(entry, "(watts)", "not in the file", f"assumed: nominal_w: {ASSUMED_W:g}; write what it draws")
        _worker(harvest, entry, row, keys, workers)
        _times(harvest, entry, row, keys)
        harvest.machines.append(Machine(file, words(row.get("worker_name")), "rig", keys))
    return harvest


def _plug(harvest: Harvest, entry: str, row: dict[str, Any], keys: dict[str, Any]) -> bool:
    try:
        host = address_shown(plug_address(row.get("kasa_device_ip")))
    except ValueError as error:
        harvest.refuse(entry, f"kasa_device_ip: {str(error).partition(': ')[0]}", "correct it in that file")
        return False
    keys["plug"] = {"host": host}
    harvest.keep(entry, "kasa_device_ip", row.get("kasa_device_ip"), f"plug.host: {host}")
    name, place = words(row.get("smart_strip_plug_name")), row.get("smart_strip_plug_number")
    if name:
        keys["plug"]["outlet"] = name
        harvest.keep(entry, "smart_strip_plug_name", name, f"plug.outlet: {name}")
        if place is not None:
            harvest.lose(entry, "smart_strip_plug_number", place, "the name says which outlet it is")
        return True
    if row.get("smart_strip_plug_name") is not None:
        harvest.lose(entry, "smart_strip_plug_name", row["smart_strip_plug_name"], "no name of an outlet")
    return place is None or _numbered(harvest, entry, place, keys["plug"])


def _numbered(harvest: Harvest, entry: str, place: object, plug: dict[str, Any]) -> bool:
    """The script counts outlets from 0, as python-kasa does; a farm file from 1, as the housing does."""
    found = number(place)
    if found is None and isinstance(place, str) and place.strip():
        plug["outlet"] = place.strip()
        harvest.keep(entry, "smart_strip_plug_number", place, f"plug.outlet: {place.strip()}, for it is a name")
        return True
    if found is None or found < 0 or found != int(found):
        fix = "name the outlet in that file (smart_strip_plug_name)"
        harvest.refuse(entry, f"smart_strip_plug_number is {place!r}, which is no outlet", fix)
        return False
    plug["outlet"] = int(found) + 1
    became = f"plug.outlet: {plug['outlet']}; the script counted from 0, the housing from 1: look with make plugs"
    harvest.keep(entry, "smart_strip_plug_number", place, became)
    return True


def _worker(harvest: Harvest, entry: str, row: dict[str, Any], keys: dict[str, Any], workers: dict[str, str]) -> None:
    pool = words(row.get("status_api")).lower()
    worker = f"{pool}/{words(row.get('wallet'))}/{words(row.get('worker_name'))}"
    if not _WORKER.fullmatch(worker):
        why = "no worker can be written so; the rig is watched without its pool"
        harvest.lose(entry, "status_api", row.get("status_api"), why)
    elif pool not in BUILT_IN_POOLS:
        harvest.lose(entry, "status_api", row["status_api"], "no built-in pool: describe it, see docs/pools.md")
    elif worker.casefold() in workers:
        harvest.lose(entry, "worker_name", row["worker_name"], f"is the worker of {workers[worker.casefold()]} already")
    else:
        workers[worker.casefold()] = entry
        keys["worker"] = worker
        harvest.keep(entry, "status_api", row["status_api"], f"worker: {pool}/...{_worth_knowing(pool)}")
    for key in ("wallet", "worker_name"):
        if key in row and "worker" in keys:
            harvest.keep(entry, key, row[key], "worker")
        elif key in row and not (key == "worker_name" and worker.casefold() in workers):
            harvest.lose(entry, key, row[key], "counts for nothing without its pool")
    _coin(harvest, entry, row, pool if "worker" in keys else "")
    if "endpoint" in row:
        harvest.lose(entry, "endpoint", row["endpoint"], "Sunherd knows where its pools are asked")


def _worth_knowing(pool: str) -> str:
    if SPECS[pool].retired:
        return "; this pool has closed and says nothing: name the one where it mines now"
    return f"; its key belongs into .env: {key_variable_of(pool)}" if pool in KEYED_POOLS else ""


def _coin(harvest: Harvest, entry: str, row: dict[str, Any], pool: str) -> None:
    coin = row.get("coin")
    if coin is None:
        return
    if pool in COIN_IN_HOST_POOLS:
        harvest.pools[pool] = {"coin": words(coin).lower()}
        harvest.keep(entry, "coin", coin, f"pools.{pool}.coin")
    else:
        harvest.lose(entry, "coin", coin, "this pool is not asked by coin")


def _times(harvest: Harvest, entry: str, row: dict[str, Any], keys: dict[str, Any]) -> None:
    def within(key: str, unit_seconds: float, least_seconds: float) -> Callable[[float], None]:
        def take(value: float) -> None:
            wanted = value * unit_seconds
            keys[key] = duration(max(wanted, least_seconds))
            why = "" if wanted >= least_seconds else ", the least that is allowed"
            harvest.keep(entry, key, row[key], f"{key}: {keys[key]}{why}")

        return take

    def offline(value: float) -> None:
        if value > 0:
            within("time_until_offline", _MINUTE, _MINUTE)(value)
        else:
            harvest.keep(entry, "time_until_offline", row["time_until_offline"], "left out: the pool's own time counts")

    def restarts(value: float) -> None:
        keys["max_consecutive_restarts"] = min(max(int(value), 0), 100)
        became = (
            f"max_consecutive_restarts: {keys['max_consecutive_restarts']}; so many are made, the script made one less"
        )
        harvest.keep(entry, "max_consecutive_restarts", row["max_consecutive_restarts"], became)

    takers: dict[str, Callable[[float], None]] = {
        "power_cycle_on_delay": within("power_cycle_on_delay", 1.0, 3.0),
        "time_until_offline": offline,
        "status_check_frequency": within("status_check_frequency", _MINUTE, 30.0),
        "status_check_cooldown": within("status_check_cooldown", _MINUTE, _MINUTE),
        "max_consecutive_restarts": restarts,
    }
    for key, take in takers.items():
        if row.get(key) is not None:
            harvest.number(entry, key, row[key], take)
