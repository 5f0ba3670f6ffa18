"""Puts the service together: one poller for each account, however many miners are its workers."""

from collections.abc import Callable, Iterable
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
from shared.settings import FarmSettings, MinerSettings
from shared.settings.pools import key_variable_of
from shared.station import Station
from shared.topics import MINER_POOL


def build(context: Context, session: Callable[[], requests.Session] | None = None) -> bool:
    """Wires the service; False when no miner is anybody's worker. `session`: how pools are reached."""
    farm, clock = context.farm, context.service.clock
    if not is_needed(farm):
        return False
    spacings, accounts = Spacings(), accounts_of(farm)

    def ask(pool: str, station: Station) -> None:
        provider = provider_of(farm.pools, pool)
        key = context.secrets.get(key_variable_of(pool))
        for name in (name for of, name in accounts if of == pool):
            workers = accounts[pool, name]
            wire = PoolWire(clock, punctual_session(clock) if session is None else session())
            manner = Manner(poll_seconds([farm.miners[each] for each in workers], provider), asks=not provider.retired)
            wanted = [
                Wanted(miner, pool, worker, offline_after_seconds(farm.miners[miner], provider))
                for miner, worker in workers.items()
            ]
            account = Account(pool, name, key)
            start(station, AccountPoller(station, account, provider, wanted, wire, spacings, manner), workers)

    # A whole pool: its accounts share the turns at its host, and two replicas would not know of each other's.
    context.share({pool: partial(ask, pool) for pool, _name in accounts})
    return True


def start(station: Station, poller: AccountPoller, miners: Iterable[str]) -> None:
    """Begins with the broker's memory: without it a worker that is left out would never have been seen."""
    begun = False

    def remembered(received: Received[PoolReading]) -> None:
        if not begun and received.retained and received.message is not None:
            poller.memory[received.identifier] = received.message

    def begin() -> None:
        nonlocal begun
        begun = True
        station.spawn(poller.name, poller)

    for miner in miners:
        station.on(MINER_POOL, remembered, miner)
    station.on_begin(begin)


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
