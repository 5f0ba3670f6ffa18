"""Puts the service together: one poller for each account, however many miners are its workers."""

from collections.abc import Callable, Mapping
from functools import partial

import requests

from services.pool_poller.needed import is_needed
from services.pool_poller.poller import AccountPoller, Manner
from services.pool_poller.provider import Account, PoolProvider
from services.pool_poller.providers import provider_of
from services.pool_poller.punctual import punctual_session
from services.pool_poller.spacing import Spacings
from services.pool_poller.standing import Wanted
from services.pool_poller.wire import PoolWire
from shared.bus import Received
from shared.launch import Context
from shared.messages import PoolReading
from shared.service import Service
from shared.settings import FarmSettings, MinerSettings
from shared.settings.pools import key_variable_of
from shared.topics import MINER_POOL

MEMORY_SECONDS = 10.0
"""Without a broker the pools are asked all the same, after so many real seconds."""


def build(context: Context, session: Callable[[], requests.Session] | None = None) -> bool:
    """Wires the service; False when no miner is anybody's worker. `session`: how pools are reached."""
    farm, service = context.farm, context.service
    if not is_needed(farm):
        return False
    spacings = Spacings()
    start = _Start(service)
    for (pool, name), workers in accounts_of(farm).items():
        provider = provider_of(farm.pools, pool)
        account = Account(pool, name, context.secrets.get(key_variable_of(pool)))
        wanted = [
            Wanted(miner, pool, worker, offline_after_seconds(farm.miners[miner], provider))
            for miner, worker in workers.items()
        ]
        wire = PoolWire(service.clock, punctual_session(service.clock) if session is None else session())
        manner = Manner(poll_seconds([farm.miners[miner] for miner in workers], provider), asks=not provider.retired)
        start.take(f"{pool}/{name}", AccountPoller(service, account, provider, wanted, wire, spacings, manner), workers)
    start.begin()
    return True


def accounts_of(farm: FarmSettings) -> dict[tuple[str, str], dict[str, str]]:
    """The miners by pool and account, each with its worker's name."""
    accounts: dict[tuple[str, str], dict[str, str]] = {}
    for miner, settings in farm.miners.items():
        if settings.worker is not None:
            pool, account, worker = settings.worker.split("/", 2)
            accounts.setdefault((pool, account), {})[miner] = worker
    return accounts


def offline_after_seconds(miner: MinerSettings, provider: PoolProvider) -> float:
    """The owner's wish, else the pool's own; never below what the pool's times allow."""
    wish = miner.time_until_offline
    return max(provider.floor_seconds, provider.offline_seconds if wish is None else wish.total_seconds())


def poll_seconds(miners: list[MinerSettings], provider: PoolProvider) -> float:
    """The shortest wish of an account's miners, else the pool's own; never below what the pool bears."""
    wishes = [miner.status_check_frequency.total_seconds() for miner in miners if miner.status_check_frequency]
    return max(provider.poll_floor_seconds, min(wishes, default=provider.poll_seconds))


class _Start:
    """Begins when the broker's memory is there: without it a worker that is left out would never have been seen."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._pollers: dict[str, AccountPoller] = {}
        self._begun = False

    def take(self, name: str, poller: AccountPoller, miners: Mapping[str, str]) -> None:
        self._pollers[name] = poller
        for miner in miners:
            self._service.on(MINER_POOL, partial(self._remembered, poller), miner)

    def begin(self) -> None:
        deadline = self._service.clock.seconds() + MEMORY_SECONDS
        self._service.on_ready(self._spawn)
        self._service.every(1.0, lambda: self._spawn() if self._service.clock.seconds() >= deadline else None)

    def _remembered(self, poller: AccountPoller, received: Received[PoolReading]) -> None:
        if not self._begun and received.retained and received.message is not None:
            poller.memory[received.identifier] = received.message

    def _spawn(self) -> None:
        if not self._begun:
            self._begun = True
            for name, poller in self._pollers.items():
                self._service.spawn(name, poller)
