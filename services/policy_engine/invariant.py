"""What an invariant is. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from services.policy_engine.sight import Bounds, Scene, Sight

_AT_ONCE = timedelta()


@dataclass(frozen=True)
class Invariant:
    """`broken` says what is wrong with a miner at this moment, or nothing."""

    name: str
    promise: str
    broken: Callable[[Scene, Sight], str | None]
    lasts: Callable[[Bounds], timedelta] = field(default=lambda _bounds: _AT_ONCE)
