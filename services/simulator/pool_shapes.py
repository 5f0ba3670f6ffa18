"""Answers in the shapes of the pools that are known: names, units and nesting as each pool writes them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_OCEAN_WINDOWS = (60, 300, 600, 1800, 3600, 10_800, 43_200, 86_400)
_PAGE_ROWS = 100
_LETTERS = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"))


@dataclass(frozen=True)
class Shown:
    """One worker as the pool sees it. Times in seconds since 1970."""

    name: str
    last_share: float
    hashrate_hs: float
    at_work: bool


@dataclass(frozen=True)
class Picture:
    """One account as the pool sees it at one moment."""

    account: str
    now: float
    workers: Sequence[Shown]
    unmonitored: frozenset[str] = frozenset()
    page_index: int = 0

    @property
    def page(self) -> Sequence[Shown]:
        """The rows of this page, of pools that have pages."""
        return self.workers[self.page_index * _PAGE_ROWS :][:_PAGE_ROWS]

    @property
    def pages(self) -> int:
        """At least one."""
        return max(1, -(-len(self.workers) // _PAGE_ROWS))


def ckpool(picture: Picture, *, rows: str = "worker") -> Any:
    """Hashrates with a letter, names with the account."""
    workers = [
        {
            "workername": f"{picture.account}.{worker.name}",
            "hashrate1m": _lettered(worker.hashrate_hs),
            "hashrate5m": _lettered(worker.hashrate_hs),
            "lastshare": int(worker.last_share),
            "shares": 123456.5,
        }
        for worker in picture.workers
    ]
    whole = {"hashrate5m": _lettered(_sum(picture)), "lastshare": _latest(picture), "shares": 123456}
    return whole | ({"workers": len(workers)} if rows != "workers" else {}) | {rows: workers}


def public_pool(picture: Picture) -> Any:
    """One row for each session: every worker has two here."""
    rows = [
        {
            "sessionId": f"{index:08x}{session}",
            "name": worker.name,
            "bestDifficulty": "32356.88",
            "hashRate": worker.hashrate_hs / 2,
            "startTime": _iso(worker.last_share - 7200),
            "lastSeen": _iso(worker.last_share - 60 * session),
        }
        for index, worker in enumerate(picture.workers)
        for session in (0, 1)
    ]
    return {"bestDifficulty": 123456.7, "workersCount": len(rows), "workers": rows}


def ocean(picture: Picture) -> Any:
    """Hashrates over windows, all of them text; no time of a share."""
    rows = {}
    for worker in picture.workers:
        silent = picture.now - worker.last_share
        windows = {
            f"hashrate_{window}s": f"{worker.hashrate_hs if silent < window else 0:.0f}" for window in _OCEAN_WINDOWS
        }
        rows[worker.name] = [windows]
    return {"result": {"snap_ts": f"{picture.now:.0f}", "workers": rows}}


def braiins(picture: Picture) -> Any:
    """Gh/s, and a state of its own for workers that nobody wants watched."""
    rows = {}
    for worker in picture.workers:
        state = "dis" if worker.name in picture.unmonitored else "ok" if worker.at_work else "off"
        rows[f"{picture.account}.{worker.name}"] = {
            "state": state,
            "last_share": int(worker.last_share),
            "hash_rate_unit": "Gh/s",
            "hash_rate_5m": worker.hashrate_hs / 1e9,
            "shares_5m": 1000,
        }
    return {"btc": {"workers": rows}}


def f2pool(picture: Picture) -> Any:
    """The second version."""
    rows = [
        {
            "hash_rate_info": {"name": worker.name, "hash_rate": worker.hashrate_hs, "h1_hash_rate": 1},
            "last_share_at": int(worker.last_share),
            "status": 0,
            "host": "192.0.2.7",
        }
        for worker in picture.workers
    ]
    return {"workers": rows}


def f2pool_v1(picture: Picture) -> Any:
    """Rows without names for their columns."""
    rows = [
        [worker.name, worker.hashrate_hs, 1e15, 0, 1e19, 0, _iso(worker.last_share, micro=True), False]
        for worker in picture.workers
    ]
    return {"hashrate": _sum(picture), "worker_length": len(rows), "workers": rows}


def viabtc(picture: Picture) -> Any:
    """Pages of a hundred."""
    rows = [
        {
            "coin": "BTC",
            "worker_name": worker.name,
            "hashrate_10min": f"{worker.hashrate_hs:.0f}",
            "last_active": int(worker.last_share),
            "worker_status": "active" if worker.at_work else "unactive",
        }
        for worker in picture.page
    ]
    more = picture.page_index + 1 < picture.pages
    page = {"count": len(rows), "curr_page": picture.page_index + 1, "has_next": more, "total": len(picture.workers)}
    return {"code": 0, "data": page | {"data": rows, "total_page": picture.pages}, "message": "OK"}


def luxor(picture: Picture) -> Any:
    """Pages, and whole seconds of time."""
    rows = [
        {
            "name": worker.name,
            "subaccount_name": picture.account,
            "hashrate": worker.hashrate_hs,
            "last_share_time": _iso(worker.last_share)[:19] + "Z",
            "status": "ACTIVE" if worker.at_work else "INACTIVE",
        }
        for worker in picture.page
    ]
    following = f"/v2/pool/workers?page_number={picture.page_index + 2}"
    more = picture.page_index + 1 < picture.pages
    pagination = {"item_count": len(picture.workers), "next_page_url": following if more else None}
    return {"currency_type": "BTC", "workers": rows, "pagination": pagination}


def nicehash(picture: Picture) -> Any:
    """The time is that of a status."""
    rows = [
        {
            "rigId": worker.name,
            "name": worker.name,
            "statusTime": int(worker.last_share * 1000),
            "minerStatus": "MINING" if worker.at_work else "OFFLINE",
            "stats": [{"speedAccepted": worker.hashrate_hs / 1e12}] if worker.at_work else [],
        }
        for worker in picture.page
    ]
    pagination = {"size": _PAGE_ROWS, "page": picture.page_index, "totalPageCount": picture.pages}
    return {"btcAddress": picture.account, "miningRigs": rows, "pagination": pagination}


def open_ethereum(picture: Picture) -> Any:
    """2Miners and SoloPool.org; null where there is no worker."""
    rows = {
        worker.name: {
            "lastBeat": int(worker.last_share),
            "hr": worker.hashrate_hs,
            "hr2": worker.hashrate_hs,
            "offline": not worker.at_work,
        }
        for worker in picture.workers
    }
    return {"currentHashrate": _sum(picture), "stats": {"lastShare": _latest(picture)}, "workers": rows or None}


def parasite(picture: Picture) -> Any:
    """Prose above, text below."""
    rows = [
        {
            "id": f"{picture.account}.{worker.name}",
            "name": worker.name,
            "hashrate": f"{worker.hashrate_hs:.0f}",
            "lastSubmission": f"{worker.last_share:.0f}",
            "uptime": "N/A",
        }
        for worker in picture.workers
    ]
    return {"hashrate": _sum(picture), "workers": len(rows), "lastSubmission": "1m ago", "workerData": rows}


def herominers(picture: Picture) -> Any:
    """Plain rows."""
    rows = [
        {"name": worker.name, "hashrate": worker.hashrate_hs, "lastShare": int(worker.last_share)}
        for worker in picture.workers
    ]
    return {"stats": {"hashrate": _sum(picture)}, "workers": rows}


def nanopool(picture: Picture) -> Any:
    """Hashrates in a unit that depends on the coin."""
    rows = [{"id": worker.name, "hashrate": 1.5, "lastShare": int(worker.last_share)} for worker in picture.workers]
    return {"status": True, "data": rows}


def _lettered(hashrate_hs: float) -> str:
    for factor, letter in _LETTERS:
        if hashrate_hs >= factor:
            return f"{hashrate_hs / factor:.3g}{letter}"
    return f"{hashrate_hs:.3g}"


def _iso(seconds: float, *, micro: bool = False) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds" if micro else "milliseconds") + "Z"


def _sum(picture: Picture) -> float:
    return sum(worker.hashrate_hs for worker in picture.workers)


def _latest(picture: Picture) -> int:
    return int(max((worker.last_share for worker in picture.workers), default=0))
