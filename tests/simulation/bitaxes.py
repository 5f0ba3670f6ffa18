"""The Bitaxes of a simulated farm, and what befalls them. Pure.

Drawn by chances of their own, so that a seed's other miners, rules and incidents are what they would be without them.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.simulator.axeos_board import BOARDS, Board
from services.simulator.site import SiteShape
from tests.simulation.hours import hours
from tests.simulation.shape import (
    BITAXE_AGENT,
    CALM_EVENING_SECONDS,
    DAY_SECONDS,
    VNISH_AGENT,
    Incident,
    MinerShape,
    Shape,
    lasting_seconds,
)

_FARMS = 1 / 3
"""So many have any."""
_GENERATIONS = ("2.4", "2.10", "2.12", "2.15", "2.15")
_BOARDS = ("gamma", "gamma", "supra", "ultra", "gt", "hex")


def with_bitaxes(seed: int, shape: Shape) -> Shape:
    """The farm with the Bitaxes that this seed gives it: beside the others, or in the place of some."""
    chance = random.Random(f"bitaxes {seed}")
    if chance.random() >= _FARMS:
        return shape
    miners, schedules = dict(shape.miners), {}
    has_sun = bool(shape.settings["site"])
    for number in range(chance.choice([1, 1, 2, 3])):
        others = [name for name, miner in miners.items() if not miner.is_bitaxe]
        name = chance.choice(others) if others and chance.random() < 0.4 else f"b{number}"
        miners[name], windows = _bitaxe(chance, has_sun=has_sun)
        if windows:
            schedules[f"of_{name}"] = windows
            miners[name].settings["schedule"] = f"of_{name}"
    scale = _whole_w(miners) / _whole_w(shape.miners)
    settings = shape.settings | {"schedules": schedules, "groups": _groups(chance, shape, miners)}
    drift = dict(shape.drift_ppm)
    if drift:
        drift[BITAXE_AGENT] = chance.uniform(-150, 150)
    return replace(shape, settings=settings, miners=miners, site=scaled(shape.site, scale), drift_ppm=drift)


def _bitaxe(chance: random.Random, *, has_sun: bool) -> tuple[MinerShape, list[dict[str, Any]]]:
    name = chance.choice(_BOARDS)
    board = BOARDS[name]
    settings: dict[str, Any] = {
        "steps": chance.choice([1, 3, 5, 8]),
        "delay": timedelta(seconds=chance.choice([2, 5, 10])),
    }
    windows: list[dict[str, Any]] = []
    rule = chance.choice(["schedule", "band", "both", "neither"])
    if rule in {"band", "both"}:
        stop = round(chance.uniform(20, 90), 1)
        settings |= {"stop_soc": stop, "resume_soc": round(min(100.0, stop + chance.uniform(1, 15)), 1)}
    settings |= _limits(chance, board)
    if rule in {"schedule", "both"}:
        windows = hours(chance, board, settings, has_sun=has_sun)
    return MinerShape(chance.choice(_GENERATIONS), round(board.stock_w), settings, driver="bitaxe", board=name), windows


def _limits(chance: random.Random, board: Board) -> dict[str, Any]:
    chip = board.chip
    unlikely: tuple[tuple[float, str, Any], ...] = (
        (0.2, "max_frequency_mhz", float(chance.choice([450, 500, 550]))),
        (0.2, "max_voltage_mv", chance.choice([chip.default_mv, chip.default_mv + 30, 1250])),
        (0.3, "max_chip_celsius", float(chance.choice([60, 65, 68]))),
        (0.1, "max_regulator_celsius", float(chance.choice([75, 85]))),
        (0.3, "profile", chance.choice(["quiet", "efficient", "performance"])),
        (0.3, "failsafe", chance.choice(["pause", "safe_point", "hold"])),
        (0.3, "nominal_w", float(round(board.stock_w))),
        (0.2, "max_w", float(round(board.stock_w * chance.uniform(0.5, 1.2)))),
        (0.15, "require_grid", True),
        (0.08, "observe", True),
    )
    return {key: value for likely, key, value in unlikely if chance.random() < likely}


def _groups(chance: random.Random, shape: Shape, miners: dict[str, MinerShape]) -> dict[str, Any]:
    """Those of before, as tight as before; and some of the Bitaxes on a shelf of their own."""
    groups: dict[str, Any] = {}
    for name, group in shape.settings["groups"].items():
        before, now = (sum(whole[member].nominal_w for member in group["members"]) for whole in (shape.miners, miners))
        cap = {"max_w": max(1, round(group["max_w"] * now / before))} if "max_w" in group else {}
        groups[name] = group | cap
    added = [name for name in miners if name not in shape.miners]
    if len(added) > 1 and chance.random() < 0.5:
        total_w = sum(miners[name].nominal_w for name in added)
        groups["shelf"] = {"members": added, "max_w": round(total_w * chance.uniform(0.5, 1.2))}
    return groups


def _whole_w(miners: dict[str, MinerShape]) -> int:
    return sum(miner.nominal_w for miner in miners.values())


def scaled(site: SiteShape, scale: float) -> SiteShape:
    """As large for these miners as it was for those."""
    return replace(
        site,
        battery_wh=site.battery_wh * scale,
        charge_limit_w=site.charge_limit_w * scale,
        discharge_limit_w=site.discharge_limit_w * scale,
        pv_peak_w=site.pv_peak_w * scale,
    )


# --- incidents


def _nothing(_chance: random.Random) -> float:
    return 0.0


def _celsius(chance: random.Random) -> float:
    return float(chance.choice([64, 68, 72, 73, 74, 78, 85]))


def _setting(chance: random.Random) -> float:
    return float(chance.randint(0, 999))


_ILLS: dict[str, tuple[int, Callable[[random.Random], float]]] = {
    "heat": (6, _celsius),
    "stalled": (2, _nothing),
    "overheats": (4, _nothing),
    "flatline": (3, _nothing),
    "stubborn": (1, _nothing),
    "dead": (1, _nothing),
    "blind": (2, _nothing),
    "cold": (1, _nothing),
    "text": (1, _nothing),
    "absurd": (1, _nothing),
    "outsider": (1, _nothing),
    "deaf": (1, _nothing),
    "sags": (1, _nothing),
    "restarts": (2, _nothing),
    "set_outside": (3, _setting),
    **dict.fromkeys(("silent", "resets", "half", "garbage", "refuses", "lies", "slow"), (1, _nothing)),
    "swapped": (2, _nothing),
    "reboots": (3, _nothing),
    "paused_outside": (2, _nothing),
    "started_outside": (2, _nothing),
}
"""Weight and value of each kind."""
BITAXE_KINDS = tuple(_ILLS)
_INSTEAD = {"token_dies": "outsider", "flooded": "deaf", "miner_null": "blind", "fails": "flatline"}
"""What of a VNish miner's ills comes nearest."""
_SLOW_ILLS = {"heat", "stalled"}
_SLOW_SECONDS = (300.0, 4 * 3600.0)
"""A room does not warm for seconds."""
_MOVED = 0.4
"""So many of the others' incidents befall Bitaxes instead."""


