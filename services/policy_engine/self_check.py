"""The engine looks at its own farm every few seconds, and says so when something is not as it must be."""

import logging
from datetime import datetime

from services.policy_engine.inspector import Breach, Inspector
from services.policy_engine.introspection import bounds_of, scene_of
from services.policy_engine.invariants import PROMISES
from services.policy_engine.rules import Rules
from services.policy_engine.state import Farm
from shared.messages import Event, Severity
from shared.station import Station
from shared.topics import MINER_EVENT

log = logging.getLogger("services.policy_engine")

CHECK_SECONDS = 5.0


class SelfCheck:
    """Only reports: what it checks is the engine's own work, and it may be wrong in the same way."""

    def __init__(self, service: Station) -> None:
        self._service = service
        self._inspector = Inspector()
        self._before: Farm | None = None
        self._synced_at: datetime | None = None

    def forget(self) -> None:
        """While the engine is not in charge, or the broker away, nothing can be said."""
        self._inspector, self._before, self._synced_at = Inspector(), None, None

    def look(self, farm: Farm, rules: Rules, epoch: int) -> None:
        """Tells each breach once, when it begins. `rules`: those that hold, with what people have chosen."""
        now = self._service.clock.now()
        self._synced_at = self._synced_at or now
        scene = scene_of(farm, self._before or farm, bounds_of(rules), now, self._synced_at, epoch)
        self._before = farm
        for breach in self._inspector.look(scene):
            self._tell(breach)

    def _tell(self, breach: Breach) -> None:
        self._service.counts.add("invariant_broken")
        sentence = f"{PROMISES[breach.invariant]}, but {breach.miner} {breach.sentence}"
        log.error("%s: %s", breach.invariant, sentence)
        event = Event(
            at=breach.at,
            code="invariant_broken",
            severity=Severity.ERROR,
            sentence=sentence,
            numbers={"invariant": breach.invariant},
        )
        self._service.publish(MINER_EVENT, breach.miner, event)
