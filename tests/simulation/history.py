"""From a seed to a farm and its day: who is there, by which rules, and what goes wrong when. Pure."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from services.simulator.site import SiteShape
from services.simulator.vnish_firmware import GENERATIONS
from tests.simulation.bitaxes import BITAXE_KINDS, with_bitaxes, with_ills
from tests.simulation.rigs import RIG_KINDS, with_rig_ills, with_rigs
from tests.simulation.shape import (
    CALM_EVENING_SECONDS,
    DAY_SECONDS,
    PROCESSES,
    History,
    Incident,
    MinerShape,
    Shape,
    lasting_seconds,
)
from tests.simulation.wishes import WISH_KINDS, with_wishes

_DEFAULT_RULES_EVERY = 250
"""One seed of so many has the rules of an owner who has set none: they cost the most turns."""
_NOMINAL_W = (1100, 1600, 2400, 3250, 3600)


def history_of(seed: int) -> History:
    """The whole history of a seed."""
    chance = random.Random(f"history {seed}")
    shape = _shape_of(seed)
    count = chance.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16])
    # Few kinds a day, and those often: what needs two of a kind, or two certain kinds, meets more days than if every
    # day had a little of everything (swarm testing, Groce and others 2012).
    kinds = chance.sample(KINDS, chance.randint(2, 8)) if chance.random() < _SWARM else list(KINDS)
    found = sorted(
        (_incident(chance, kinds, list(shape.miners), list(shape.settings["groups"])) for _ in range(count)),
        key=lambda incident: incident.at_seconds,
    )
    before = with_ills(seed, with_bitaxes(seed, shape), found)
    whole = shape_of(seed)
    return History(seed, with_wishes(seed, whole, with_rig_ills(seed, whole, before)))


def shape_of(seed: int) -> Shape:
    """The farm of a seed."""
    return with_rigs(seed, with_bitaxes(seed, _shape_of(seed)))


def _shape_of(seed: int) -> Shape:
    """The same before Bitaxes came: what is drawn for them must change nothing else of a day."""
    chance = random.Random(f"shape {seed}")
    names = [f"m{number}" for number in range(chance.choice([1, 1, 2, 2, 3, 4]))]
    miners = {name: _miner(chance) for name in names}
    whole_w = sum(miner.nominal_w for miner in miners.values())
    settings = {
        "site": {"latitude": 38.7, "longitude": -9.1} if chance.random() < 0.5 else {},
        "rules": _rules(chance, usual=seed % _DEFAULT_RULES_EVERY == 0),
        "groups": _groups(chance, miners),
    }
    settings["battery"] = _battery(settings["rules"])
    site = SiteShape(
        battery_wh=whole_w * chance.uniform(1.5, 8),
        charge_limit_w=whole_w * 3.0,
        discharge_limit_w=whole_w * 3.0,
        pv_peak_w=whole_w * chance.uniform(1.0, 3.0),
        cloudiness=chance.uniform(0.0, 0.9),
        grid_available=chance.random() < 0.5,
        seed=seed,
    )
    drift = {name: chance.uniform(-150, 150) for name in PROCESSES} if chance.random() < 0.5 else {}
    return Shape(settings, miners, site, chance.uniform(15, 100), drift)


def _miner(chance: random.Random) -> MinerShape:
    nominal_w = chance.choice(_NOMINAL_W)
    stop = round(chance.uniform(20, 90), 1)
    settings: dict[str, Any] = {"nominal_w": float(nominal_w)}
    if chance.random() < 0.9:
        settings |= {"stop_soc": stop, "resume_soc": round(min(100.0, stop + chance.uniform(1, 15)), 1)}
    if chance.random() < 0.2:
        settings["require_grid"] = True
    if chance.random() < 0.2:
        settings["max_w"] = round(nominal_w * chance.uniform(0.5, 1.2))
    if chance.random() < 0.08:
        settings["observe"] = True
    return MinerShape(chance.choice(GENERATIONS), nominal_w, settings, presets=chance.random() < 0.5)


def _rules(chance: random.Random, *, usual: bool) -> dict[str, Any]:
    if usual:
        return {"lease": timedelta(seconds=60)}
    lease = chance.choice([1800, 2400, 3600])
    stale = chance.choice([1800, 3600, 5400])
    rules: dict[str, float] = {
        "lease": lease,
        "grace": lease * chance.choice([1, 2]),
        "minimum_off": chance.choice([60, 600, 1800, 3600]),
        "stale_no_start": stale,
        "stale_pause": stale * chance.choice([1, 2]),
        "stagger_window": chance.choice([30, 300, 900]),
        "outside_pause": chance.choice([1800, 14_400]),
        "poll": lease / chance.choice([3, 4]),
    }
    whole: dict[str, Any] = {name: timedelta(seconds=seconds) for name, seconds in rules.items()}
    return whole | {
        "starts_per_day": chance.choice([2, 4, 6, 12]),
        "stagger_w": chance.choice([1500.0, 4000.0, 7000.0]),
    }


def _battery(rules: dict[str, Any]) -> dict[str, Any]:
    stale: timedelta = rules.get("stale_no_start", timedelta(seconds=300))
    source = {
        "url": "http://home-assistant.test:8123",
        "state_of_charge": "sensor.soc",
        "battery_power": "sensor.battery",
        "grid_available": "binary_sensor.grid",
        "poll": stale / 5,
    }
    return {"home_assistant": source, "unconfirmed_after": stale}


def _groups(chance: random.Random, miners: dict[str, MinerShape]) -> dict[str, Any]:
    if len(miners) == 1 or chance.random() < 0.4:
        return {}
    members = chance.sample(list(miners), chance.randint(2, len(miners)))
    total_w = sum(miners[name].nominal_w for name in members)
    capped = chance.random() < 0.8
    return {"garage": {"members": members} | ({"max_w": round(total_w * chance.uniform(0.4, 1.1))} if capped else {})}


# --- incidents

WITH_MEMORY, WITHOUT_MEMORY, WITH_OLD_MEMORY = 0, 1, 2

_Maker = Callable[[random.Random, list[str], list[str]], tuple[str, float]]
"""Target and value of one kind."""

DEVICE_FAULTS = (
    "silent", "resets", "half", "garbage", "refuses", "lies", "slow", "token_dies", "flooded", "miner_null",
)  # fmt: skip
HOUSE_FAULTS = ("unavailable", "restarting", "frozen", "nonsense", "broken", "no_push")


def _of_process(chance: random.Random, _miners: list[str], _groups: list[str]) -> tuple[str, float]:
    return chance.choice(PROCESSES), 0.0


def _of_miner(chance: random.Random, miners: list[str], _groups: list[str]) -> tuple[str, float]:
    return chance.choice(miners), 0.0


def _of_nobody(_chance: random.Random, _miners: list[str], _groups: list[str]) -> tuple[str, float]:
    return "", 0.0


def _forgetful(chance: random.Random, _miners: list[str], _groups: list[str]) -> tuple[str, float]:
    return "", float(chance.choice([WITH_MEMORY, WITH_MEMORY, WITHOUT_MEMORY, WITH_OLD_MEMORY]))


def _jumped(chance: random.Random, _miners: list[str], _groups: list[str]) -> tuple[str, float]:
    return chance.choice(PROCESSES), chance.choice([-7200.0, -300.0, -20.0, 20.0, 300.0, 7200.0])


def _person(chance: random.Random, miners: list[str], groups: list[str]) -> tuple[str, float]:
    return chance.choice(miners + groups), 0.0


def _soc(chance: random.Random, _miners: list[str], _groups: list[str]) -> tuple[str, float]:
    return "", round(chance.uniform(0, 100), 1)


def _bad_value(chance: random.Random, _miners: list[str], _groups: list[str]) -> tuple[str, float]:
    return chance.choice(["unknown", "NaN", "150", "-3", "", "full", "1e999"]), 0.0


_KINDS: dict[str, tuple[int, _Maker]] = {
    "kill": (6, _of_process),
    "freeze": (4, _of_process),
    "older": (2, _of_process),
    "unplugged": (4, _of_process),
    "clock_wrong": (3, _jumped),
    "broker_gone": (5, _forgetful),
    "bad_network": (5, _of_nobody),
    "redelivered": (4, _of_nobody),
    "rival": (2, _of_nobody),
    **dict.fromkeys(DEVICE_FAULTS, (2, _of_miner)),
    "swapped": (2, _of_miner),
    "reboots": (2, _of_miner),
    "fails": (1, _of_miner),
    "paused_outside": (3, _of_miner),
    "started_outside": (2, _of_miner),
    **dict.fromkeys(HOUSE_FAULTS, (2, _of_nobody)),
    "bad_value": (3, _bad_value),
    "soc_jumps": (6, _soc),
    "grid_changes": (2, _of_nobody),
    "pause": (3, _person),
    "force_on": (2, _person),
    "maintenance": (2, _person),
    "automatic": (2, _person),
    "emergency_stop": (3, _of_nobody),
    "late_resume": (1, _of_nobody),
}
KINDS = tuple(_KINDS)
ALL_KINDS = tuple(dict.fromkeys([*KINDS, *BITAXE_KINDS, *RIG_KINDS, *WISH_KINDS]))
_SWARM = 0.8


def _incident(chance: random.Random, kinds: list[str], miners: list[str], groups: list[str]) -> Incident:
    kind = chance.choices(kinds, weights=[_KINDS[kind][0] for kind in kinds])[0]
    at_seconds = chance.uniform(0, DAY_SECONDS - CALM_EVENING_SECONDS)
    lasts = lasting_seconds(chance, at_seconds)
    target, value = _KINDS[kind][1](chance, miners, groups)
    return Incident(round(at_seconds, 1), kind, target, round(lasts, 1), value)
