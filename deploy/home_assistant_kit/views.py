"""The pages of the dashboard: what a farm's owner looks at, problems first. Each farm gets only those that it needs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from deploy.home_assistant_kit.cards import (
    Card,
    choice,
    heading,
    history,
    number,
    press,
    problems,
    rows,
    section,
    sentence,
    switch,
    tile,
    unless,
    view,
    while_measured,
)
from deploy.home_assistant_kit.names import FARM, Shown, group, miner, plug, worker
from shared.settings import FarmSettings, MinerSettings

SHOWN_SINGLY = 24
"""A farm with more miners is shown by its groups, and each miner by one tile."""

_TILES_IN_A_SECTION = 24
_CURVES_IN_A_GRAPH = 8
_DAY_HOURS, _TWO_DAYS_HOURS = 24, 48
_STOP_QUESTION = "Stop every miner of this farm now? They stay off until somebody resumes."
_RESUME_QUESTION = "Lift the emergency stop? The rules start miners again as they see fit."

T = TypeVar("T")


def dashboard(farm: FarmSettings) -> Card:
    """The whole dashboard of a farm."""
    miners = {name: miner(name) for name in farm.miners}
    pages = [_farm_page(farm, miners), *_group_page(farm)]
    pages += [_miner_page(farm)] if len(miners) <= SHOWN_SINGLY else list(_pages_of_many(farm))
    pages += [*_rig_page(farm), *_pool_page(farm), _history_page(farm, miners)]
    return {"title": "Sunherd", "views": pages}


def _farm_page(farm: FarmSettings, miners: Mapping[str, Shown]) -> Card:
    problem = FARM.entity("binary_sensor", "problem")
    troubles = section(
        heading("Problems", "mdi:alert-circle-outline"),
        problems(problem, miners),
        tile(problem, "Farm"),
        tile(FARM.entity("binary_sensor", "emergency_stop_active"), "Emergency stop"),
    )
    now = section(
        heading("Now", "mdi:solar-power"),
        *([tile(FARM.entity("sensor", "state_of_charge"), "Battery")] if farm.battery is not None else []),
        tile(FARM.entity("sensor", "mode"), "Mode"),
        tile(FARM.entity("sensor", "power"), "Power"),
        tile(FARM.entity("sensor", "hashrate"), "Hashrate"),
        tile(FARM.entity("sensor", "miners_hashing"), "Hashing"),
        tile(FARM.entity("sensor", "miners_covered"), "In these sums"),
    )
    day = section(heading("Today", "mdi:chart-line"), *_farm_curves(farm, _DAY_HOURS))
    return view("Farm", "farm", "mdi:sheep", [troubles, now, _stop_section(), day])


def _stop_section() -> Card:
    active = FARM.entity("binary_sensor", "emergency_stop_active")
    stop, resume = FARM.entity("button", "emergency_stop"), FARM.entity("button", "resume")
    return section(
        heading("Emergency", "mdi:alert-octagon"),
        press(stop, "Stop all miners", "mdi:alert-octagon", _STOP_QUESTION),
        press(resume, "Resume", "mdi:play-circle", _RESUME_QUESTION, visibility=unless(active, "off")),
    )


def _farm_curves(farm: FarmSettings, hours: int) -> Iterator[Card]:
    """One graph for each unit."""
    battery = [("Battery", "state_of_charge")] if farm.battery is not None else []
    for title, key in [*battery, ("Power", "power"), ("Hashrate", "hashrate")]:
        yield history(title, hours, {FARM.entity("sensor", key): title})


def _group_page(farm: FarmSettings) -> Iterator[Card]:
    if farm.groups:
        sections = [_group_section(name, group(name)) for name in farm.groups]
        yield view("Groups", "groups", "mdi:select-group", sections)


def _group_section(name: str, shown: Shown) -> Card:
    return section(
        heading(name, "mdi:select-group"),
        tile(shown.entity("sensor", "power"), "Power"),
        tile(shown.entity("sensor", "hashrate"), "Hashrate"),
        tile(shown.entity("sensor", "miners_hashing"), "Hashing"),
        switch(shown.entity("switch", "automatic"), "Automatic"),
        number(shown.entity("number", "max_w"), "At most"),
    )


def _miner_page(farm: FarmSettings) -> Card:
    sections = [_miner_section(name, settings) for name, settings in farm.miners.items()]
    return view("Miners", "miners", "mdi:pickaxe", sections)


def _miner_section(name: str, settings: MinerSettings) -> Card:
    shown, outlet, at_pool = miner(name), plug(name), worker(name)
    if settings.driver != "plug":
        measured = [
            tile(shown.entity("sensor", "hashrate"), "Hashrate"),
            tile(shown.entity("sensor", "power"), "Power"),
            tile(shown.entity("sensor", "chip_temperature"), "Chip"),
        ]
    else:  # it has no interface of its own: outlet and pool tell what is known
        measured = [_metered(outlet, "plug_power", "Power")]
        if settings.worker is not None:
            measured.append(tile(at_pool.entity("sensor", "worker_hashrate"), "Hashrate at the pool"))
    return section(
        heading(name, "mdi:pickaxe", shown.entity("binary_sensor", "problem")),
        sentence(shown.entity("sensor", "why")),
        tile(shown.entity("sensor", "state"), "State"),
        *measured,
        switch(shown.entity("switch", "automatic"), "Automatic"),
        choice(shown.entity("select", "force_on"), "Force on"),
    )


def _metered(outlet: Shown, key: str, name: str) -> Card:
    """Hidden where there is nothing to show: an outlet without a meter has no such entity."""
    entity = outlet.entity("sensor", key)
    return tile(entity, name, visibility=while_measured(entity))


def _pages_of_many(farm: FarmSettings) -> Iterator[Card]:
    """A page for each group, and one for those in none; a miner stands with its first group."""
    left = dict.fromkeys(farm.miners)
    for name, settings in farm.groups.items():
        members = [member for member in settings.members if member in left]
        for member in members:
            del left[member]
        if members:
            yield view(name, f"group-{name}", "mdi:pickaxe", list(_sections_of_many(members)))
    if left:
        title = "Other miners" if farm.groups else "Miners"
        yield view(title, "miners", "mdi:pickaxe", list(_sections_of_many(list(left))))


def _sections_of_many(members: Sequence[str]) -> Iterator[Card]:
    for part in _in_parts(members, _TILES_IN_A_SECTION):
        title = part[0] if len(part) == 1 else f"{part[0]} to {part[-1]}"
        states = [tile(miner(name).entity("sensor", "state"), name) for name in part]
        yield section(heading(title, "mdi:pickaxe"), *states)


def _rig_page(farm: FarmSettings) -> Iterator[Card]:
    names = [name for name, settings in farm.miners.items() if settings.plug is not None]
    if names and len(farm.miners) <= SHOWN_SINGLY:
        yield view("Rigs", "rigs", "mdi:power-plug", [_rig_section(name) for name in names])
    elif names:
        cards = [
            rows(f"{part[0]} to {part[-1]}", {plug(name).entity("sensor", "plug_power"): name for name in part})
            for part in _in_parts(names, _TILES_IN_A_SECTION)
        ]
        yield view("Rigs", "rigs", "mdi:power-plug", [section(card) for card in cards])


def _rig_section(name: str) -> Card:
    shown, outlet = miner(name), plug(name)
    cycle = f"Switch the power of {name} off and on again?"
    again = f"Forget the vain tries of {name}, so that it may be brought back anew?"
    return section(
        heading(name, "mdi:power-plug", shown.entity("sensor", "state")),
        tile(outlet.entity("binary_sensor", "plug_on"), "Outlet"),
        _metered(outlet, "plug_power", "Power"),
        _metered(outlet, "plug_energy_today", "Energy today"),
        tile(shown.entity("sensor", "health"), "Health"),
        press(shown.entity("button", "power_cycle"), "Power cycle", "mdi:power-cycle", cycle),
        press(shown.entity("button", "clear_unstable"), "Try again", "mdi:restore", again),
    )


def _pool_page(farm: FarmSettings) -> Iterator[Card]:
    accounts: dict[str, list[str]] = {}
    for name, settings in farm.miners.items():
        if settings.worker is not None:
            pool, account, _ = settings.worker.split("/", 2)
            accounts.setdefault(f"{pool} · {account}", []).append(name)
    if accounts:
        brief = len(farm.miners) > SHOWN_SINGLY
        cards = [rows(account, _worker_lines(names, brief=brief)) for account, names in accounts.items()]
        yield view("Pools", "pools", "mdi:pool", [section(card) for card in cards])


def _worker_lines(names: Sequence[str], *, brief: bool) -> dict[str, str]:
    lines: dict[str, str] = {}
    for name in names:
        shown = worker(name)
        lines[shown.entity("sensor", "worker")] = name
        if not brief:
            lines[shown.entity("sensor", "worker_hashrate")] = f"{name}: hashrate"
            lines[shown.entity("sensor", "worker_last_seen")] = f"{name}: last share"
    return lines


def _history_page(farm: FarmSettings, miners: Mapping[str, Shown]) -> Card:
    """The farm, then its miners; of a large farm its groups."""
    sections = [section(heading("Farm", "mdi:sheep"), *_farm_curves(farm, _TWO_DAYS_HOURS), span=2)]
    if len(miners) > SHOWN_SINGLY:
        shown = {name: group(name) for name in farm.groups}
    else:
        shown = {name: each for name, each in miners.items() if farm.miners[name].driver != "plug"}
    keys = [("Hashrate", "hashrate"), ("Power", "power")]
    if shown and len(miners) <= SHOWN_SINGLY:
        keys.append(("Chip temperature", "chip_temperature"))
    for title, key in keys:
        curves = [
            history(title, _TWO_DAYS_HOURS, {shown[name].entity("sensor", key): name for name in part})
            for part in _in_parts(list(shown), _CURVES_IN_A_GRAPH)
        ]
        if curves:
            sections.append(section(heading(title, "mdi:chart-line"), *curves, span=2))
    return view("History", "history", "mdi:chart-line", sections)


def _in_parts(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]
