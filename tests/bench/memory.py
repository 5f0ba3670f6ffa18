"""What a whole embedded farm takes of the machine's memory: services, terminal, supervisor and broker."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http_server import HttpServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from services.simulator.pool import PoolStandIn
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS
from shared.clock import SystemClock
from tests.bench.owners_farm import await_settled, owners_farm
from tests.footprint import Footprint, files_mb, footprint_of, roles_of

_SENSOR = "sensor.battery_soc"
_TOKEN = "bench"
_LOOK_SECONDS = 2.0

_FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}}}}}
miners:
"""
_MINER = '  m{index}: {{driver: vnish, host: "127.0.0.1:{port}", stop_soc: 73, resume_soc: 75{more}}}\n'
_PLUGS = 'plug: {{{{host: "127.0.0.1:{port}", outlet: {{number}}, protocol: legacy}}}}'
_POOLS = "worker: mine/farm/rig{number}"
_POOL = 'pools: {{mine: {{provider: ckpool, url: "http://127.0.0.1:{port}"}}}}\n'


@dataclass(frozen=True)
class Memory:
    """MB of 2^20 bytes, medians of several looks."""

    miners: int
    settled_seconds: float
    pss_mb: dict[str, float]
    """By process. The kernel divides a shared page among all that have it, also processes of other programs."""
    private_mb: dict[str, float]
    """By process: what it alone has written."""
    total_mb: float
    """The sum of `pss_mb`."""
    alone_mb: float
    """The total as it would be if no other program on the machine shared a library with the farm."""


def whole_farm(
    miners: int = 3, *, plugs: bool = False, pools: bool = False, settle_seconds: float = 60.0, looks: int = 5
) -> Memory:
    """Runs a farm as its owner would, lets it settle, and looks. The stand-ins live in this process: not counted.

    `plugs`: every miner has an outlet of a strip; `pools`: and is a worker at a pool.
    """
    with _farm_text(miners, plugs=plugs, pools=pools) as farm, owners_farm(farm, HA_TOKEN=_TOKEN) as directory:
        await_settled(directory, miners)
        time.sleep(settle_seconds)
        roles = roles_of(directory)
        seen: list[dict[str, Footprint]] = []
        for _ in range(looks):
            seen.append({role: _alive(pid) for role, pid in roles.items()})
            time.sleep(_LOOK_SECONDS)
        files = files_mb(list(roles.values()))
    return Memory(
        miners=miners,
        settled_seconds=settle_seconds,
        pss_mb={role: statistics.median(look[role].pss_mb for look in seen) for role in roles},
        private_mb={role: statistics.median(look[role].private_mb for look in seen) for role in roles},
        total_mb=statistics.median(sum(one.pss_mb for one in look.values()) for look in seen),
        alone_mb=statistics.median(sum(one.own_mb for one in look.values()) for look in seen) + files,
    )


def _alive(pid: int) -> Footprint:
    found = footprint_of(pid)
    if found is None:
        message = f"process {pid} has ended while it was measured"
        raise LookupError(message)
    return found


@contextmanager
def _farm_text(miners: int, *, plugs: bool, pools: bool) -> Iterator[str]:
    """Stand-ins until the end of the block, and the farm file that names them."""
    clock = SystemClock()
    home_assistant = HomeAssistantStandIn(token=_TOKEN, clock=clock)
    home_assistant.start()
    home_assistant.set_state(_SENSOR, "80", {"unit_of_measurement": "%"})
    with ExitStack() as servers:
        servers.callback(home_assistant.stop)
        farm = _FARM.format(url=home_assistant.url, sensor=_SENSOR)
        more = ["", *(_PLUGS.format(port=_strip(servers, clock)) for _ in range(plugs)), *([_POOLS] * pools)]
        for index in range(miners):
            stand_in = VnishStandIn(GENERATIONS[index % len(GENERATIONS)], clock=clock)
            port = servers.enter_context(HttpServer(stand_in.handle)).port
            farm += _MINER.format(index=index, port=port, more=", ".join(more).format(number=index + 1))
        if pools:
            farm += _POOL.format(port=_pool(servers, clock, miners))
        yield farm


def _strip(until: ExitStack, clock: SystemClock) -> int:
    """The port of one that speaks the older protocol, as most do."""
    return until.enter_context(KasaServer(KasaMachine("HS300", clock=clock))).port


def _pool(until: ExitStack, clock: SystemClock, workers: int) -> int:
    pool = PoolStandIn(clock)
    for index in range(workers):
        pool.share(f"rig{index + 1}")
    return until.enter_context(HttpServer(pool.handle)).port
