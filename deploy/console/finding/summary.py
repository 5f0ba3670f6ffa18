"""What a farm file holds, in a few lines, and what its owner may want to think over. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from shared.settings import FarmSettings, MinerSettings, Secrets

_NARROW_PERCENT = 2.0
"""A battery's reading often jumps by 1 %: a narrower band makes starts and stops of noise."""
_LOGIN_IN_URL = re.compile(r"://[^/\s]*@")
_DRIVERS = ("vnish", "bitaxe", "plug")


def summary(farm: FarmSettings) -> dict[str, str]:
    """One line for each kind of thing."""
    drivers: Counter[str] = Counter(miner.driver for miner in farm.miners.values())
    told = ", ".join(f"{drivers[driver]} {driver}" for driver in _DRIVERS if drivers[driver])
    return {
        "site": f"{farm.site.id}, {farm.site.time_zone}",
        "broker": _shown(farm.broker.url) or "brought along, or the one of the containers",
        "battery": _battery(farm),
        "miners": f"{len(farm.miners)}" + (f": {told}" if told else ""),
        "plugs": _plugs(farm),
        "pools": _pools(farm),
        "groups": ", ".join(f"{name} ({len(group.members)})" for name, group in farm.groups.items()) or "none",
        "schedules": ", ".join(farm.schedules) or "none",
    }


def remarks(farm: FarmSettings, secrets: Secrets) -> Iterator[str]:
    """One sentence each. None of these is an error."""
    if not farm.miners:
        yield "there are no miners in it: nothing will be done"
    if farm.observe:
        yield "observe is on: everything is decided and explained, and no miner is touched"
    timetables = farm.timetables()
    for name, miner in farm.miners.items():
        yield from _of_one(name, miner, scheduled=name in timetables)
    factory = [
        name
        for name, miner in farm.miners.items()
        if miner.driver == "vnish" and secrets.password_of(name, "VNISH_PASSWORD") is None
    ]
    if factory:
        yield f"no password is set for {', '.join(factory)}: the factory's is used, which anybody on the network knows"


def _of_one(name: str, miner: MinerSettings, *, scheduled: bool) -> Iterator[str]:
    low, high = miner.stop_soc, miner.resume_soc
    if low is not None and high is not None and high - low < _NARROW_PERCENT:
        yield f"{name}: its band from {low:g} to {high:g} % is narrow: it may start and stop often"
    if low is None and not scheduled and not miner.require_grid and miner.driver != "bitaxe":
        yield f"{name}: no band, no schedule: no battery ever pauses it"
    if miner.when_alone == "hold" and low is not None:
        yield f"{name}: failsafe hold: it goes on draining the battery when nobody commands it"


def _shown(url: str | None) -> str:
    """Without what may be a password."""
    return _LOGIN_IN_URL.sub("://***@", url or "")


def _battery(farm: FarmSettings) -> str:
    battery = farm.battery
    if battery is None:
        return "none: the state of charge plays no part"
    if battery.home_assistant is not None:
        return f"{battery.home_assistant.state_of_charge} at {_shown(battery.home_assistant.url)}"
    return f"MQTT, {battery.mqtt.preset or 'own topics'}" if battery.mqtt is not None else "none"


def _plugs(farm: FarmSettings) -> str:
    plugs = [miner.plug for miner in farm.miners.values() if miner.plug is not None]
    devices = {plug.host for plug in plugs}
    return f"{len(plugs)} outlets of {len(devices)} devices" if plugs else "none"


def _pools(farm: FarmSettings) -> str:
    workers = [miner.worker for miner in farm.miners.values() if miner.worker is not None]
    pools = sorted({worker.split("/")[0] for worker in workers})
    return f"{len(workers)} workers at {', '.join(pools)}" if workers else "none"
