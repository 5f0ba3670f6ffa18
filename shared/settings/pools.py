"""The pools that the farm's workers are at: where a built-in one is asked elsewhere, and pools that are described."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from shared.duration import Duration, at_least, not_below
from shared.settings.address import is_loopback
from shared.settings.section import Section

KEYLESS_POOLS = (
    "2miners",
    "braiins_solo",
    "ckpool",
    "ckpool_au",
    "ckpool_eu",
    "ethermine",
    "f2pool_v1",
    "flexpool",
    "herominers",
    "hiveon",
    "nanopool",
    "nicehash",
    "ocean",
    "parasite",
    "public_pool",
    "solopool",
)
KEYED_POOLS = ("braiins", "f2pool", "luxor", "viabtc")
BUILT_IN_POOLS = (*KEYLESS_POOLS, *KEYED_POOLS)
"""Retired ones are among them: an old file must load, and is told when the farm runs."""
COIN_IN_HOST_POOLS = frozenset({"2miners", "herominers", "nanopool"})
"""They have one site for each coin, and none that goes without saying."""

POLL_SECONDS_MIN = 30.0
OWN_POLL_SECONDS_MIN = 1.0
"""Of a described pool on this very machine, which is nobody else's to burden: a stand-in, on a fast clock."""
_URL = re.compile(r"https?://[^\s/?#@]+([/?][^\s@]*)?")
_PLACE = re.compile(r"([^.\[\]]+|\[(\d{1,6}|\*)\])(\.[^.\[\]]+|\.?\[(\d{1,6}|\*)\])*")
_UNIT = re.compile(r"[kmgtpez]?h(ash)?(es)?/?s?", re.IGNORECASE)


def _place(value: str) -> str:
    if value not in {"", "@key"} and not _PLACE.fullmatch(value):
        message = f"{value!r} is not a place in JSON: write it like data.workers or stats[0].hashrate"
        raise ValueError(message)
    return value


Place = Annotated[str, AfterValidator(_place)]


class DescribedKeys(Section):
    """Keys of a pool that is described here: where its answer has what. Places begin at the answer, or at the row."""

    workers: Place | None = None
    """Where the list or map of workers stands; "" where the answer itself is it."""
    name: Place = "name"
    """From a row; `@key` where the rows stand in a map under their names."""
    last_seen: Place | None = None
    """From a row: the time at which it was last seen."""
    last_seen_kind: Literal["share", "status", "bucket"] = "share"
    """Of what that is the time: a share, a look of the pool, the start of a period with shares."""
    hashrate: Place | None = None
    """From a row."""
    hashrate_unit: str = "H/s"
    """In which it is told."""
    online: Place | None = None
    """From a row: a word or flag that says whether it is at work."""
    online_words: list[str] | None = None
    """Which words mean that it is."""
    offline_words: list[str] | None = None
    """Which words mean that it is not."""
    error: Place | None = None
    """Where the answer says that it is none: something there is an error."""
    as_of: Place | None = None
    """Where the answer says of when its figures are; where those are old, nothing follows from them."""
    absent_is_offline: bool = False
    """Whether a worker that a good answer leaves out is offline, and not unknown."""
    method: Literal["GET", "POST"] = "GET"
    """How it is asked."""
    headers: dict[str, str] = Field(default_factory=dict)
    """`{secret}` in a value is the pool's key, <POOL>_KEY."""
    body: dict[str, str | int | bool] | None = None
    """Of a POST, as JSON."""
    offline_after: Annotated[Duration, at_least(60)] = timedelta(minutes=15)
    """How long unseen is offline, where a miner does not say."""
    offline_floor: Annotated[Duration, at_least(60)] = timedelta(minutes=5)
    """No miner's `time_until_offline` counts below this; more where the pool's times are coarse."""
    apart: Annotated[Duration, at_least(1)] = timedelta(seconds=1)
    """Between any two requests to its host."""

    @field_validator("hashrate_unit")
    @classmethod
    def _unit(cls, value: str) -> str:
        if not _UNIT.fullmatch(value):
            message = f"{value!r} is not a unit of hashrate: write one such as H/s, GH/s or TH/s"
            raise ValueError(message)
        return value


DESCRIBED_KEYS = frozenset(DescribedKeys.model_fields)


class PoolSettings(DescribedKeys):
    """A pool: a built-in one at another address (`provider`), or one that is described. Key: <POOL>_KEY."""

    provider: str | None = None
    """The built-in pool whose software it runs. None: the one of the same name, or described here."""
    url: str | None = None
    """Of a built-in pool the base address; of a described one the whole, with {account} where the account belongs."""
    coin: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,32}$")] | None = None
    """Where a built-in pool has a site for each."""
    poll: Annotated[Duration, at_least(OWN_POLL_SECONDS_MIN)] | None = None
    """Real seconds; below `POLL_SECONDS_MIN` only where `poll_floor_seconds` allows it."""

    @property
    def is_described(self) -> bool:
        """Whether it is read as the farm file says, not as a built-in pool."""
        return self.provider is None and self.workers is not None

    @property
    def poll_floor_seconds(self) -> float:
        """No wish for `poll` counts below this."""
        return _poll_floor_seconds(self.url, is_described=self.is_described)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and ("{secret}" in value or not _URL.fullmatch(value)):
            # Its text may hold a password: it is not repeated.
            message = "this is not the address of a pool: write it like http://10.0.0.5:8080, and keys into headers"
            raise ValueError(message)
        return value

    @field_validator("poll")
    @classmethod
    def _bearable(cls, value: timedelta | None, info: ValidationInfo) -> timedelta | None:
        told = info.data
        described = told.get("provider") is None and told.get("workers") is not None
        floor_seconds = _poll_floor_seconds(told.get("url"), is_described=described)
        return None if value is None else not_below(value, floor_seconds)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        described = sorted(self.model_fields_set & DESCRIBED_KEYS)
        if self.provider is not None and described:
            message = f"{', '.join(described)} cannot stand beside provider: remove them, or provider"
            raise ValueError(message)
        if self.provider is None and described and (self.url is None or self.workers is None):
            missing = "url" if self.url is None else "workers"
            message = f"{missing} is missing: add it, for a pool that is described needs url and workers"
            raise ValueError(message)
        if self.is_described and self.last_seen is None and self.online is None and self.hashrate is None:
            message = "nothing says who is at work: give last_seen, or else online or hashrate"
            raise ValueError(message)
        return self


def _poll_floor_seconds(url: str | None, *, is_described: bool) -> float:
    own = is_described and is_loopback(urlsplit(url or "").hostname or "")
    return OWN_POLL_SECONDS_MIN if own else POLL_SECONDS_MIN


def provider_key(pools: Mapping[str, PoolSettings], pool: str) -> str | None:
    """The built-in provider of a pool's name; None for one that is described, or unknown."""
    settings = pools.get(pool)
    if settings is not None and settings.is_described:
        return None
    key = (settings.provider if settings is not None else None) or pool
    return key if key in BUILT_IN_POOLS else None


def key_variable_of(pool: str) -> str:
    """The variable that holds a pool's key: `my-pool` has `MY_POOL_KEY`."""
    return pool.upper().replace("-", "_") + "_KEY"
