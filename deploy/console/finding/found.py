"""A miner that was found."""

from dataclasses import dataclass

from shared.messages import MinerState
from shared.settings import Address


@dataclass(frozen=True)
class FoundMiner:
    """As it tells of itself. None: it does not tell."""

    address: Address
    driver: str
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    state: MinerState = MinerState.UNKNOWN
