"""Which epochs an agent obeys: read from the agent itself, for a lower one may be overruled within milliseconds."""

from datetime import datetime, timedelta
from typing import Any

from services.policy_engine.rules import MinerId
from shared.agent import Agent
from shared.lease import Held
from tests.simulation.process import Process


class Epochs:
    """Of one miner; begins anew with each start of its agent, and when its fence has fallen."""

    def __init__(self, miner: MinerId) -> None:
        self._miner = miner
        self._agent_starts = 0
        self._highest = -1
        self._highest_at: datetime | None = None
        self._held: Held[Any] | None = None

    def look(self, process: Process, now: datetime, fence: timedelta) -> tuple[int | None, int]:
        """The epoch of the command that is held now, and the highest that was held before."""
        if process.starts != self._agent_starts or (self._highest_at is not None and now - self._highest_at >= fence):
            self._agent_starts, self._highest, self._highest_at = process.starts, -1, None
        agent = _agent_of(process)
        held = None if agent is None else agent.tenders[self._miner].lease._held
        if held is None:
            return None, self._highest
        before = self._highest
        if held is not self._held and held.command.epoch >= before:
            # The fence stands for as long from the last word of an epoch, however long that is held.
            self._highest, self._highest_at = held.command.epoch, now
        self._held = held
        return held.command.epoch, before


def _agent_of(process: Process) -> Agent[Any, Any] | None:
    jobs = [] if process.service is None else process.service._ready
    owners = (getattr(job, "__self__", None) for job in jobs)
    return next((owner for owner in owners if isinstance(owner, Agent)), None)
