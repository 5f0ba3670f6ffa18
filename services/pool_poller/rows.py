"""From the rows of an answer to the facts of each worker. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.pool_poller.body import refuse
from services.pool_poller.places import KEY, all_at, at, rows_at
from services.pool_poller.provider import NOT_MONITORED, AccountFacts, WorkerFacts
from services.pool_poller.spec import RowPlaces, Spec
from services.pool_poller.values import hashrate_of, name_of, sum_of, time_of, unit_of, word_of
from shared.messages import LastSeenKind

WORKERS_MAX = 10_000
FIGURES_OLD_AFTER = timedelta(minutes=10)


@dataclass
class Rows:
    """What was read so far of one account's answers."""

    workers: list[WorkerFacts] = field(default_factory=list)
    are_all: bool = True
    """False once a row cannot be read, or is left out: then the absence of a name proves nothing."""

    def take(self, body: Any, spec: Spec, now: datetime) -> None:
        """Adds the rows of one answer. Raises PoolAnswerError where they are not where they should be."""
        rows = rows_at(body, spec.workers)
        if rows is None and spec.null_is_empty and _is_null(body, spec.workers):
            rows = []
        if rows is None:
            refuse("bad_answer", "it has no list of workers")
        figures_at = _figures_at(body, spec, now)
        for key, row in rows[:WORKERS_MAX]:
            worker = _worker(key, row, spec, figures_at)
            if worker is None:
                self.are_all = False
            else:
                self.workers.append(worker)
        self.are_all = self.are_all and len(rows) <= WORKERS_MAX
        if rows and not self.workers:
            refuse("bad_answer", "none of its workers has a name")


def facts_of(rows: Rows, spec: Spec) -> AccountFacts:
    """Each name once: a pool may list every session of a worker."""
    merged: dict[str, list[WorkerFacts]] = {}
    for worker in rows.workers:
        merged.setdefault(worker.name, []).append(worker)
    workers = tuple(_as_one(sessions) for sessions in merged.values())
    return AccountFacts(workers, spec.absent_is_offline and rows.are_all)


def _is_null(body: Any, place: str) -> bool:
    found = all_at(body, place)
    return bool(found) and found[0] is None


def _figures_at(body: Any, spec: Spec, now: datetime) -> datetime:
    """Of when the answer is. Raises PoolAnswerError where that is long ago: its pool's statistics stand still."""
    figures_at = time_of(at(body, spec.as_of)) if spec.as_of is not None else None
    if figures_at is not None and now - figures_at > FIGURES_OLD_AFTER:
        refuse("bad_answer", f"its figures are {(now - figures_at).total_seconds() / 60:.0f} min old")
    return figures_at or now


def _worker(key: str, row: Any, spec: Spec, figures_at: datetime) -> WorkerFacts | None:
    places = spec.row
    name = name_of(key if places.name == KEY else at(row, places.name))
    if name is None or not isinstance(row, dict | list):
        return None
    hashrate_hs = _hashrate(row, places)
    unmonitored = places.unmonitored is not None and word_of(at(row, places.unmonitored)) in places.unmonitored_words
    problem = NOT_MONITORED if unmonitored else None
    if places.last_seen is None and places.online is None:
        # Only a hashrate: shares of late are the one thing that it shows.
        seen_at = figures_at if hashrate_hs else None
        online = None if hashrate_hs is None else hashrate_hs > 0
        return WorkerFacts(name, seen_at, LastSeenKind.DERIVED, hashrate_hs, online, problem)
    last_seen_at = time_of(at(row, places.last_seen)) if places.last_seen is not None else None
    online = _online(row, places)
    if online and places.online_is_now:
        last_seen_at = figures_at
    return WorkerFacts(name, last_seen_at, spec.kind, hashrate_hs, online, problem)


def _hashrate(row: Any, places: RowPlaces) -> float | None:
    if places.hashrate is None:
        return None
    factor = unit_of(places.unit if places.unit_place is None else at(row, places.unit_place))
    return sum_of([hashrate_of(said, factor) for said in all_at(row, places.hashrate)])


def _online(row: Any, places: RowPlaces) -> bool | None:
    if places.online is None:
        return None
    said = at(row, places.online)
    # `false` is a word here, not the absence of one.
    word = str(said).casefold() if isinstance(said, bool | int) else word_of(said)
    if word in places.online_words:
        return True
    return False if word in places.offline_words else None


def _as_one(sessions: Sequence[WorkerFacts]) -> WorkerFacts:
    if len(sessions) == 1:
        return sessions[0]
    times = [session.last_seen_at for session in sessions if session.last_seen_at is not None]
    return replace(
        sessions[0],
        last_seen_at=max(times, default=None),
        hashrate_hs=sum_of([session.hashrate_hs for session in sessions]),
        online=_any_online(session.online for session in sessions),
        problem=sessions[0].problem if all(session.problem for session in sessions) else None,
    )


def _any_online(flags: Iterable[bool | None]) -> bool | None:
    known = set(flags)
    return True if True in known else None if None in known else False
