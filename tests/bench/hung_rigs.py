"""How punctual the checks of rigs are while a pool and some plugs hang, beside a loop that visits one after another."""

import contextlib
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import requests

from deploy.connection import STATE_DIRECTORY
from services.simulator.kasa_cipher import framed
from shared.topics import MINER_POOL, PLUG_TELEMETRY
from tests.bench.owners_farm import PATIENCE_SECONDS, owners_farm
from tests.bench.wire import Wire
from tests.embedded_farm import ROOT

POOLS, ACCOUNTS = 5, 10
"""Accounts of each pool. The workers of one account are asked about together."""
SILENT = 5
POOL_SECONDS, PLUG_SECONDS = 30.0, 10.0
"""How often each is to be checked: as often as the farm file may ask for, and as is preset."""
TOLERATED_PERCENT = 5.0
HANG_SECONDS = 8.0
"""The patience of the loop that visits one after another."""
FEW = 40
ANSWER_SECONDS = 0.05
_CALM_SECONDS = 1.2 * PLUG_SECONDS
"""At the start all are read at once; the agent takes them apart at their next reading, up to 2 s late. Not counted."""
_WATCHED_SECONDS = 2.1 * POOL_SECONDS
_LOOK_SECONDS = 0.5
_PIECE_BYTES = 4096

_FARM = "rules: {poll: 10 s}\npools:\n"
_POOL = (
    '  p{index}: {{url: "http://127.0.0.1:{port}/users/{{account}}", workers: worker, name: workername, '
    "last_seen: lastshare, hashrate: hashrate5m, poll: 30 s}}\n"
)
_RIG = (
    "  r{index}: {{driver: plug, nominal_w: 1000, worker: p{pool}/account{account}/rig{index}, "
    'plug: {{host: "127.0.0.1:{port}", protocol: legacy}}}}\n'
)


@dataclass(frozen=True)
class Lateness:
    """Of the checks whose own pool or plug answers, in percent of their interval: for each rig its worst."""

    percent: tuple[float, ...]

    @property
    def worst(self) -> float:
        return max(self.percent)

    @property
    def median(self) -> float:
        return statistics.median(self.percent)

    @property
    def late(self) -> int:
        """How many rigs were checked too late at least once."""
        return sum(each > TOLERATED_PERCENT for each in self.percent)


@dataclass(frozen=True)
class Punctuality:
    """What was seen of one farm, and what a loop that visits one after another would make of the same."""

    pools: Lateness
    plugs: Lateness
    sequential_pools_percent: float | None
    sequential_plugs_percent: float | None


class _Checks:
    """When each rig was checked, by the observer's clock."""

    def __init__(self) -> None:
        self.at: dict[str, list[float]] = {}
        self._confirmed: dict[str, str] = {}

    def note(self, rig: str, at_seconds: float, confirmed: str | None = None) -> None:
        """`confirmed`: what tells one check from the same one told again."""
        if confirmed is None or self._confirmed.get(rig) != confirmed:
            self.at.setdefault(rig, []).append(at_seconds)
        if confirmed is not None:
            self._confirmed[rig] = confirmed

    def forget(self) -> None:
        """All but each one's last."""
        self.at = {rig: at[-1:] for rig, at in self.at.items()}

    def lateness(self, rigs: list[str], interval_seconds: float, until_seconds: float) -> Lateness:
        """A check that has not come by the end is as late as it is then."""
        longest = [max(later - earlier for earlier, later in pairwise([*self.at[rig], until_seconds])) for rig in rigs]
        return Lateness(tuple(max(0.0, 100 * (each / interval_seconds - 1)) for each in longest))


