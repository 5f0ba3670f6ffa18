"""Puts the service together: a driver, a role and an agent for each Bitaxe of this replica's share."""

from collections.abc import Callable
from functools import partial

import requests

from services.bitaxe_agent.boards import OwnLimits
from services.bitaxe_agent.client import AxeClient
from services.bitaxe_agent.controls import Pace
from services.bitaxe_agent.driver import BitaxeDriver, Manners
from services.bitaxe_agent.ladder import Profile, Wishes
from services.bitaxe_agent.needed import is_needed
from services.bitaxe_agent.protection import HeatLimits
from services.bitaxe_agent.setting import Setting
from shared.agent import Agent
from shared.launch import Context
from shared.messages import MinerCommand, MinerTelemetry
from shared.miner_role import MinerRole
from shared.miner_session import MinerSession
from shared.orders import SiteOrders
from shared.pace import Pace as ReadingPace
from shared.schedule import Timetable
from shared.settings import Address, FarmSettings, MinerSettings
from shared.station import Station
from shared.statistician import Statistician
from shared.tender import Manner
from shared.topics import MINER_EVENT

POLL_SECONDS_MIN = 10.0
"""The web server of a Bitaxe dies of being asked too often."""
READINGS_APART_SECONDS = 1.0


def build(context: Context, session: Callable[[], requests.Session] = MinerSession) -> bool:
    """Wires the service; False when the farm has no Bitaxe. `session`: how they are reached."""
    farm, clock = context.farm, context.service.clock
    if not is_needed(farm):
        return False
    orders, pace, timetables = SiteOrders(context.service, farm.site.id), ReadingPace(), farm.timetables()
    manner = manner_of(farm)  # once: it names all that are only watched

    def tend(station: Station, name: str, miner: MinerSettings, host: Address) -> None:
        driver = BitaxeDriver(AxeClient(host, clock, session()), clock, manners_of(miner, timetables.get(name)))
        agent: Agent[MinerTelemetry, MinerCommand] = Agent(
            station,
            {name: driver},
            {name: MinerRole("bitaxe", miner.when_alone, failed_stands_still=False)},
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
            if miner.driver == "bitaxe" and miner.host is not None
        }
    )
    return True


def manners_of(miner: MinerSettings, timetable: Timetable | None) -> Manners:
    """What the owner has configured for one device. Limits that are not written down are left to its chip."""
    said = miner.model_fields_set
    return Manners(
        wishes=Wishes(
            profiles={
                name: Profile(Setting(profile.voltage_mv, profile.frequency_mhz), profile.power_w)
                for name, profile in miner.profiles.items()
            },
            profile=miner.profile,
            scheduled=scheduled(timetable),
            nominal_w=miner.nominal_w,
        ),
        limits=OwnLimits(
            voltage_mv=miner.max_voltage_mv if "max_voltage_mv" in said else None,
            frequency_mhz=miner.max_frequency_mhz if "max_frequency_mhz" in said else None,
        ),
        heat=HeatLimits(miner.max_chip_celsius, miner.max_regulator_celsius),
        pace=Pace(miner.steps, miner.delay.total_seconds()),
        mac=miner.mac,
    )


def scheduled(timetable: Timetable | None) -> tuple[Setting | str, ...]:
    """What the windows of a schedule ask for; a pause is none of it."""
    wishes: list[Setting | str] = []
    for window in () if timetable is None else timetable.schedule.windows:
        if window.profile is not None:
            wishes.append(window.profile)
        elif window.voltage_mv is not None and window.frequency_mhz is not None:
            wishes.append(Setting(window.voltage_mv, window.frequency_mhz))
    return tuple(wishes)


def manner_of(farm: FarmSettings) -> Manner:
    """As the farm's rules say, and never more often than a Bitaxe bears."""
    rules = farm.rules
    poll_seconds = max(POLL_SECONDS_MIN, rules.poll.total_seconds())
    return Manner(poll_seconds, rules.lease, rules.grace, farm.observed(), READINGS_APART_SECONDS)
