"""Puts the service together: a driver and a role for each VNish miner of the farm, and one agent for all."""

from collections.abc import Callable

import requests

from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from services.vnish_agent.needed import is_needed
from shared.agent import Agent
from shared.launch import Context
from shared.messages import MinerCommand, MinerTelemetry
from shared.miner_role import MinerRole
from shared.miner_session import MinerSession
from shared.settings import FarmSettings
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
    drivers: dict[str, VnishDriver] = {}
    roles: dict[str, MinerRole] = {}
    for name, miner in farm.miners.items():
        if miner.driver == "vnish" and miner.host is not None:
            password = context.secrets.password_of(name, PASSWORD_VARIABLE) or FACTORY_PASSWORD
            client = VnishClient(miner.host, password, clock, session())
            drivers[name] = VnishDriver(client, clock, nominal_w=miner.nominal_w, preset=miner.preset, mac=miner.mac)
            roles[name] = MinerRole("vnish", miner.when_alone)
    agent: Agent[MinerTelemetry, MinerCommand] = Agent(
        context.service, drivers, roles, event=MINER_EVENT, manner=_manner(farm), site=farm.site.id
    )
    mine = {name: timetable for name, timetable in farm.timetables().items() if name in drivers}
    Statistician(context.service, mine, farm.rules.lease + farm.rules.grace)
    agent.start_with_memory()
    return True


def _manner(farm: FarmSettings) -> Manner:
    rules = farm.rules
    return Manner(rules.poll.total_seconds(), rules.lease, rules.grace, farm.observed())
