"""Bitaxes, stopped over the client and driver of their agent."""

from deploy.console.direct.miner import MinerTarget
from services.bitaxe_agent.client import AxeClient, RouteMissingError
from services.bitaxe_agent.driver import BitaxeDriver
from services.bitaxe_agent.wiring import manners_of
from shared.clock import Clock
from shared.miner_session import MinerSession
from shared.settings import Address, MinerSettings


def bitaxe(miner: MinerSettings, host: Address, clock: Clock) -> MinerTarget:
    """A Bitaxe: paused from firmware 2.14, else taken to its lowest point in one go."""
    client = AxeClient(host, clock, MinerSession())
    driver = BitaxeDriver(client, clock, manners_of(miner, None))

    def pause() -> bool:
        if miner.mac is not None:
            return False
        try:
            client.pause()
        except RouteMissingError:
            return False
        return True

    return MinerTarget(driver, pause, clock)
