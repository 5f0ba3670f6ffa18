"""What a miner says of its pools: shares, and how difficult they are. Pure."""

import re
from typing import Any

from services.vnish_agent.parse import mapping, number, text

_UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_DIFFICULTY = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s?([KMGTP]?)", re.IGNORECASE)
_IN_USE = "active"
_NOT_THE_OWNERS = {"devfee", "refund"}


def shares_accepted(summary: Any) -> int | None:
    """By all pools together, since the mining process began: also a share for the developers was found by hashing."""
    counts = [number(pool.get("accepted")) for pool in _pools(summary)]
    told = [round(count) for count in counts if count is not None and count >= 0]
    return sum(told) if told else None


def share_difficulty(summary: Any) -> float | None:
    """What the owner's pool in use asks for. None where no pool is in use, or the difficulty is not told."""
    for pool in _pools(summary):
        kind = (text(pool.get("pool_type")) or "").lower()
        if text(pool.get("status")) == _IN_USE and kind not in _NOT_THE_OWNERS:
            return difficulty(pool.get("diff"))
    return None


def difficulty(value: Any) -> float | None:
    """A number, or a text with three digits and a letter for the thousands, such as 65.5K."""
    plain = number(value)
    if plain is None:
        found = _DIFFICULTY.fullmatch(text(value) or "")
        plain = None if found is None else float(found[1]) * _UNITS[found[2].upper()]
    return plain if plain is not None and plain > 0 else None


def _pools(summary: Any) -> list[dict[str, Any]]:
    outer = mapping(summary)
    miner = mapping(outer.get("miner")) or outer
    pools = miner.get("pools")
    return [mapping(pool) for pool in pools] if isinstance(pools, list) else []
