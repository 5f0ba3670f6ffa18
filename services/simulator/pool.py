"""A stand-in for every pool that is known: whichever path it is asked at, it answers in the shape of that path's pool.

Its workers are whatever somebody puts into `workers`; `pool_shares.py` puts the simulated machines there.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any

from services.simulator import pool_shapes as shapes
from services.simulator.http import Request, Response, Wire, html_response, json_response
from services.simulator.pool_shapes import Picture, Shown
from shared.clock import Clock

_REQUESTS_KEPT = 1000
_FREQUENT_SECONDS = 10.0
_SILENT_SECONDS = 600.0
"""Whoever has sent no share for so long does not work, in the eyes of a pool."""
_HUGE_BYTES = 200_000_000
_PIECE = b" " * 65_536


@dataclass
class StandInWorker:
    """A worker, whatever the pool makes of it."""

    last_share_at: datetime
    hashrate_hs: float


@dataclass
class PoolFaults:
    """What is wrong with the pool. By default nothing."""

    wire: Wire = Wire.WHOLE
    status: int | None = None
    """Answers nothing but this."""
    retry_after: str | None = None
    web_page: bool = False
    """HTML with status 200."""
    garbage: bytes | None = None
    endless: bool = False
    huge: bool = False
    trickles_seconds: float = 0.0
    """A byte every so often, without end."""
    late_seconds: float = 0.0
    """It shows what was so long ago."""
    frozen_at: datetime | None = None
    """It gives the very answer of this moment again and again, `Date` included."""
    redirects_to: str | None = None


@dataclass
class PoolManners:
    """How the pool is when nothing is wrong with it."""

    bucket_seconds: float = 0.0
    """Times are the starts of periods of this length."""
    leaves_out_after_seconds: float | None = None
    """Whoever has sent no share for so long is not listed any more."""
    ahead: timedelta = timedelta(0)
    """How far its clock is ahead of ours."""
    bans_within_seconds: float = 0.0
    """Two requests within this time: the later one gets 429."""
    tells_date: bool = True


@dataclass(frozen=True)
class PoolHeard:
    """A request."""

    at_seconds: float
    method: str
    path: str
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class _Asked:
    shape: Callable[[Picture], Any]
    account: str | None
    page_index: int = 0


class PoolStandIn:
    """One pool with one account. `handle` may be called from the threads of a server."""

    def __init__(self, clock: Clock, account: str | None = "farm", *, key: str | None = None) -> None:
        """`account`: the one that it knows; None: whichever is asked for. `key`: what a header must hold."""
        self.clock = clock
        self.account = account
        self.key = key
        self.workers: dict[str, StandInWorker] = {}
        self.unmonitored: frozenset[str] = frozenset()
        self.faults = PoolFaults()
        self.manners = PoolManners()
        self.heard: deque[PoolHeard] = deque(maxlen=_REQUESTS_KEPT)

    def share(self, name: str, hashrate_hs: float = 1e12) -> None:
        """A worker sends a share now."""
        self.workers[name] = StandInWorker(self.clock.now(), hashrate_hs)

    def closest_requests_seconds(self) -> float:
        """How close together two requests came."""
        at = [heard.at_seconds for heard in list(self.heard)]
        return min((later - earlier for earlier, later in pairwise(at)), default=float("inf"))

    def handle(self, request: Request) -> Response:
        banned = self._is_too_soon()
        self.heard.append(PoolHeard(self.clock.seconds(), request.method, request.path, dict(request.headers)))
        answer = self._faulty() or self._answer(request, banned=banned)
        headers = dict(answer.headers)
        if self.manners.tells_date:
            headers["Date"] = format_datetime(self._now().replace(microsecond=0), usegmt=True)
        if self.faults.retry_after is not None and answer.status >= 400:  # noqa: PLR2004 - any failure
            headers["Retry-After"] = self.faults.retry_after
        pieces, seconds = answer.pieces, answer.piece_seconds
        content_type, wire = answer.content_type, self.faults.wire
        return Response(answer.status, answer.body, content_type, headers, wire, pieces=pieces, piece_seconds=seconds)

    def _is_too_soon(self) -> bool:
        if not self.heard or not self.manners.bans_within_seconds:
            return False
        return self.clock.seconds() - self.heard[-1].at_seconds < self.manners.bans_within_seconds

    def _faulty(self) -> Response | None:
        faults = self.faults
        if faults.redirects_to is not None:
            return Response(302, headers={"Location": faults.redirects_to})
        if faults.status is not None:
            return html_response("<h1>not now</h1>", faults.status)
        if faults.web_page:
            return html_response("<!doctype html><title>Checking your browser</title>")
        if faults.garbage is not None:
            return Response(body=faults.garbage)
        return self._without_end()

    def _without_end(self) -> Response | None:
        faults = self.faults
        if faults.endless or faults.huge:
            return Response(pieces=lambda: _blanks(None if faults.endless else _HUGE_BYTES))
        if faults.trickles_seconds:
            return Response(pieces=_letters, piece_seconds=faults.trickles_seconds)
        return None

    def _answer(self, request: Request, *, banned: bool) -> Response:
        if banned:
            return html_response("slow down", 429)
        asked = _asked(request)
        if asked is None:
            return html_response("<h1>no such page</h1>", 404)
        if self.key is not None and self.key not in request.headers.values():
            return json_response({"error": "unauthorized"}, 401)
        if self.account is not None and asked.account not in {None, self.account}:
            return _unknown(asked.shape)
        return json_response(asked.shape(self._picture(self.account or asked.account or "", asked.page_index)))

    def _now(self) -> datetime:
        """The pool's own clock."""
        return (self.faults.frozen_at or self.clock.now()) + self.manners.ahead

    def _picture(self, account: str, page_index: int) -> Picture:
        seen_until = self._now() - timedelta(seconds=self.faults.late_seconds)
        rows = []
        for name, worker in sorted(self.workers.items()):
            last = min(worker.last_share_at + self.manners.ahead, seen_until).timestamp()
            silent = self._now().timestamp() - last
            if self.manners.leaves_out_after_seconds is None or silent <= self.manners.leaves_out_after_seconds:
                at_work = silent < _SILENT_SECONDS
                rows.append(Shown(name, self._bucketed(last), worker.hashrate_hs if at_work else 0.0, at_work))
        return Picture(account, self._now().timestamp(), rows, self.unmonitored, page_index)

    def _bucketed(self, seconds: float) -> float:
        length = self.manners.bucket_seconds
        return seconds - seconds % length if length else seconds