def with_ills(seed: int, shape: Shape, found: list[Incident]) -> tuple[Incident, ...]:
    """The incidents of a day: some of the others' happen to Bitaxes, and some are their own."""
    if not shape.bitaxes:
        return tuple(found)
    chance = random.Random(f"ills {seed}")
    moved = [_moved(chance, incident, shape) for incident in found]
    kinds = chance.sample(BITAXE_KINDS, chance.randint(2, 6)) + (["heat"] if chance.random() < 0.5 else [])
    own = [_incident(chance, kinds, shape.bitaxes) for _ in range(chance.choice([0, 1, 1, 2, 3, 4, 6]))]
    return tuple(sorted([*moved, *own], key=lambda incident: incident.at_seconds))


def _moved(chance: random.Random, incident: Incident, shape: Shape) -> Incident:
    moves, whither = chance.random() < _MOVED, chance.choice(shape.bitaxes)
    target = incident.target
    if target == VNISH_AGENT and (moves or len(shape.bitaxes) == len(shape.miners)):
        return replace(incident, target=BITAXE_AGENT)
    if target in shape.miners and moves:
        target = whither
    if target in shape.bitaxes:
        return replace(incident, target=target, kind=_INSTEAD.get(incident.kind, incident.kind))
    return incident


def _incident(chance: random.Random, kinds: list[str], names: tuple[str, ...]) -> Incident:
    kind = chance.choices(kinds, weights=[_ILLS[kind][0] for kind in kinds])[0]
    at_seconds = chance.uniform(0, DAY_SECONDS - CALM_EVENING_SECONDS)
    lasts = lasting_seconds(chance, at_seconds)
    if kind in _SLOW_ILLS:
        lasts = min(chance.uniform(*_SLOW_SECONDS), DAY_SECONDS - CALM_EVENING_SECONDS - at_seconds)
    value = _ILLS[kind][1](chance)
    return Incident(round(at_seconds, 1), kind, chance.choice(names), round(lasts, 1), value)
