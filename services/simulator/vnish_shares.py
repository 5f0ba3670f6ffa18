"""The shares that a VNish stand-in finds by the work of its chips, since its mining process began."""

from services.simulator.vnish_config import JOULES_PER_TH

SHARE_DIFFICULTY = 262_144
"""Told as 262K."""
_TERAHASHES_PER_SHARE = SHARE_DIFFICULTY * 2**32 / 1e12


class ShareCounter:
    """Counts whenever somebody looks; between two looks it works as it does at the second."""

    def __init__(self, seconds: float) -> None:
        self._counted_at = seconds
        self._work_terahashes = 0.0

    def begin(self, seconds: float) -> None:
        """Its mining process starts."""
        self._counted_at, self._work_terahashes = seconds, 0.0

    def found(self, hashing_w: float, hashing_since: float, seconds: float) -> int:
        """Up to now. `hashing_w` 0: it does not hash."""
        worked_seconds = max(0.0, seconds - max(self._counted_at, hashing_since))
        self._work_terahashes += hashing_w / JOULES_PER_TH * worked_seconds
        self._counted_at = seconds
        return int(self._work_terahashes / _TERAHASHES_PER_SHARE)
