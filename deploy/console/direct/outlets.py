"""Machines without an interface: their outlet is switched off, by the parts of the agent of the outlets."""

from collections.abc import Mapping

from deploy.console.direct.effort import Look
from services.kasa_power_agent.choose import Wishes
from services.kasa_power_agent.driver import OutletDriver
from services.kasa_power_agent.link import Manners
from services.kasa_power_agent.role import own_goal
from services.kasa_power_agent.unit import Unit
from services.kasa_power_agent.wiring import LinkFactory, account_of, kasa_links
from shared.clock import Clock
from shared.messages import Following
from shared.settings import Address, FarmSettings, Secrets

_APART_SECONDS = 0.5


class OutletTarget:
    """One outlet. It has to be read first: nobody else knows which of a strip is meant."""

    def __init__(self, driver: OutletDriver, clock: Clock) -> None:
        self._driver = driver
        self._clock = clock

    def send(self) -> bool:
        return False

    def close(self) -> None:
        self._driver.close()

    def look(self) -> Look:
        reading = self._driver.read()
        off = own_goal(self._clock.now(), Following.EMERGENCY_STOP, on=False)
        if self._driver.settled(reading, off):
            return Look("its outlet is off", stands=True)
        self._driver.apply(off, reading)
        return Look("its outlet is told to go off", told=True)


def outlets(
    names: tuple[str, ...], host: Address, farm: FarmSettings, secrets: Secrets, clock: Clock
) -> Mapping[str, OutletTarget]:
    """The outlets of one plug or strip that are to go off. Raises ImportError where python-kasa is not installed."""
    plugs = {name: miner.plug for name, miner in farm.miners.items() if miner.plug is not None}
    here = {name: plug for name, plug in plugs.items() if plug.host == host}
    links: LinkFactory = kasa_links(plugs)
    wishes = Wishes(
        # Also the outlets of the others there: one that two miners share is nobody's to switch.
        outlets={name: plug.outlet for name, plug in here.items()},
        never=tuple(entry.outlet for entry in farm.never_switch if entry.host == host),
    )
    first = next(iter(here.values()))
    unit = Unit(links(Manners(host, first.protocol, account_of(secrets, list(here)))), clock, wishes, _APART_SECONDS)
    return {name: OutletTarget(OutletDriver(name, unit, clock, mac=here[name].mac), clock) for name in names}
