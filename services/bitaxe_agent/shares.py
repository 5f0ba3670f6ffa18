"""Whether a device really hashes: its hashrate may stand frozen while no share arrives. Pure but for what it remembers.

Time is the device's own uptime where it tells one, so that nothing is concluded from our own absence.
"""

from dataclasses import dataclass

from services.bitaxe_agent.parse import Readout
from services.bitaxe_agent.setting import Setting

FROZEN_SECONDS = 600.0
SHARELESS_SECONDS = 1800.0
_FROZEN_INTERVALS = 10
_SHARELESS_INTERVALS = 20
"""Shares come at random: ten times the mean interval without one happens once in twenty thousand."""
_HASHES_PER_DIFFICULTY = 2.0**32


@dataclass(frozen=True)
class Evidence:
    """What the counters say."""

    flatline: bool = False
    """The hashrate has stood still to the last digit, and no share was found: it does not hash."""
    shareless_seconds: float | None = None
    """So long without a share, where that is much longer than chance allows; the pool may be the cause."""


class ShareWatch:
    """Follows the counters of one device."""

    def __init__(self) -> None:
        self._shares: int | None = None
        self._shares_at = 0.0
        self._rate: tuple[float | None, Setting | None] = (None, None)
        self._rate_at = 0.0
        self._uptime = 0.0

    def look(self, readout: Readout, seconds: float) -> Evidence:
        """One reading. `seconds`: our own time, for devices that tell no uptime."""
        uptime = seconds if readout.uptime_seconds is None else readout.uptime_seconds
        shares = _total(readout)
        rebooted = uptime < self._uptime
        self._uptime = uptime
        if rebooted or shares is None or shares != self._shares:
            self._shares, self._shares_at = shares, uptime
        rate = (readout.hashrate_ghs, readout.setting)
        if rebooted or rate != self._rate:
            self._rate, self._rate_at = rate, uptime
        if shares is None or readout.paused or not readout.hashrate_ghs:
            self._shares_at = uptime
            return Evidence()
        return self._judged(uptime, _interval_seconds(readout))

    def _judged(self, uptime: float, interval_seconds: float) -> Evidence:
        shareless, frozen = uptime - self._shares_at, uptime - self._rate_at
        flat = min(shareless, frozen) >= max(FROZEN_SECONDS, _FROZEN_INTERVALS * interval_seconds)
        late = shareless >= max(SHARELESS_SECONDS, _SHARELESS_INTERVALS * interval_seconds)
        return Evidence(flat, shareless if late else None)


def _total(readout: Readout) -> int | None:
    """Rejected shares are proof of hashing, too."""
    if readout.shares_accepted is None:
        return None
    return readout.shares_accepted + (readout.shares_rejected or 0)


def _interval_seconds(readout: Readout) -> float:
    """The mean time between two shares; 0 where the difficulty is not known."""
    if readout.difficulty is None or not readout.hashrate_ghs:
        return 0.0
    return readout.difficulty * _HASHES_PER_DIFFICULTY / (readout.hashrate_ghs * 1e9)
