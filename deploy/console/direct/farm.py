"""Which physical units have to be told, for some miners of a farm."""

from collections.abc import Collection, Iterator
from functools import partial

from deploy.console.direct.effort import Target, Unit
from shared.clock import Clock
from shared.settings import Address, FarmSettings, MinerSettings, Secrets


def prepare(farm: FarmSettings) -> None:
    """Imports what its miners need, before it is needed: a hundred threads would wait for one another."""
    drivers = {miner.driver for miner in farm.miners.values()}
    if "vnish" in drivers:
        import deploy.console.direct.antminer
    if "bitaxe" in drivers:
        import deploy.console.direct.bitaxe  # noqa: F401


def units_of(farm: FarmSettings, names: Collection[str], secrets: Secrets, clock: Clock) -> list[Unit]:
    """Those of these miners. Miners with an interface come first: their stop is sent soonest."""
    return [*_interfaces(farm, names, secrets, clock), *_plugs(farm, names, secrets, clock)]


def _interfaces(farm: FarmSettings, names: Collection[str], secrets: Secrets, clock: Clock) -> Iterator[Unit]:
    for name, miner in farm.miners.items():
        if name in names and miner.driver != "plug" and miner.host is not None:
            yield Unit((name,), partial(_interface, name, miner, miner.host, secrets, clock))


def _interface(name: str, miner: MinerSettings, host: Address, secrets: Secrets, clock: Clock) -> dict[str, Target]:
    if miner.driver == "vnish":
        from deploy.console.direct.antminer import vnish

        return {name: vnish(name, miner, host, secrets, clock)}
    from deploy.console.direct.bitaxe import bitaxe

    return {name: bitaxe(miner, host, clock)}


def _plugs(farm: FarmSettings, names: Collection[str], secrets: Secrets, clock: Clock) -> Iterator[Unit]:
    hosts: dict[Address, list[str]] = {}
    for name, miner in farm.miners.items():
        if name in names and miner.driver == "plug" and miner.plug is not None:
            hosts.setdefault(miner.plug.host, []).append(name)
    for host, here in hosts.items():
        yield Unit(tuple(here), partial(_outlets, tuple(here), host, farm, secrets, clock))


def _outlets(
    names: tuple[str, ...], host: Address, farm: FarmSettings, secrets: Secrets, clock: Clock
) -> dict[str, Target]:
    from deploy.console.direct.outlets import outlets

    return dict(outlets(names, host, farm, secrets, clock))
