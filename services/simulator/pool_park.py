"""The pools of a simulated farm: a stand-in at the address of each, whose workers are the farm's simulated miners."""

import errno
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from services.simulator.farm import SimulationError
from services.simulator.http_server import HttpServer
from services.simulator.pool import PoolStandIn
from services.simulator.pool_shares import Hashing, ShareLoop
from shared.clock import Clock
from shared.settings import FarmSettings
from shared.settings.address import is_loopback


class SimulatedPools:
    """A loop: each step lets the machines that hash send shares to their pools."""

    def __init__(self, farm: FarmSettings, machines: Mapping[str, Hashing], clock: Clock) -> None:
        """`machines` by the names of their miners. Raises SimulationError for a pool that is not on this machine."""
        self.pools: dict[str, PoolStandIn] = {}
        self._addresses: dict[str, SplitResult] = {}
        self._shares: list[ShareLoop] = []
        self._servers: list[HttpServer] = []
        for pool, workers in _workers(farm, machines).items():
            settings = farm.pools.get(pool)
            self._addresses[pool] = _own(pool, None if settings is None else settings.url)
            self.pools[pool] = PoolStandIn(clock, account=None)
            self._shares.append(ShareLoop(self.pools[pool], workers))

    def start(self) -> None:
        """Listens everywhere. Raises SimulationError, after which nothing listens."""
        self.step()  # whoever asks at once finds the workers that are at work
        for name, pool in self.pools.items():
            address, server = self._addresses[name], HttpServer(pool.handle)
            try:
                server.start(address.hostname or "", address.port or 80)
            except OSError as error:
                self.close()
                cause = "in use by another program" if error.errno == errno.EADDRINUSE else f"{error.strerror}"
                message = f"pools.{name}.url: port {address.port} is {cause}. Fix: give another one in the farm file."
                raise SimulationError(message) from error
            self._servers.append(server)

    def step(self) -> float:
        return min((shares.step() for shares in self._shares), default=3600.0)

    def close(self) -> None:
        for server in self._servers:
            server.stop()


def _workers(farm: FarmSettings, machines: Mapping[str, Hashing]) -> dict[str, dict[str, Hashing]]:
    """The machines of each pool by the names of their workers."""
    pools: dict[str, dict[str, Hashing]] = {}
    for miner, settings in farm.miners.items():
        if settings.worker is not None and miner in machines:
            pool, _, worker = settings.worker.split("/", 2)
            pools.setdefault(pool, {})[worker] = machines[miner]
    return pools


def _own(pool: str, url: str | None) -> SplitResult:
    """The address of a pool on this machine: a simulated farm must not ask a real pool about its workers."""
    parts = urlsplit(url or "")
    if not is_loopback(parts.hostname or "") or parts.scheme != "http":
        message = f"pools.{pool}.url: the simulator stands in for addresses such as http://127.0.0.1:3334 only"
        raise SimulationError(message)
    return parts
