"""The rigs, outlets and pool of a simulated farm, and what befalls them. Pure.

Drawn by chances of their own, so that a seed's other miners, rules and incidents are what they would be without them.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.simulation.bitaxes import scaled
from tests.simulation.shape import (
    CALM_EVENING_SECONDS,
    DAY_SECONDS,
    PLUG_AGENT,
    POOL_POLLER,
    Incident,
    MinerShape,
    Shape,
    lasting_seconds,
)

POOL, STRIP_HOST = "mine", "192.0.2.50"
SPARE_OUTLET = 6
"""Feeds the network, and is never switched."""
_FARMS = 1 / 4
"""So many have any."""
_OUTLETS = 5


def with_rigs(seed: int, shape: Shape) -> Shape:
    """The farm with the rigs and outlets that this seed gives it."""
    chance = random.Random(f"rigs {seed}")
    if chance.random() >= _FARMS:
        return shape
    miners = {f"r{number}": _rig(chance, number) for number in range(chance.choice([1, 1, 2]))}
    free = list(range(len(miners) + 1, _OUTLETS + 1))
    for name, miner in shape.miners.items():
        fed = not miner.is_bitaxe and chance.random() < 0.6 and bool(free)
        plug = {"plug": _plug(free.pop(0))} | _watch(chance, name) if fed else {}
        miners[name] = replace(miner, settings=miner.settings | plug)
    settings = shape.settings | {
        "pools": {POOL: {"provider": "ckpool", "url": f"http://{POOL}.test"}},
        "never_switch": [{"host": STRIP_HOST, "outlet": SPARE_OUTLET}],
    }
    scale = sum(one.nominal_w for one in miners.values()) / sum(one.nominal_w for one in shape.miners.values())
    return replace(shape, settings=settings, miners=miners, site=scaled(shape.site, scale))


def _rig(chance: random.Random, number: int) -> MinerShape:
    nominal_w = chance.choice((600, 1100, 1600))
    settings: dict[str, Any] = {"nominal_w": float(nominal_w), "plug": _plug(number + 1)}
    if chance.random() < 0.7:
        stop = round(chance.uniform(20, 80), 1)
        settings |= {"stop_soc": stop, "resume_soc": round(stop + chance.uniform(1, 15), 1)}
    if chance.random() < 0.06:
        settings["observe"] = True
    return MinerShape("", nominal_w, settings | _watch(chance, f"r{number}", sure=number == 0), driver="plug")


def _plug(outlet: int) -> dict[str, Any]:
    return {"host": STRIP_HOST, "outlet": outlet}


def _watch(chance: random.Random, name: str, *, sure: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status_check_frequency": timedelta(seconds=chance.choice([300, 600, 1200])),
        "status_check_cooldown": timedelta(seconds=chance.choice([300, 600, 1800])),
        "max_consecutive_restarts": chance.choice([1, 2, 3, 3]),
    }
    return found | ({"worker": f"{POOL}/farm/{name}"} if chance.random() < 0.9 or sure else {})


# --- incidents

PLUG_FAULTS, POOL_FAULTS = (
    ("plug_silent", "plug_refuses", "plug_lies"),
    ("pool_out", "pool_nonsense", "pool_late", "pool_forgets"),
)
_PROCESSES = (PLUG_AGENT, POOL_POLLER)
_Maker = Callable[[random.Random, list[str]], tuple[str, float]]


def _of_rig(chance: random.Random, fed: list[str]) -> tuple[str, float]:
    return chance.choice(fed), 0.0


def _relapsing(chance: random.Random, fed: list[str]) -> tuple[str, float]:
    return chance.choice(fed), float(chance.choice([1, 10, 60]))


def _of_nobody(_chance: random.Random, _fed: list[str]) -> tuple[str, float]:
    return "", 0.0


def _of_process(chance: random.Random, _fed: list[str]) -> tuple[str, float]:
    return chance.choice(_PROCESSES), 0.0


_KINDS: dict[str, tuple[int, _Maker]] = {
    "hangs": (12, _of_rig),
    "unstable": (3, _relapsing),
    "stops_hashing": (4, _of_rig),
    **dict.fromkeys(PLUG_FAULTS, (2, _of_nobody)),
    **dict.fromkeys(POOL_FAULTS[:-1], (2, _of_nobody)),
    "pool_forgets": (2, _of_rig),
    "kill": (6, _of_process),
    "freeze": (3, _of_process),
    "unplugged": (2, _of_process),
    "pause": (2, _of_rig),
    "maintenance": (1, _of_rig),
    "automatic": (2, _of_rig),
}
RIG_KINDS = tuple(_KINDS)
_LONG = {"hangs", "unstable", "stops_hashing"}
_LONG_SECONDS = (3600.0, 6 * 3600.0)
"""Before a person comes and pulls the plug."""


def with_rig_ills(seed: int, shape: Shape, found: tuple[Incident, ...]) -> tuple[Incident, ...]:
    """The incidents of a day, with those of rigs, outlets and pool."""
    if not shape.fed:
        return found
    chance = random.Random(f"rig ills {seed}")
    kinds = [*chance.sample(RIG_KINDS, chance.randint(2, 6)), "hangs"]
    own = [_incident(chance, kinds, list(shape.fed)) for _ in range(chance.choice([1, 2, 3, 4, 6, 8]))]
    return tuple(sorted([*found, *own], key=lambda incident: incident.at_seconds))


def _incident(chance: random.Random, kinds: list[str], fed: list[str]) -> Incident:
    kind = chance.choices(kinds, weights=[_KINDS[kind][0] for kind in kinds])[0]
    at_seconds = chance.uniform(0, DAY_SECONDS - CALM_EVENING_SECONDS)
    lasts = lasting_seconds(chance, at_seconds)
    if kind in _LONG:
        lasts = min(chance.uniform(*_LONG_SECONDS), DAY_SECONDS - CALM_EVENING_SECONDS - at_seconds)
    target, value = _KINDS[kind][1](chance, fed)
    return Incident(round(at_seconds, 1), kind, target, round(lasts, 1), value)
