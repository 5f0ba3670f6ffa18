"""Warmth and averages: what approaches its target the slower the nearer it is, in closed form. Pure."""

import hashlib
import math
from dataclasses import dataclass

from services.simulator.axeos_board import Board

AMBIENT_CELSIUS = 25.0
_STILL_AIR = 0.25
"""How well the heat sink does without a fan, compared with full speed."""


@dataclass(frozen=True)
class Approach:
    """A quantity on its way to `target`."""

    value: float
    target: float
    since_seconds: float
    tau_seconds: float

    def at(self, seconds: float) -> float:
        """Its value at a moment."""
        passed = max(0.0, seconds - self.since_seconds)
        if self.tau_seconds <= 0:
            return self.target
        return self.target + (self.value - self.target) * math.exp(-passed / self.tau_seconds)

    def towards(self, target: float, seconds: float) -> "Approach":
        """On its way to another target, from where it is."""
        return Approach(self.at(seconds), target, seconds, self.tau_seconds)

    def crosses_at(self, limit: float) -> float | None:
        """When it rises above `limit`; its start where it is there already, None where it never will be."""
        if self.value > limit:
            return self.since_seconds
        if self.target <= limit:
            return None
        if self.tau_seconds <= 0:
            return self.since_seconds
        return self.since_seconds + self.tau_seconds * math.log((self.target - self.value) / (self.target - limit))


@dataclass(frozen=True)
class Air:
    """What cools: the room, and the fan in parts of its full speed."""

    ambient_celsius: float
    fan: float

    def chip_celsius(self, board: Board, core_w: float) -> float:
        """Where a chip's temperature settles."""
        return self.ambient_celsius + core_w * board.kelvin_per_watt / (_STILL_AIR + (1 - _STILL_AIR) * self.fan)

    def regulator_celsius(self, board: Board, core_w: float) -> float:
        """Where the regulator's temperature settles."""
        above = (board.regulator_kelvin_per_watt or 0.0) * core_w
        return self.chip_celsius(board, core_w) + above


def fan_for(board: Board, core_w: float, ambient_celsius: float, target_celsius: float, least: float) -> float:
    """The fan that holds the target, as far as one can, in parts of its full speed."""
    room = target_celsius - ambient_celsius
    if room <= 0:
        return 1.0
    wanted = (core_w * board.kelvin_per_watt / room - _STILL_AIR) / (1 - _STILL_AIR)
    return min(1.0, max(least, wanted))


def wobble(name: str, second: float, every_seconds: float = 5.0) -> float:
    """Between -1 and 1, and the same for the same name and time."""
    digest = hashlib.blake2b(f"{name} {math.floor(second / every_seconds)}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 0x7FFF_FFFF - 1.0
