"""Whether shares come as they must: the one proof of hashing that a frozen hashrate cannot forge. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.policy_engine.rules import Rules
from shared.messages import MinerState, MinerTelemetry

_HASHES_PER_DIFFICULTY = 2.0**32
_HASHES_PER_TH = 1e12
INTERVALS = 20
"""Shares come at random: twenty times the mean interval without one happens once in five hundred million."""
SHORTEST = timedelta(minutes=10)
WITHOUT_DIFFICULTY = timedelta(minutes=30)
"""Where nobody tells how hard a share is. Only a pool whose shares are far too hard for its miner asks for more."""


@dataclass(frozen=True)
class SharesSeen:
    """How a miner's counter of accepted shares has moved, on our own clock."""

    count: int | None = None
    since: datetime | None = None
    """When it last moved, or when hashing was seen to begin; None while it does not hash or tells no count."""
    interval: timedelta | None = None
    """The mean time between two shares, as last known: it is still wanted when the miner answers no more."""

    def longest(self, rules: Rules) -> timedelta:
        """How long a gap between two shares may be before it is no chance."""
        if self.interval is None:
            return rules.at_least(WITHOUT_DIFFICULTY, 30)
        return max(rules.at_least(SHORTEST, 10), INTERVALS * self.interval)


def shares_after(seen: SharesSeen, telemetry: MinerTelemetry, heard_at: datetime) -> SharesSeen:
    """What is known of the shares after a reading; the same object where it teaches nothing new."""
    interval = share_interval(telemetry) or seen.interval
    count = telemetry.shares_accepted if telemetry.state is MinerState.HASHING else None
    since = None if count is None else seen.since
    # Less than before is a miner that has begun anew.
    if count is not None and count != seen.count:
        since = heard_at
    if (count, since, interval) == (seen.count, seen.since, seen.interval):
        return seen
    return SharesSeen(count, since, interval)


def share_interval(telemetry: MinerTelemetry) -> timedelta | None:
    """The mean time between two shares; None where hashrate or difficulty is not told, or the time beyond measure."""
    if not telemetry.hashrate_ths or telemetry.share_difficulty is None:
        return None
    seconds = telemetry.share_difficulty * _HASHES_PER_DIFFICULTY / (telemetry.hashrate_ths * _HASHES_PER_TH)
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        return None


def shareless_for(seen: SharesSeen, heard_at: datetime, rules: Rules) -> timedelta | None:
    """For how long it has found none, up to its last reading, and says that it hashes; None where it may be chance."""
    if seen.since is None or heard_at - seen.since <= seen.longest(rules):
        return None
    return heard_at - seen.since
