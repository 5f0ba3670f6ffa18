"""Puts the service together: a driver, a role and an agent for each VNish miner of this replica's share."""

from collections.abc import Callable
from functools import partial

import requests

from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from services.vnish_agent.needed import is_needed
from shared.agent import Agent
from shared.launch import Context
from shared.messages import MinerCommand, MinerTelemetry
from shared.miner_role import MinerRole
from shared.miner_session import MinerSession
from shared.orders import SiteOrders
from shared.pace import Pace
from shared.settings import Address, FarmSettings, MinerSettings
from shared.station import Station
from shared.statistician import Statistician
from shared.tender import Manner
from shared.topics import MINER_EVENT

FACTORY_PASSWORD = "admin"  # noqa: S105 - what the firmware is shipped with, not anybody's secret
PASSWORD_VARIABLE = "VNISH_PASSWORD"  # noqa: S105 - a variable's name


def build(context: Context, session: Callable[[], requests.Session] = MinerSession) -> bool:
    """Wires the service; False when the farm has no VNish miner. `session`: how miners are reached."""
    farm, clock = context.farm, context.service.clock
    if not is_needed(farm):
        return False
    orders, pace, timetables = SiteOrders(context.service, farm.site.id), Pace(), farm.timetables()
    manner = _manner(farm)  # once: it names all that are only watched, which may be a thousand

    def tend(station: Station, name: str, miner: MinerSettings, host: Address) -> None:
        password = context.secrets.password_of(name, PASSWORD_VARIABLE) or FACTORY_PASSWORD
        client = VnishClient(host, password, clock, session())
        driver = VnishDriver(client, clock, nominal_w=miner.nominal_w, preset=miner.preset, mac=miner.mac)
        agent: Agent[MinerTelemetry, MinerCommand] = Agent(
            station,
            {name: driver},
            {name: MinerRole("vnish", miner.when_alone)},
            event=MINER_EVENT,
            manner=manner,
            orders=orders,
            pace=pace,
        )
        mine = {name: timetables[name]} if name in timetables else {}
        Statistician(station, mine, farm.rules.lease + farm.rules.grace)
        agent.start_with_memory()

    context.share(
        {
            str(miner.host): partial(tend, name=name, miner=miner, host=miner.host)
            for name, miner in farm.miners.items()
            if miner.driver == "vnish" and miner.host is not None
        }
    )
    return True


def _manner(farm: FarmSettings) -> Manner:
    rules = farm.rules
    return Manner(rules.poll.total_seconds(), rules.lease, rules.grace, farm.observed())
