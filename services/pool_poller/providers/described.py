"""A pool that the farm file describes: the same engine as for those that are known."""

from services.pool_poller.spec import ErrorPlace, RowPlaces, Spec, Timing
from shared.messages import LastSeenKind
from shared.settings.pools import PoolSettings

_POLL_SECONDS = 60.0


def described(key: str, settings: PoolSettings) -> Spec:
    """The Spec of a described pool."""
    return Spec(
        key,
        settings.url or "",
        settings.workers or "",
        _row(settings),
        _timing(settings),
        coin=settings.coin or "",
        method=settings.method,
        headers=settings.headers,
        body=settings.body,
        kind=LastSeenKind(settings.last_seen_kind),
        errors=() if settings.error is None else (ErrorPlace(settings.error),),
        as_of=settings.as_of,
        absent_is_offline=settings.absent_is_offline,
        needs_secret=any("{secret}" in value for value in settings.headers.values()),
    )


def _row(settings: PoolSettings) -> RowPlaces:
    row = RowPlaces(settings.name)
    online, offline = settings.online_words, settings.offline_words
    return RowPlaces(
        settings.name,
        settings.last_seen,
        settings.hashrate,
        settings.hashrate_unit,
        online=settings.online,
        online_words=row.online_words if online is None else frozenset(word.casefold() for word in online),
        offline_words=row.offline_words if offline is None else frozenset(word.casefold() for word in offline),
    )


def _timing(settings: PoolSettings) -> Timing:
    return Timing(
        poll_seconds=settings.poll.total_seconds() if settings.poll is not None else _POLL_SECONDS,
        offline_seconds=max(settings.offline_after, settings.offline_floor).total_seconds(),
        apart_seconds=settings.apart.total_seconds(),
        floor_seconds=settings.offline_floor.total_seconds(),
        poll_floor_seconds=settings.poll_floor_seconds,
    )
