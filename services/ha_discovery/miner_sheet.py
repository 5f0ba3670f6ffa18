"""What decides which entities a miner has. Pure."""

from dataclasses import dataclass
from typing import Any

from services.ha_discovery.facts import Facts
from services.ha_discovery.names import Name
from shared.settings import MinerSettings
from shared.topics import Topic

_TOP_W = 10_000.0
"""How far the slider of a miner goes of which nobody knows what it draws at most."""


@dataclass(frozen=True)
class MinerSheet:
    """What decides which entities a miner has."""

    name: Name
    prefix: str
    settings: MinerSettings
    facts: Facts
    chosen_w: float | None = None

    def topic(self, topic: Topic[Any]) -> str:
        return topic.path(self.prefix, self.name.id)

    @property
    def has_interface(self) -> bool:
        """A rig without one is known by its outlet alone."""
        return self.settings.driver != "plug"

    @property
    def top_w(self) -> float:
        """As far as its limit can be slid: never below what holds."""
        known = self.facts.top_w or self.settings.nominal_w or _TOP_W
        return max(known, self.settings.max_w or 0, self.chosen_w or 0)
