"""What a look at one thing came to."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `fix` is empty where it is fine; no text holds a secret."""

    kind: str
    """Such as broker, miner, plug, pool."""
    name: str
    said: str
    fix: str = ""

    @property
    def is_fine(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.fix


@dataclass(frozen=True)
class Looked:
    """What one look brought: findings, and by whose clock how far that is ahead of this machine's."""

    findings: tuple[Finding, ...]
    ahead: dict[str, timedelta] = field(default_factory=dict)


def fine(kind: str, name: str, said: str) -> Looked:
    """One thing that is as it should be."""
    return Looked((Finding(kind, name, said),))


def wrong(kind: str, name: str, said: str, fix: str) -> Looked:
    """One thing that is not."""
    return Looked((Finding(kind, name, said, fix),))
