"""What a witness has seen of one miner."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.messages import MinerCommand, MinerTelemetry
from tests.simulation.outside_pauses import OutsidePauses

_DAY = timedelta(days=1)


@dataclass
class Record:
    """What has been seen of one miner."""

    command: MinerCommand | None = None
    before: MinerCommand | None = None
    fresh: bool = False
    telemetry: MinerTelemetry | None = None
    heard_at: datetime | None = None
    impossible: bool = False
    chain_since: datetime | None = None
    switches_seen: int = 0
    starts: list[datetime] = field(default_factory=list)
    hashing_at: datetime | None = None
    """The newest reading that shows it drawing power."""
    off_since: datetime | None = None
    pause_told_at: datetime | None = None
    stop_delay: timedelta | None = None
    restart_changed: str = ""
    outside_pauses: OutsidePauses = field(default_factory=OutsidePauses)


def with_start(record: Record, at: datetime) -> list[datetime]:
    """The starts of the last 24 hours. One that is tried again because no reading showed it done is one start."""
    seen = record.hashing_at is not None and record.starts[-1:] < [record.hashing_at]
    known = record.starts if seen else record.starts[:-1]
    return [start for start in known if at - start < _DAY] + [at]