def _asked(request: Request) -> _Asked | None:
    for pattern, shape in _ROUTES:
        found = re.fullmatch(pattern, request.path)
        if found is None:
            continue
        named = found.groupdict().get("account") or request.query.get("address")
        if shape is shapes.f2pool:
            named = (request.json() or {}).get("mining_user_name")
        page = request.query.get("page") or request.query.get("page_number") or "0"
        first = 0 if shape is shapes.nicehash else 1
        return _Asked(shape, named, max(0, int(page) - first) if page.isdigit() else 0)
    return None


def _braiins_solo(picture: Picture) -> Any:
    return shapes.ckpool(picture, rows="workers")


_ACCOUNT = r"(?P<account>[^/]+)"
_ROUTES: tuple[tuple[str, Callable[[Picture], Any]], ...] = (
    (rf"/users/{_ACCOUNT}", shapes.ckpool),
    (rf"/solo/users/{_ACCOUNT}", _braiins_solo),
    (rf"/api/client/{_ACCOUNT}", shapes.public_pool),
    (rf"(?:/v1)?/user_hashrate_full/{_ACCOUNT}", shapes.ocean),
    (r"/accounts/workers/json/btc/", shapes.braiins),
    (r"/v2/hash_rate/worker/list", shapes.f2pool),
    (r"/res/openapi/v1/hashrate/worker", shapes.viabtc),
    (r"/api/v2/pool/workers/[A-Z]+", shapes.luxor),
    (rf"/main/api/v2/mining/external/{_ACCOUNT}/rigs2", shapes.nicehash),
    (rf"/api/accounts/{_ACCOUNT}", shapes.open_ethereum),
    (rf"/api/user/{_ACCOUNT}", shapes.parasite),
    (r"/api/stats_address", shapes.herominers),
    (rf"/v1/[^/]+/workers/{_ACCOUNT}", shapes.nanopool),
    (rf"/bitcoin/{_ACCOUNT}", shapes.f2pool_v1),
)


def _unknown(shape: Callable[[Picture], Any]) -> Response:
    """What each pool answers about an account that it does not know."""
    if shape is shapes.public_pool:
        return json_response({"workersCount": 0, "workers": []})
    if shape is shapes.ocean:
        return json_response({"error": "No such user or user has no active workers"})
    if shape is shapes.herominers:
        return json_response({"error": "Not found"})
    if shape is shapes.nanopool:
        return json_response({"status": False, "error": "Account not found"})
    return html_response("<h1>not found</h1>", 404)


def _blanks(count: int | None) -> Iterator[bytes]:
    sent = 0
    while count is None or sent < count:
        sent += len(_PIECE)
        yield _PIECE


def _letters() -> Iterator[bytes]:
    while True:
        yield b" "
