"""What is known of one worker between two answers, and how it is told."""

from dataclasses import dataclass
from datetime import datetime

from services.pool_poller.trouble import TROUBLES
from shared.messages import LastSeenKind, PoolReading, PoolVerdict

DETAIL_LENGTH_MAX = 400
POOL_JUST_BACK = "pool_just_back"
CUTS_OFF = TROUBLES | {POOL_JUST_BACK}
_HASHES_OF_A_TH = 1e12


@dataclass(frozen=True)
class Wanted:
    """One miner's worker, as the farm file names it."""

    miner: str
    pool: str
    worker: str
    offline_after_seconds: float


@dataclass(frozen=True)
class Standing:
    """The verdict on one worker, and what it rests on. Times of the farm's clock, but for `confirmed_seconds`."""

    since: datetime
    verdict: PoolVerdict = PoolVerdict.UNKNOWN
    seen: bool = False
    """Whether a good answer has ever shown it."""
    listed_as: str | None = None
    """The name under which the pool listed it last."""
    last_seen_at: datetime | None = None
    last_seen_kind: LastSeenKind | None = None
    confirmed_at: datetime | None = None
    confirmed_seconds: float | None = None
    """The same on our clock of real seconds: how long ago an answer was good counts in polls, also on a fast clock."""
    others_online: int | None = None
    hashrate_hs: float | None = None
    unseen_since: datetime | None = None
    """Since which good answer it has been absent, or shown as off without a time."""
    unseen_in_row: int = 0
    """How many good answers in a row have shown it so."""
    cut_off: bool = False
    """The pool has not answered well for so long that its next answer says little of who is at work."""
    back_since: datetime | None = None
    """Since when it answers again after that."""
    problem: str | None = None
    detail: str = ""


def reading(standing: Standing, wanted: Wanted, now: datetime, *, retired: bool) -> PoolReading:
    """The message."""
    return PoolReading(
        at=now,
        pool=wanted.pool,
        worker=wanted.worker,
        verdict=standing.verdict,
        since=standing.since,
        last_seen_at=standing.last_seen_at,
        last_seen_kind=standing.last_seen_kind,
        confirmed_at=standing.confirmed_at,
        offline_after_seconds=wanted.offline_after_seconds,
        others_online=standing.others_online,
        hashrate_ths=None if standing.hashrate_hs is None else standing.hashrate_hs / _HASHES_OF_A_TH,
        retired=retired,
        problem=standing.problem,
        detail=standing.detail[:DETAIL_LENGTH_MAX],
    )


def restored(previous: PoolReading | None, wanted: Wanted, now: datetime, seconds: float) -> Standing:
    """What the broker remembers of us, if it is about the same worker of the same pool."""
    if previous is None or (previous.pool, previous.worker) != (wanted.pool, wanted.worker) or previous.at > now:
        return Standing(since=now)
    known = previous.verdict is not PoolVerdict.UNKNOWN
    confirmed_seconds = None
    if previous.confirmed_at is not None:
        confirmed_seconds = seconds - (now - previous.confirmed_at).total_seconds()
    return Standing(
        since=previous.since,
        verdict=previous.verdict,
        seen=known or previous.last_seen_at is not None,
        last_seen_at=previous.last_seen_at,
        last_seen_kind=previous.last_seen_kind,
        confirmed_at=previous.confirmed_at,
        confirmed_seconds=confirmed_seconds,
        others_online=previous.others_online,
        cut_off=not known and previous.problem in CUTS_OFF,
        problem=previous.problem,
        detail=previous.detail,
    )
