"""What each pool would answer about given rigs: written here after the documented shapes, and nowhere else."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_WINDOWS = (60, 300, 600, 1800, 3600, 10800, 43200, 86400)


@dataclass(frozen=True)
class Rig:
    """A worker as the pool sees it. `seen` and `rate` may be anything, to be written as they are."""

    name: str
    seen: Any = NOW
    rate: Any = 1.5e12

    @property
    def works(self) -> bool:
        return isinstance(self.seen, datetime) and NOW - self.seen < timedelta(minutes=5)


@dataclass(frozen=True)
class Shape:
    """How a pool writes. A row is (name, time, rate, works); rows go into a map where `keyed`."""

    row: Callable[[str, Any, Any, bool], Any]
    whole: Callable[[Any], Any]
    stamp: Callable[[datetime], Any] = lambda when: int(when.timestamp())
    rate: Callable[[float], Any] = lambda rate_hs: rate_hs
    keyed: bool = False
    unknown: tuple[int, Any] = (404, "<html>no such page</html>")
    unknown_code: str | None = "unknown_account"
    """None: the pool does not tell an unknown account from one without workers."""
    empty_code: str | None = None

    def text(self, rigs: Sequence[Rig]) -> str:
        rows = [(rig.name, self.row(rig.name, self._seen(rig), self._rate(rig), rig.works)) for rig in rigs]
        return json.dumps(self.whole(dict(rows) if self.keyed else [row for _, row in rows]))

    def _seen(self, rig: Rig) -> Any:
        return self.stamp(rig.seen) if isinstance(rig.seen, datetime) else rig.seen

    def _rate(self, rig: Rig) -> Any:
        # Only a number that makes sense is turned into the pool's unit; anything else is written as it is.
        return self.rate(rig.rate) if type(rig.rate) in {int, float} and 0 <= rig.rate < 1e18 else rig.rate


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _at(key: str) -> Callable[[Any], Any]:
    def whole(rows: Any) -> Any:
        for part in reversed(key.split(".")):
            rows = {part: rows}
        return rows

    return whole


def _windows(_: str, seen: Any, rate: Any, __: bool) -> Any:
    def said(window: int) -> Any:
        if not (isinstance(seen, float) and math.isfinite(seen)):
            return seen
        return str(rate) if NOW.timestamp() - seen < window else "0"

    return [{f"hashrate_{window}s": said(window) for window in _WINDOWS}]


def _ckpool(list_key: str = "worker") -> Shape:
    return Shape(
        lambda name, seen, rate, _: {"workername": name, "lastshare": seen, "hashrate5m": rate, "shares": 12.5},
        lambda rows: {"workers": len(rows), "hashrate5m": "3T"} | {list_key: rows},
        rate=lambda rate_hs: f"{rate_hs / 1e12:.3g}T",
    )


_NO_USER = {"error": "No such user or user has no active workers"}
_OPEN_ETHEREUM = Shape(
    lambda _, seen, rate, works: {"lastBeat": seen, "hr": rate, "hr2": rate, "offline": not works},
    lambda rows: {"workers": rows, "workersTotal": len(rows)},
    keyed=True,
)

SHAPES: Mapping[str, Shape] = {
    "2miners": _OPEN_ETHEREUM,
    "solopool": _OPEN_ETHEREUM,
    "ckpool": _ckpool(),
    "ckpool_eu": _ckpool(),
    "ckpool_au": _ckpool(),
    "braiins_solo": _ckpool("workers"),
    "public_pool": Shape(
        lambda name, seen, rate, _: {"sessionId": "a1", "name": name, "lastSeen": seen, "hashRate": rate},
        lambda rows: {"workersCount": len(rows), "workers": rows},
        _iso,
        unknown=(200, {"workersCount": 0, "workers": []}),
        unknown_code=None,
    ),
    "ocean": Shape(
        _windows,
        lambda rows: {"result": {"snap_ts": str(int(NOW.timestamp())), "workers": rows}} if rows else _NO_USER,
        lambda when: when.timestamp(),
        int,
        keyed=True,
        unknown=(200, _NO_USER),
        empty_code="unknown_account",
    ),
    "braiins": Shape(
        lambda _, seen, rate, works: {
            "state": "ok" if works else "off",
            "last_share": seen,
            "hash_rate_unit": "Gh/s",
            "hash_rate_5m": rate,
        },
        _at("btc.workers"),
        rate=lambda rate_hs: rate_hs / 1e9,
        keyed=True,
        unknown=(401, ""),
        unknown_code="unauthorized",
    ),
    "f2pool": Shape(
        # A status that lies, as one client says it does.
        lambda name, seen, rate, works: {
            "hash_rate_info": {"name": name, "hash_rate": rate},
            "last_share_at": seen,
            "status": 1 if works else 0,
        },
        _at("workers"),
        unknown=(200, {"code": 5001, "msg": "params error"}),
    ),
    "f2pool_v1": Shape(
        lambda name, seen, rate, _: [name, rate, 0, 0, 0, 0, seen, False],
        _at("workers"),
        lambda when: when.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    ),
    "viabtc": Shape(
        lambda name, seen, rate, works: {
            "worker_name": name,
            "last_active": seen,
            "hashrate_10min": rate,
            "worker_status": "active" if works else "unactive",
        },
        lambda rows: {"code": 0, "message": "OK", "data": {"data": rows, "has_next": False}},
        rate=str,
        unknown=(200, {"code": 12001, "data": {}, "message": "Invalid key"}),
        unknown_code="unauthorized",
    ),
    "luxor": Shape(
        lambda name, seen, rate, works: {
            "name": name,
            "last_share_time": seen,
            "hashrate": rate,
            "status": "ACTIVE" if works else "INACTIVE",
        },
        lambda rows: {"workers": rows, "pagination": {"page_number": 1, "next_page_url": None}},
        _iso,
        unknown=(400, {"statusCode": 400, "error": "Bad Request", "message": "no such subaccount"}),
    ),
    "nicehash": Shape(
        lambda name, seen, rate, works: {
            "name": name,
            "statusTime": seen,
            "minerStatus": "MINING" if works else "OFFLINE",
            "stats": [{"speedAccepted": rate}],
        },
        lambda rows: {"miningRigs": rows, "pagination": {"page": 0, "totalPageCount": 1}},
        lambda when: int(when.timestamp() * 1000),
        lambda rate_hs: rate_hs / 1e12,
        unknown=(400, {"errors": [{"code": 3001, "message": "Invalid address"}]}),
    ),
    "parasite": Shape(
        lambda name, seen, rate, _: {"id": f"a.{name}", "name": name, "lastSubmission": seen, "hashrate": rate},
        lambda rows: {"workers": len(rows), "lastSubmission": "1m ago", "workerData": rows},
        lambda when: str(int(when.timestamp())),
        str,
    ),
    "herominers": Shape(
        lambda name, seen, rate, _: {"name": name, "lastShare": seen, "hashrate": rate},
        lambda rows: {"stats": {}, "workers": rows},
        unknown=(200, {"error": "Not found"}),
    ),
    "nanopool": Shape(
        lambda name, seen, rate, _: {"uid": 7, "id": name, "lastShare": seen, "hashrate": rate},
        lambda rows: {"status": True, "data": rows},
        unknown=(200, {"status": False, "error": "Account not found"}),
    ),
    "flexpool": Shape(
        lambda name, seen, rate, works: {
            "name": name,
            "lastSeen": seen,
            "isOnline": works,
            "currentEffectiveHashrate": rate,
        },
        lambda rows: {"error": None, "result": rows},
        unknown=(400, {"error": "Invalid address", "result": None}),
    ),
    "ethermine": Shape(
        lambda name, seen, rate, _: {"worker": name, "lastSeen": seen, "currentHashrate": rate},
        lambda rows: {"status": "OK", "data": rows},
        unknown=(200, {"status": "ERROR", "error": "NO DATA"}),
    ),
    "hiveon": Shape(
        lambda _, seen, rate, works: {
            "online": works,
            "hashrate": rate,
            "sharesStatusStats": {"lastShareDt": seen},
        },
        _at("workers"),
        _iso,
        str,
        keyed=True,
    ),
}
"""By the provider's key."""

HASHRATE_UNREAD = frozenset({"nanopool"})
"""Whose unit is not known."""
