"""What a pool says of one worker: a verdict of three values, and how sure anybody can be of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.messages.part import Code, Message


class PoolVerdict(StrEnum):
    """Whether a worker works. Only good answers of the pool make it ONLINE or OFFLINE."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class LastSeenKind(StrEnum):
    """What the pool's time of a worker is the time of."""

    SHARE = "share"
    STATUS = "status"
    """Of a change or look by the pool, not of a share."""
    BUCKET = "bucket"
    """The start of a period in which shares came."""
    DERIVED = "derived"
    """Concluded from something else, such as the time of an answer that shows a hashrate."""


class PoolReading(Message):
    """What a pool says of the worker of one miner. None is unknown: never 0, never as before."""

    pool: str
    """The name of the pool, as the farm file writes it."""
    worker: str
    verdict: PoolVerdict
    since: AwareDatetime
    """Since when the verdict has been the same."""
    last_seen_at: AwareDatetime | None = None
    """When the pool last saw it at work, by the pool's own account, brought over to our clock; never in the future."""
    last_seen_kind: LastSeenKind | None = None
    confirmed_at: AwareDatetime | None = None
    """When the pool last answered well about this worker's account."""
    offline_after_seconds: Annotated[float, Field(gt=0)]
    """How long unseen is offline: the owner's wish, but never below what the pool's own times allow."""
    others_online: Annotated[int, Field(ge=0)] | None = None
    """How many other workers of the account the last good answer shows at work; None before there was one."""
    hashrate_ths: Annotated[float, Field(ge=0)] | None = None
    retired: bool = False
    """The pool has closed: it is read as documented, and nothing may follow from it."""
    problem: Code | None = None
    detail: str = ""
