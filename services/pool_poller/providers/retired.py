"""Pools that have closed. Their answers are read as they were documented; they are asked nothing any more.

Flexpool closed in 2023 or early 2024, Ethermine in September 2022 and July 2023, HiveOn in May 2026.
"""

from collections.abc import Mapping

from services.pool_poller.places import KEY
from services.pool_poller.provider import Complaint
from services.pool_poller.spec import ErrorPlace, RowPlaces, Spec, Timing

# Flexpool renewed its figures every 5 to 10 minutes, and less often for those who asked often.
_TIMING = Timing(poll_seconds=300, offline_seconds=1800, floor_seconds=900, poll_floor_seconds=300)
_ADDRESS: Mapping[str, Complaint] = {
    "address": "unknown_account",
    "no data": "unknown_account",
    "not found": "unknown_account",
}

FLEXPOOL = Spec(
    "flexpool",
    "",
    "result",
    RowPlaces("name", "lastSeen", "currentEffectiveHashrate"),
    _TIMING,
    errors=(ErrorPlace("error", words=_ADDRESS),),
    retired=True,
)
ETHERMINE = Spec(
    "ethermine",
    "",
    "data",
    RowPlaces("worker", "lastSeen", "currentHashrate"),
    _TIMING,
    errors=(ErrorPlace("error", words=_ADDRESS),),
    retired=True,
)
HIVEON = Spec(
    "hiveon",
    "",
    "workers",
    RowPlaces(KEY, "sharesStatusStats.lastShareDt", "hashrate"),
    _TIMING,
    retired=True,
)
