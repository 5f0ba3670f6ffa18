"""What a provider is: which requests ask a pool about an account, and what the answers say. Pure: no I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from shared.messages import LastSeenKind

Complaint = Literal["unknown_account", "unauthorized", "rate_limited", "bad_answer", "retired", "pool_error"]
"""Why an answer is no good one; a Code on the wire."""

NOT_MONITORED = "not_monitored"
"""A worker's problem: its pool does not watch it, so that nothing it says of it counts."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Account:
    """An account, or a payout address, at one pool. `pool` is the name that the farm file gives the pool."""

    pool: str
    name: str
    secret: str | None = field(default=None, repr=False)
    extra: Mapping[str, str] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True)
class PoolRequest:
    """One request. The URL holds no secret; headers may, and a body is sent as JSON."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    body: Mapping[str, Any] | None = None


class Answer(NamedTuple):
    """One whole answer, of whatever status."""

    status: int
    text: str


@dataclass(frozen=True)
class WorkerFacts:
    """What a good answer says of one worker. None is unknown.

    `last_seen_at` is by the pool's own clock, may be in the future, and is None where it cannot be read. `online` is
    the pool's own flag, and None where it has none or does not count. False with a young time is not ONLINE, and not
    OFFLINE before the time is old; True or False without a time is all that the pool says. `problem` (NOT_MONITORED)
    makes the verdict UNKNOWN whatever else is said.
    """

    name: str
    last_seen_at: datetime | None
    kind: LastSeenKind
    hashrate_hs: float | None
    online: bool | None
    problem: str | None = None


@dataclass(frozen=True)
class AccountFacts:
    """All workers of an account, each name once. `absent_is_offline`: the pool leaves out what is offline."""

    workers: tuple[WorkerFacts, ...]
    absent_is_offline: bool


class PoolAnswerError(Exception):
    """No good answer. The sentence is for people, and never repeats what was sent or said."""

    def __init__(self, code: Complaint, sentence: str) -> None:
        super().__init__(sentence)
        self.code: Complaint = code
        self.sentence = sentence


class PoolProvider(Protocol):
    """One pool. Its host is spared: `apart_seconds` lie between any two requests to it, of whatever account."""

    @property
    def key(self) -> str:
        """The name that the farm file gives it: a built-in one, or a key of `pools`."""

    @property
    def retired(self) -> bool:
        """The pool has closed: its answers are read as documented, and nothing may follow from them."""

    @property
    def needs_secret(self) -> bool: ...

    @property
    def poll_seconds(self) -> float: ...

    @property
    def poll_floor_seconds(self) -> float:
        """No wish of a miner makes the poll shorter than this."""

    @property
    def apart_seconds(self) -> float: ...

    @property
    def offline_seconds(self) -> float:
        """How long unseen is offline where the owner says nothing."""

    @property
    def floor_seconds(self) -> float:
        """The least that unseen may be offline, whatever the owner says: what the pool's own times allow."""

    def requests(self, account: Account, answers_so_far: Sequence[Answer]) -> Sequence[PoolRequest]:
        """What to ask next: pages, or single workers. Empty when nothing is left to ask, and after a bounded number.

        Each request is sent once and its answer appended, in order; what could not be fetched ends the round.
        """

    def parse(self, answers: Sequence[Answer], now: datetime) -> AccountFacts:
        """What the answers to all requests of one round say. `now` is the pool's clock. Raises PoolAnswerError."""
