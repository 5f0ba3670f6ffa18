"""One good answer about an account, and who is at work in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from services.pool_poller.names import Listed
from services.pool_poller.provider import AccountFacts, WorkerFacts
from shared.messages import LastSeenKind

AHEAD_TOLERATED = timedelta(minutes=2)
"""A time that is further in the pool's own future is nonsense; less is taken for this moment."""


@dataclass(frozen=True)
class Look:
    """The answer, and when it came. Worked out once for all miners of the account."""

    facts: AccountFacts
    now: datetime
    seconds: float
    ahead: timedelta = timedelta(0)
    """How far the pool's clock is ahead of ours."""

    @property
    def pool_now(self) -> datetime:
        return self.now + self.ahead

    @cached_property
    def listed(self) -> Listed:
        """Its workers by their names."""
        return Listed(self.facts.workers)

    def at_work(self, offline_after_seconds: float, *, besides: Sequence[WorkerFacts]) -> int:
        """How many others it shows at work, by the rule for ONLINE."""
        if offline_after_seconds not in self._at_work:
            names = {worker.name for worker in self.facts.workers if self._is_at_work(worker, offline_after_seconds)}
            self._at_work[offline_after_seconds] = names
        names = self._at_work[offline_after_seconds]
        return len(names) - len(names & {worker.name for worker in besides})

    def is_young(self, worker: WorkerFacts, offline_after_seconds: float) -> bool:
        """Whether its own time shows it at work. A pool's word on a status does not age while the pool stands by it."""
        if worker.last_seen_at is None:
            return False
        if worker.kind is LastSeenKind.STATUS and worker.online:
            return True
        return self.pool_now - worker.last_seen_at <= timedelta(seconds=offline_after_seconds)

    def is_in_future(self, seen_at: datetime) -> bool:
        """Whether a time is nonsense."""
        return seen_at - self.pool_now > AHEAD_TOLERATED

    @cached_property
    def _at_work(self) -> dict[float, set[str]]:
        return {}

    def _is_at_work(self, worker: WorkerFacts, offline_after_seconds: float) -> bool:
        if worker.problem is not None or worker.online is False:
            return False
        if worker.last_seen_at is None:
            return worker.online is True
        return not self.is_in_future(worker.last_seen_at) and self.is_young(worker, offline_after_seconds)
