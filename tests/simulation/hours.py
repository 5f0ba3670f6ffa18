"""A schedule for a simulated Bitaxe: windows over midnight, gaps between them, pauses, the sun. Pure."""

import random
from typing import Any

from services.simulator.axeos_board import Board

_SLOT_HOURS = 2
_HIGHEST_MHZ, _HIGHEST_MV = 600.0, 1300
_SPARE_MV = 20


def hours(chance: random.Random, board: Board, settings: dict[str, Any], *, has_sun: bool) -> list[dict[str, Any]]:
    """Windows that do not overlap; the last one goes on to the first one's beginning, over midnight."""
    if has_sun and chance.random() < 0.3:
        return _by_the_sun(chance, board, settings)
    cuts = sorted(chance.sample(range(24 // _SLOT_HOURS), chance.randint(2, 4)))
    times = [f"{cut * _SLOT_HOURS:02}:{chance.choice(['00', '30', '45'])}" for cut in cuts]
    found: list[dict[str, Any]] = []
    for begins, ends in zip(times, [*times[1:], times[0]], strict=True):
        if chance.random() < 0.8 or not found:
            found.append({"from": begins, "to": ends} | _wish(chance, board, settings))
    if chance.random() < 0.2:
        found[0]["days"] = chance.choice(["mon-sat", "sun", "sat,sun"])
    return found


def _by_the_sun(chance: random.Random, board: Board, settings: dict[str, Any]) -> list[dict[str, Any]]:
    day = {"from": "sunrise + 30 min", "to": "sunset - 1 h"} | _wish(chance, board, settings)
    night = {"from": "sunset", "to": "sunrise"} | _wish(chance, board, settings)
    return [day, night] if chance.random() < 0.5 else [day]


def _wish(chance: random.Random, board: Board, settings: dict[str, Any]) -> dict[str, Any]:
    kind = chance.choice(["point", "point", "profile", "pause"])
    if kind == "profile":
        return {"profile": chance.choice(["quiet", "efficient", "performance"])}
    return {"pause": True} if kind == "pause" else sound_setting(chance, board, settings)


def sound_setting(chance: random.Random, board: Board, settings: dict[str, Any]) -> dict[str, Any]:
    """A voltage that carries its frequency, both within what the owner allows."""
    most_mhz = settings.get("max_frequency_mhz", _HIGHEST_MHZ)
    most_mv = settings.get("max_voltage_mv", _HIGHEST_MV)
    megahertz = float(chance.randrange(350, int(most_mhz) + 1, 25))
    least_mv = board.chip.needed_mv(megahertz) + _SPARE_MV
    while least_mv > most_mv:
        megahertz -= 25.0
        least_mv = board.chip.needed_mv(megahertz) + _SPARE_MV
    millivolts = chance.randrange(int(-(-least_mv // 10)) * 10, most_mv + 10, 10)
    return {"voltage_mv": max(1000, min(millivolts, most_mv)), "frequency_mhz": megahertz}
