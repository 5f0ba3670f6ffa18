"""How one pool is asked and read, as data, whether it is built in or described. Places are those of `places.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from services.pool_poller.provider import Complaint
from shared.messages import LastSeenKind

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_TRUE = frozenset({"true", "1", "on", "online", "active", "ok", "yes", "mining"})
_FALSE = frozenset({"false", "0", "off", "offline", "inactive", "no", "dead"})


@dataclass(frozen=True)
class ErrorPlace:
    """Where an answer says that it is none, whatever its status. Words are compared in lower case.

    Nothing, false, empty, or one of `fine` is no error; `codes` are looked up whole, `words` within; else `otherwise`.
    """

    place: str
    fine: frozenset[str] = frozenset()
    codes: Mapping[str, Complaint] = field(default_factory=lambda: _NOTHING)
    words: Mapping[str, Complaint] = field(default_factory=lambda: _NOTHING)
    otherwise: Complaint = "pool_error"


@dataclass(frozen=True)
class Paging:
    """How an answer says that there is another page: `more` is something, or `total` of them is not reached."""

    first: int
    more: str | None = None
    total: str | None = None


@dataclass(frozen=True)
class RowPlaces:
    """Where each value of one worker stands, from its row."""

    name: str
    last_seen: str | None = None
    hashrate: str | None = None
    """With `[*]` the sum."""
    unit: str = "H/s"
    unit_place: str | None = None
    online: str | None = None
    """Only where the flag counts; a time alone is better."""
    online_words: frozenset[str] = _TRUE
    offline_words: frozenset[str] = _FALSE
    online_is_now: bool = False
    """The time is one of the pool's look or of a change, so that online means: seen now."""
    unmonitored: str | None = None
    unmonitored_words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Timing:
    """When a pool is asked, and how long unseen is offline; see PoolProvider."""

    poll_seconds: float
    offline_seconds: float
    apart_seconds: float = 1.0
    floor_seconds: float = 300.0
    poll_floor_seconds: float = 60.0


@dataclass(frozen=True)
class Spec:
    """One pool. In `url`, headers and body stand {base}, {account}, {coin} and {page}; {secret} only in headers."""

    key: str
    url: str
    workers: str
    row: RowPlaces
    timing: Timing
    base: str = ""
    coin: str = ""
    method: Literal["GET", "POST"] = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    body: Mapping[str, Any] | None = None
    kind: LastSeenKind = LastSeenKind.SHARE
    errors: tuple[ErrorPlace, ...] = ()
    unknown_account_statuses: frozenset[int] = frozenset({404, 410})
    as_of: str | None = None
    """Where the answer says of when its figures are. Old ones show nobody at work, and so nobody dead."""
    absent_is_offline: bool = False
    null_is_empty: bool = False
    """A pool that writes null for no workers."""
    many_lines: bool = False
    """A pool that writes several JSON values one after another: the first counts."""
    paging: Paging | None = None
    needs_secret: bool = False
    retired: bool = False
