"""What a simulated farm and its day are made of. Pure."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.simulator.site import SiteShape

DAY_SECONDS = 86_400.0
CALM_EVENING_SECONDS = 3 * 3600.0
"""Nothing goes wrong in the last hours: all must have converged by the end of the day."""
VNISH_AGENT, BITAXE_AGENT, PLUG_AGENT, POOL_POLLER = "vnish_agent", "bitaxe_agent", "kasa_power_agent", "pool_poller"
PROCESSES = ("policy_engine", "soc_bridge", VNISH_AGENT)
"""Those of every farm."""
AGENTS = (VNISH_AGENT, BITAXE_AGENT, PLUG_AGENT)


@dataclass(frozen=True)
class Incident:
    """Something that happens at a second of the day, and is over after a while."""

    at_seconds: float
    kind: str
    target: str = ""
    lasts_seconds: float = 0.0
    value: float = 0.0

    def text(self) -> str:
        """As it stands in a replay."""
        hours, rest = divmod(int(self.at_seconds), 3600)
        clock = f"{(hours + 4) % 24:02}:{rest // 60:02}:{rest % 60:02}"
        told = [clock, self.kind]
        told += [self.target] if self.target else []
        told += [f"for {self.lasts_seconds:.0f} s"] if self.lasts_seconds else []
        return " ".join(told + ([f"({self.value:g})"] if self.value else []))


@dataclass(frozen=True)
class MinerShape:
    """One miner of a simulated farm."""

    generation: str
    nominal_w: int
    settings: dict[str, Any]
    presets: bool = False
    driver: str = "vnish"
    board: str = ""
    """Of a Bitaxe: its name in the simulator."""

    @property
    def is_bitaxe(self) -> bool:
        return self.driver == "bitaxe"

    @property
    def is_rig(self) -> bool:
        """It has no interface of its own."""
        return self.driver == "plug"


@dataclass(frozen=True)
class Shape:
    """One simulated farm. `settings` is what a farm file would hold."""

    settings: dict[str, Any]
    miners: dict[str, MinerShape]
    site: SiteShape
    state_of_charge_percent: float
    drift_ppm: dict[str, float] = field(default_factory=dict)

    @property
    def lease(self) -> timedelta:
        lease: timedelta = self.settings["rules"]["lease"]
        return lease

    @property
    def bitaxes(self) -> tuple[str, ...]:
        return tuple(name for name, miner in self.miners.items() if miner.is_bitaxe)

    @property
    def fed(self) -> tuple[str, ...]:
        """The miners that hang on an outlet."""
        return tuple(name for name, miner in self.miners.items() if "plug" in miner.settings)

    @property
    def slack_seconds(self) -> float:
        """How sluggish quiet hours may be: well below what renewals and polls need."""
        return self.lease.total_seconds() / 6


@dataclass(frozen=True)
class History:
    """A seed and the incidents of its day; a shorter one has the same seed and fewer incidents."""

    seed: int
    incidents: tuple[Incident, ...]


_SHORTEST_SECONDS, _LONGEST_SECONDS = 1.0, 4 * 3600.0


def lasting_seconds(chance: random.Random, at_seconds: float) -> float:
    """How long an incident lasts. Short and long ones alike: each decade of seconds is as likely as the next."""
    lasts: float = _SHORTEST_SECONDS * (_LONGEST_SECONDS / _SHORTEST_SECONDS) ** chance.random()
    return min(lasts, DAY_SECONDS - CALM_EVENING_SECONDS - at_seconds)
