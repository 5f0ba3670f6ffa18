"""Puts the service together: for each plug or strip a link and an agent, for each outlet a driver and a role."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from services.kasa_power_agent.choose import Wishes
from services.kasa_power_agent.driver import OutletDriver
from services.kasa_power_agent.hollow import HTTP_PACKAGES, is_left_out, left_out
from services.kasa_power_agent.link import Account, Manners, PlugLink
from services.kasa_power_agent.machine import Machines
from services.kasa_power_agent.needed import is_needed
from services.kasa_power_agent.role import Part, PlugRole
from services.kasa_power_agent.unit import Unit
from shared.agent import Agent
from shared.bus import Received
from shared.launch import Context, NewProcessError
from shared.messages import PlugCommand, PlugTelemetry
from shared.orders import SiteOrders
from shared.schedule import Timetable
from shared.settings import Address, FarmSettings, MinerSettings, Secrets
from shared.settings.plug import PlugSettings
from shared.settings.secrets import variable_of
from shared.station import Station
from shared.statistician import Statistician
from shared.tender import Manner
from shared.topics import PLUG_COMMAND, PLUG_EVENT, PLUG_TELEMETRY

LinkFactory = Callable[[Manners], PlugLink]


def build(context: Context, link_factory: LinkFactory | None = None) -> bool:
    """Wires the service; False when no miner of the farm has a plug. `link_factory`: how devices are reached."""
    farm = context.farm
    if not is_needed(farm):
        return False
    plugs = {name: miner.plug for name, miner in farm.miners.items() if miner.plug is not None}
    hands = _Hands(
        context, SiteOrders(context.service, farm.site.id), link_factory or kasa_links(plugs), farm.timetables()
    )
    strips: dict[Address, dict[str, PlugSettings]] = {}
    for name, plug in plugs.items():
        strips.setdefault(plug.host, {})[name] = plug
    context.share({str(host): partial(tend, hands, strip) for host, strip in strips.items()})
    return True


@dataclass(frozen=True)
class _Hands:
    """What all units of the process have in common."""

    context: Context
    orders: SiteOrders
    link_factory: LinkFactory
    timetables: Mapping[str, Timetable]


def tend(hands: _Hands, plugs: Mapping[str, PlugSettings], station: Station) -> None:
    """Wires one plug or strip: `plugs` are the miners that hang on it."""
    farm = hands.context.farm
    unit = unit_of(hands.context, plugs, hands.link_factory)
    roles = {name: PlugRole(station.clock, _part(farm, name)) for name in plugs}
    agent: Agent[PlugTelemetry, PlugCommand] = Agent(
        station,
        {name: OutletDriver(name, unit, station.clock, mac=plug.mac) for name, plug in plugs.items()},
        roles,
        event=PLUG_EVENT,
        manner=manner_of(farm),
        orders=hands.orders,
        units={name: f"plug-{plug.host}" for name, plug in plugs.items()},
    )
    _listen(station, agent, roles)
    machines = {name: farm.miners[name] for name in plugs if farm.miners[name].driver == "plug"}
    Machines(station, {name: roles[name] for name in machines}, {name: _watts(m) for name, m in machines.items()})
    mine = {name: timetable for name, timetable in hands.timetables.items() if name in machines}
    Statistician(station, mine, farm.rules.lease + farm.rules.grace)
    agent.start_with_memory()


def unit_of(context: Context, plugs: Mapping[str, PlugSettings], link_factory: LinkFactory) -> Unit:
    """The one physical device on which these miners hang."""
    first = next(iter(plugs.values()))
    wishes = Wishes(
        outlets={name: plug.outlet for name, plug in plugs.items()},
        never=tuple(entry.outlet for entry in context.farm.never_switch if entry.host == first.host),
    )
    link = link_factory(Manners(first.host, first.protocol, account_of(context.secrets, list(plugs))))
    apart = min(plug.poll for plug in plugs.values())
    return Unit(link, context.service.clock, wishes, apart.total_seconds())


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


def _listen(station: Station, agent: Agent[PlugTelemetry, PlugCommand], roles: Mapping[str, PlugRole]) -> None:
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

    station.on_ready(ready)
    for name in roles:
        station.on(PLUG_COMMAND, commanded, name)
        station.on(PLUG_TELEMETRY, back, name)


def kasa_links(plugs: Mapping[str, PlugSettings]) -> LinkFactory:
    """Links by python-kasa, and of the library only what these plugs may need. Raises NewProcessError."""
    # It takes 21 MB: only a farm with plugs pays for it, and only 5 where all are said to be older ones.
    legacy = all(plug.protocol == "legacy" for plug in plugs.values())
    if not legacy and any(map(is_left_out, HTTP_PACKAGES)):
        message = "its library was loaded for older plugs alone, and the farm file names others now"
        raise NewProcessError(message)
    with left_out(*HTTP_PACKAGES) if legacy else nullcontext():
        from services.kasa_power_agent.kasa_link import KasaLink
    return KasaLink
