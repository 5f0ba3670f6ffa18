"""How to bring a miner back: a restart of its mining process, and where that has not helped, a reboot.

Pure but for what it remembers.
"""

from datetime import timedelta

from services.vnish_agent.parse import Readout
from shared.messages import MinerState, MinerTelemetry

LAST_RESTART_COUNTS = timedelta(hours=1)


class Revival:
    """Whether one miner has come back since it was last asked to restart."""

    def __init__(self) -> None:
        self._shares: int | None = None
        self._was_away = False
        self._refused = False
        self._is_back = False
        """Also false where another process has asked: then only what is seen from now on counts."""
        self._reboot_required = False

    def look(self, readout: Readout) -> None:
        """One reading. Back is who finds shares; where they are not told, who hashes after it did not."""
        hashes = readout.state is MinerState.HASHING
        before, self._shares = self._shares, readout.shares_accepted
        found = before is not None and self._shares is not None and self._shares > before
        started = self._shares is None and self._was_away
        self._is_back = self._is_back or (hashes and (found or started))
        self._was_away = self._was_away or not hashes
        self._refused = self._refused and not self._is_back
        self._reboot_required = readout.reboot_required

    def unread(self) -> None:
        """It did not answer."""
        self._was_away = True

    def needs_reboot(self, reading: MinerTelemetry) -> bool:
        """Whether a restart of its mining process is not enough."""
        last = reading.last_restart_at
        in_vain = last is not None and reading.at - last < LAST_RESTART_COUNTS and not self._is_back
        return self._reboot_required or self._refused or in_vain

    def asked(self) -> None:
        """It has just been asked to restart."""
        self._is_back = self._was_away = False

    def refused(self) -> None:
        """It has refused a restart of its mining process, as some do that have failed."""
        self._refused = True
