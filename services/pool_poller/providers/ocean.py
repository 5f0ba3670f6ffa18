"""OCEAN tells no time of a share for each worker, but hashrates over windows from a minute to a day.

The shortest window with a hashrate says when the last share came at the latest: before the longest empty one. So a
worker that fell silent looks 10 minutes old until the window of 30 minutes is empty, too; never older than it is.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from services.pool_poller.body import refuse
from services.pool_poller.declared import DeclaredProvider
from services.pool_poller.places import KEY, at, rows_at
from services.pool_poller.provider import Answer
from services.pool_poller.spec import ErrorPlace, RowPlaces, Spec, Timing
from services.pool_poller.values import hashrate_of, time_of
from shared.messages import LastSeenKind

_WINDOW = re.compile(r"hashrate_(\d{1,6})s", re.ASCII)

SPEC = Spec(
    "ocean",
    "{base}/user_hashrate_full/{account}",
    "result.workers",
    RowPlaces(KEY, "last_seen", "hashrate_300s"),
    Timing(poll_seconds=60, offline_seconds=900, floor_seconds=600),
    "https://api.ocean.xyz/v1",
    kind=LastSeenKind.DERIVED,
    as_of="result.snap_ts",
    # The same words where the account is unknown and where nobody of it works: nothing may follow from them.
    errors=(ErrorPlace("error", words={"no such user": "unknown_account", "no active workers": "unknown_account"}),),
    # Who is offline for long is left out.
    absent_is_offline=True,
)


class Ocean(DeclaredProvider):
    """OCEAN; see above."""

    def __init__(self, spec: Spec = SPEC) -> None:
        super().__init__(spec)

    def _body(self, answer: Answer) -> Any:
        body = super()._body(answer)
        rows = rows_at(body, self.spec.workers)
        if rows is None:
            refuse("bad_answer", "it has no list of workers")
        taken_at = time_of(at(body, "result.snap_ts"))
        if taken_at is None:
            refuse("bad_answer", "it does not say of when it is")
        timed = {name: _row(row, taken_at) for name, row in rows}
        return {"result": {"snap_ts": taken_at.isoformat(), "workers": timed}}


def _row(row: Any, taken_at: datetime) -> Any:
    """The row with the time of the last share in it."""
    windows = at(row, "[0]")
    if not isinstance(windows, dict):
        return None
    seen_at = _last_seen(windows, taken_at)
    return windows | {"last_seen": None if seen_at is None else seen_at.isoformat()}


def _last_seen(windows: dict[str, Any], taken_at: datetime) -> datetime | None:
    """The latest time that the windows allow; None where one is unknown before the first that is not empty."""
    lengths = sorted((int(found[1]), key) for key in windows if (found := _WINDOW.fullmatch(key)))
    empty_seconds = 0
    for seconds, key in lengths:
        hashrate_hs = hashrate_of(windows[key], 1.0)
        if hashrate_hs is None:
            return None
        if hashrate_hs > 0:
            break
        empty_seconds = seconds
    return taken_at - timedelta(seconds=empty_seconds) if lengths else None
