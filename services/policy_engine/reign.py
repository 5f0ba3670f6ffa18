"""Which of several engines is in charge: the one with the highest epoch. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum


class Word(Enum):
    """What a command or an epoch message on the bus means to us."""

    OWN = "own"
    MEMORY = "memory"
    """Heard while we are not in charge: what another engine decided."""
    LOWER = "lower"
    """Written by an engine that is no longer in charge."""
    HIGHER = "higher"
    """Another engine has taken over."""


@dataclass(frozen=True)
class Reign:
    """Our place among the engines of a site."""

    engine: str
    epoch: int | None = None
    """Our epoch while we are in charge."""
    highest_seen: int = -1
    rival: str | None = None
    """Who has deposed us."""
    rival_heard_at: datetime | None = None

    def begin(self, now: datetime) -> "Reign":
        """Takes charge above every epoch seen; at least UTC milliseconds, so that a lost memory does no harm."""
        epoch = max(self.highest_seen + 1, int(now.timestamp() * 1000))
        return replace(self, epoch=epoch, highest_seen=epoch, rival=None, rival_heard_at=None)

    def judge(self, engine: str, epoch: int) -> Word:
        """What it means that this engine has written under this epoch."""
        if self.epoch is None:
            return Word.MEMORY
        if (engine, epoch) == (self.engine, self.epoch):
            return Word.OWN
        return Word.HIGHER if (epoch, engine) > (self.epoch, self.engine) else Word.LOWER

    def hear(self, engine: str, epoch: int, now: datetime) -> "Reign":
        """Our place after having heard of an epoch."""
        word = self.judge(engine, epoch)
        after = replace(self, highest_seen=max(self.highest_seen, epoch))
        if word is Word.HIGHER:
            return replace(after, epoch=None, rival=engine, rival_heard_at=now)
        if word is Word.MEMORY and self.rival is not None and epoch >= self.highest_seen:
            return replace(after, rival=engine, rival_heard_at=now)
        return after

    def may_begin(self, now: datetime, silence: timedelta) -> bool:
        """Whether nobody else is in charge: no rival, or one that has been silent for so long."""
        if self.epoch is not None:
            return False
        return self.rival_heard_at is None or now - self.rival_heard_at >= silence
