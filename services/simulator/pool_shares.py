"""The simulated machines as workers of a stand-in for a pool: whoever hashes sends a share now and then."""

from collections.abc import Mapping
from typing import Protocol

from services.simulator.pool import PoolStandIn

LOOK_SECONDS = 0.5
_JOULES_PER_HASH = 20e-12


class Hashing(Protocol):
    """What a simulated machine tells of itself."""

    @property
    def hashing(self) -> bool: ...

    @property
    def power_w(self) -> float: ...


class ShareLoop:
    """A loop: each step lets every machine that really hashes send a share, under the name of its worker."""

    def __init__(self, pool: PoolStandIn, machines: Mapping[str, Hashing]) -> None:
        """`machines` by the names of their workers."""
        self._pool = pool
        self._machines = machines

    def step(self) -> float:
        for name, machine in self._machines.items():
            if machine.hashing:
                self._pool.share(name, machine.power_w / _JOULES_PER_HASH)
        return LOOK_SECONDS

    def close(self) -> None:
        """Nothing is open."""
