"""Whose turn it is to be looked at: a large farm goes by shares, so that no message waits for the whole of it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from services.policy_engine.rules import MinerId

EVERY = timedelta(seconds=1)
"""In farm time: dwell times, stale inputs and leases run on without any message."""


@dataclass(frozen=True)
class Rota:
    """Each share has its turn once within `EVERY`."""

    shares: tuple[tuple[MinerId, ...], ...]
    looked_at: datetime
    """Up to when every turn has been taken."""
    upcoming: int = 0

    @property
    def period(self) -> timedelta:
        """The time from one turn to the next."""
        return EVERY / max(1, len(self.shares))

    def turn(self, now: datetime) -> tuple[tuple[MinerId, ...] | None, "Rota"]:
        """The miners whose turn has come (None: all, because every share is due), and the rota after it."""
        due = (now - self.looked_at) // self.period
        if due >= len(self.shares):
            return None, self.all_seen(now)
        turns = [self.shares[(self.upcoming + index) % len(self.shares)] for index in range(due)]
        after = replace(
            self, looked_at=self.looked_at + due * self.period, upcoming=(self.upcoming + due) % len(self.shares)
        )
        return tuple(chain.from_iterable(turns)), after

    def shared_anew(self, shares: tuple[tuple[MinerId, ...], ...]) -> "Rota":
        """The rota with other shares, of which the first is the next."""
        return self if shares == self.shares else replace(self, shares=shares, upcoming=0)

    def all_seen(self, now: datetime) -> "Rota":
        """The rota after a look at the whole farm."""
        return replace(self, looked_at=now)
