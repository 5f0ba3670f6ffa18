"""Antminers with VNish, stopped over the client and driver of their agent."""

from deploy.console.direct.miner import MinerTarget
from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from services.vnish_agent.wiring import FACTORY_PASSWORD, PASSWORD_VARIABLE
from shared.clock import Clock
from shared.miner_session import MinerSession
from shared.settings import Address, MinerSettings, Secrets


def vnish(name: str, miner: MinerSettings, host: Address, secrets: Secrets, clock: Clock) -> MinerTarget:
    """An Antminer with VNish: the stop is one request after the password."""
    password = secrets.password_of(name, PASSWORD_VARIABLE) or FACTORY_PASSWORD
    client = VnishClient(host, password, clock, MinerSession())
    driver = VnishDriver(client, clock, nominal_w=miner.nominal_w, preset=miner.preset, mac=miner.mac)

    def stop() -> bool:
        if miner.mac is not None:
            return False  # another machine at the address is told nothing: it has to be looked at first
        client.post("/mining/stop")
        return True

    # Moving by itself, or by what was sent before, it is sent nothing.
    return MinerTarget(driver, stop, clock, was_sent=lambda step: not step.on_the_way)
