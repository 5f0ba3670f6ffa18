"""Looks at a farm again and again, and tells what does not hold. Pure but for what it remembers."""

from dataclasses import dataclass
from datetime import datetime

from services.policy_engine.invariants import INVARIANTS
from services.policy_engine.rules import MinerId
from services.policy_engine.sight import Scene


@dataclass(frozen=True)
class Breach:
    """An invariant that does not hold."""

    invariant: str
    miner: MinerId
    at: datetime
    sentence: str


class Inspector:
    """Looks again and again, and counts for how long each thing has been wrong. Each breach is told once."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, MinerId], datetime] = {}
        self._told: set[tuple[str, MinerId]] = set()

    def look(self, scene: Scene) -> list[Breach]:
        """What is newly broken in this scene."""
        found = []
        for invariant in INVARIANTS:
            for name, sight in scene.sights.items():
                key = (invariant.name, name)
                sentence = invariant.broken(scene, sight)
                if sentence is None:
                    self._since.pop(key, None)
                    self._told.discard(key)
                    continue
                since = self._since.setdefault(key, scene.now)
                if scene.now - since >= invariant.lasts(scene.bounds) and key not in self._told:
                    self._told.add(key)
                    found.append(Breach(invariant.name, name, scene.now, sentence))
        return found