def measure(rigs: int, *, sequential: bool = True) -> Punctuality:
    """The embedded farm: real processes, a real broker, real sockets. All is well until it has settled."""
    with (
        _stand_ins(rigs) as stand_ins,
        owners_farm(_farm(rigs, stand_ins)) as directory,
        Wire(_broker_of(directory), "bench") as wire,
        ThreadPoolExecutor() as background,
    ):
        for topic in (MINER_POOL, PLUG_TELEMETRY):
            wire.subscribe(topic.filter("sunherd"))
        checks = _Checks(), _Checks()
        _watch(wire, *checks, PATIENCE_SECONDS, lambda: min(len(each.at) for each in checks) == rigs)
        if min(len(each.at) for each in checks) < rigs:
            message = f"{len(checks[0].at)} of {rigs} workers and {len(checks[1].at)} plugs were checked at all"
            raise TimeoutError(message)
        _watch(wire, *checks, _CALM_SECONDS, lambda: False)
        for each in checks:
            each.forget()
        stand_ins.hang()
        visits = (visit_pools, visit_plugs) if sequential else ()
        took = [background.submit(visit, stand_ins) for visit in visits]
        ends_at = _watch(wire, *checks, _WATCHED_SECONDS, lambda: False)
        whole = [each.result() * rigs / FEW for each in took]
    return Punctuality(
        checks[0].lateness(
            [f"r{index}" for index in range(rigs) if _pool_of(index) != POOLS - 1], POOL_SECONDS, ends_at
        ),
        checks[1].lateness([f"r{index}" for index in range(SILENT, rigs)], PLUG_SECONDS, ends_at),
        _percent_late(whole[0], POOL_SECONDS) if whole else None,
        _percent_late(whole[1], PLUG_SECONDS) if whole else None,
    )


def visit_pools(stand_ins: "StandIns") -> float:
    """How long it takes to ask about `FEW` workers, one after another, as many of them at the pool that hangs."""
    began = time.perf_counter()
    for index in range(FEW):
        url = f"http://127.0.0.1:{stand_ins.pools[_pool_of(index)]}/users/account{_account_of(index)}"
        with contextlib.suppress(requests.Timeout):
            requests.get(url, timeout=HANG_SECONDS)
    return time.perf_counter() - began


def visit_plugs(stand_ins: "StandIns") -> float:
    """How long it takes to read `FEW` plugs, one after another, as many of them silent."""
    began = time.perf_counter()
    for port in stand_ins.plugs[SILENT - 1 :][:FEW]:
        with (
            contextlib.suppress(TimeoutError),
            socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS) as plug,
        ):
            plug.sendall(framed(b'{"system":{"get_sysinfo":{}}}'))
            plug.recv(_PIECE_BYTES)
    return time.perf_counter() - began


def _percent_late(seconds: float, interval_seconds: float) -> float:
    return max(0.0, 100 * (seconds / interval_seconds - 1))


def _watch(wire: Wire, pools: _Checks, plugs: _Checks, seconds: float, is_enough: Callable[[], bool]) -> float:
    """Notes each check for so long, or until it is enough; returns when that was."""
    deadline = time.perf_counter() + seconds
    while (left := deadline - time.perf_counter()) > 0 and not is_enough():
        for heard in wire.messages(min(left, _LOOK_SECONDS)):
            at_seconds = time.perf_counter()
            _, noun, rig, _ = heard.path.split("/")
            if noun == "plug":
                plugs.note(rig, at_seconds)
            else:
                # A reading is also told when nothing was asked; what was confirmed anew is a check.
                confirmed = json.loads(heard.payload).get("confirmed_at")
                if confirmed is not None:
                    pools.note(rig, at_seconds, confirmed)
    return time.perf_counter()


# --- the farm


def _pool_of(index: int) -> int:
    return index % POOLS


def _account_of(index: int) -> int:
    return index // POOLS % ACCOUNTS


def _farm(rigs: int, stand_ins: "StandIns") -> str:
    pools = (_POOL.format(index=index, port=port) for index, port in enumerate(stand_ins.pools))
    miners = (
        _RIG.format(index=index, pool=_pool_of(index), account=_account_of(index), port=stand_ins.plugs[index])
        for index in range(rigs)
    )
    return f"{_FARM}{''.join(pools)}miners:\n{''.join(miners)}"


@dataclass(frozen=True)
class _Broker:
    port: int
    username: str
    password: str


def _broker_of(directory: Path) -> _Broker:
    details = json.loads((directory / STATE_DIRECTORY / "connection.json").read_text(encoding="utf-8"))
    return _Broker(urlsplit(details["url"]).port or 0, details["username"], details["password"])


@dataclass(frozen=True)
class StandIns:
    """Their process: the ports of pools and plugs."""

    pools: list[int]
    plugs: list[int]
    orders: IO[str]

    def hang(self) -> None:
        """The last pool and the first plugs fall silent."""
        self.orders.write("hang\n")
        self.orders.flush()


@contextmanager
def _stand_ins(rigs: int) -> Iterator[StandIns]:
    numbers = (rigs, POOLS, SILENT, ANSWER_SECONDS)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.rig_stand_ins", *map(str, numbers)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield StandIns(**json.loads(process.stdout.readline()), orders=process.stdin)
        finally:
            process.stdin.close()
