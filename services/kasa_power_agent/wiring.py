"""Puts the service together: a link for each plug or strip, driver and role for each outlet, one agent for all."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext

from services.kasa_power_agent.choose import Wishes
from services.kasa_power_agent.driver import OutletDriver
from services.kasa_power_agent.hollow import HTTP_PACKAGES, left_out
from services.kasa_power_agent.link import Account, Manners, PlugLink
from services.kasa_power_agent.machine import Machines
from services.kasa_power_agent.needed import is_needed
from services.kasa_power_agent.role import Part, PlugRole
from services.kasa_power_agent.unit import Unit
from shared.agent import Agent
from shared.bus import Received
from shared.launch import Context
from shared.messages import PlugCommand, PlugTelemetry
from shared.settings import Address, FarmSettings, MinerSettings, Secrets
from shared.settings.plug import PlugSettings
from shared.settings.secrets import variable_of
from shared.statistician import Statistician
from shared.tender import Manner
from shared.topics import PLUG_COMMAND, PLUG_EVENT, PLUG_TELEMETRY

LinkFactory = Callable[[Manners], PlugLink]


def build(context: Context, link_factory: LinkFactory | None = None) -> bool:
    """Wires the service; False when no miner of the farm has a plug. `link_factory`: how devices are reached."""
    farm, service = context.farm, context.service
    if not is_needed(farm):
        return False
    plugs = {name: miner.plug for name, miner in farm.miners.items() if miner.plug is not None}
    units = units_of(context, plugs, link_factory or kasa_links(plugs))
    roles = {name: PlugRole(service.clock, _part(farm, name)) for name in plugs}
    drivers = {name: OutletDriver(name, units[plug.host], service.clock, mac=plug.mac) for name, plug in plugs.items()}
    agent: Agent[PlugTelemetry, PlugCommand] = Agent(
        service,
        drivers,
        roles,
        event=PLUG_EVENT,
        manner=manner_of(farm),
        site=farm.site.id,
        units={name: f"plug-{plug.host}" for name, plug in plugs.items()},
    )
    _listen(context, agent, roles)
    machines = {name: miner for name, miner in farm.miners.items() if name in plugs and miner.driver == "plug"}
    Machines(service, {name: roles[name] for name in machines}, {name: _watts(m) for name, m in machines.items()})
    mine = {name: timetable for name, timetable in farm.timetables().items() if name in machines}
    Statistician(service, mine, farm.rules.lease + farm.rules.grace)
    agent.start_with_memory()
    return True


def units_of(context: Context, plugs: Mapping[str, PlugSettings], link_factory: LinkFactory) -> dict[Address, Unit]:
    """One physical device for each address, whoever hangs on it."""
    units: dict[Address, Unit] = {}
    for plug in plugs.values():
        if plug.host in units:
            continue
        wishes = Wishes(
            outlets={each: other.outlet for each, other in plugs.items() if other.host == plug.host},
            never=tuple(entry.outlet for entry in context.farm.never_switch if entry.host == plug.host),
        )
        account = account_of(context.secrets, list(wishes.outlets))
        link = link_factory(Manners(plug.host, plug.protocol, account))
        apart = min(other.poll for other in plugs.values() if other.host == plug.host)
        units[plug.host] = Unit(link, context.service.clock, wishes, apart.total_seconds())
    return units


def account_of(secrets: Secrets, miners: list[str]) -> Account | None:
    """The account of a device: the first that is given for a miner on it, else the one for all plugs."""
    for prefix in (*(variable_of(miner).removesuffix("PASSWORD") + "PLUG" for miner in miners), "KASA"):
        username, password = secrets.get(f"{prefix}_USERNAME"), secrets.get(f"{prefix}_PASSWORD")
        if username is not None and password is not None:
            return Account(username, password)
    return None


def manner_of(farm: FarmSettings) -> Manner:
    """As the farm's rules say, and never more often than the devices bear."""
    rules = farm.rules
    poll = max(rules.poll, min(miner.plug.poll for miner in farm.miners.values() if miner.plug is not None))
    return Manner(poll.total_seconds(), rules.lease, rules.grace, farm.observed())


def _part(farm: FarmSettings, name: str) -> Part:
    miner = farm.miners[name]
    return Part(
        is_switch=miner.driver == "plug",
        failsafe_off=miner.when_alone == "pause",
        observed=name in farm.observed(),
    )


def _watts(miner: MinerSettings) -> float:
    return miner.nominal_w or 0.0


def _listen(context: Context, agent: Agent[PlugTelemetry, PlugCommand], roles: Mapping[str, PlugRole]) -> None:
    """What the roles have to know beyond what every agent does: see `PlugRole`."""

    def commanded(received: Received[PlugCommand]) -> None:
        role, command = roles[received.identifier], received.message
        if command is not None and role.hear(command, received.received_at, retained=received.retained):
            agent.wake(received.identifier)

    def back(received: Received[PlugTelemetry]) -> None:
        if received.message is not None and roles[received.identifier].heard_back(received.message):
            agent.wake(received.identifier)

    def ready() -> None:
        for role in roles.values():
            role.memory_arrived()

    context.service.on_ready(ready)
    for name in roles:
        context.service.on(PLUG_COMMAND, commanded, name)
        context.service.on(PLUG_TELEMETRY, back, name)


def kasa_links(plugs: Mapping[str, PlugSettings]) -> LinkFactory:
    """Links by python-kasa, and of the library only what these plugs may need."""
    # It takes 21 MB: only a farm with plugs pays for it, and only 5 where all are said to be older ones.
    legacy = all(plug.protocol == "legacy" for plug in plugs.values())
    with left_out(*HTTP_PACKAGES) if legacy else nullcontext():
        from services.kasa_power_agent.kasa_link import KasaLink
    return KasaLink
