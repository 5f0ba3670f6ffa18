"""What pool, the miner's own interface and the wattage each say of whether it works. Unknown is no evidence. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.view import MinerView
from services.policy_engine.watchdog.shares import INTERVALS, shareless_for
from services.policy_engine.wording import span
from shared.messages import MinerState, MinerTelemetry, PoolReading, PoolVerdict

POOL_YOUNG = timedelta(minutes=10)
"""How old a pool's good answer may be for anything to follow from it; more where the owner has it asked seldom."""
UNREACHABLE_FOR = timedelta(minutes=2)
"""A lost answer, or a reboot that somebody has asked for, is no failure."""
RAMP_LASTS = timedelta(minutes=30)
"""No start takes longer; one that does has got stuck."""
WORKS_ABOVE = 0.3
"""The part of its nominal power above which a miner is taken to be at work. A rig that hangs draws less."""


class Word(Enum):
    """What a witness says."""

    ALIVE = "alive"
    SICK = "sick"
    """It answers, and does not hash."""
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Statement:
    """A word, and the sentence that goes with it."""

    word: Word
    sentence: str = ""
    is_own_word: bool = False
    """The miner itself says that it is sick; else that has been concluded from its shares."""


NOTHING = Statement(Word.UNKNOWN)


@dataclass(frozen=True)
class Witnesses:
    """All that is said of one miner."""

    pool: Statement = NOTHING
    api: Statement = NOTHING
    watts: Statement = NOTHING
    others: int = 0
    """Other workers of its account that the pool sees at work."""
    neighbours: bool = False
    """Whether shares of other miners of this farm are accepted; only asked where it matters."""

    @property
    def all(self) -> tuple[Statement, ...]:
        return self.pool, self.api, self.watts


def hear_all(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> Witnesses:
    """What every witness says now."""
    view = farm.miners[miner]
    pool, api = pool_says(view, rules, miner, now), api_says(view, rules, now)
    others = view.pool.others_online if view.pool is not None and pool.word is not Word.UNKNOWN else None
    shareless = api.word is Word.SICK and not api.is_own_word
    return Witnesses(
        pool=pool,
        api=api,
        watts=watts_say(view, rules, miner, now),
        others=others or 0,
        neighbours=shareless and not rules.miners[miner].watch.has_worker and _has_neighbours(farm, miner, rules, now),
    )


def pool_says(view: MinerView, rules: Rules, miner: MinerId, now: datetime) -> Statement:
    """The pool's verdict while it is young. A pool that has closed, or does not answer, says nothing."""
    reading, heard_at, watch = view.pool, view.pool_heard_at, rules.miners[miner].watch
    if not watch.has_worker or reading is None or heard_at is None or reading.retired:
        return NOTHING
    # Up to the sending by the sender's clock, from then on by ours.
    since_sent = now - heard_at
    young = rules.at_least(max(POOL_YOUNG, 2 * watch.asked_every), 10)
    if reading.confirmed_at is None or _age(reading.confirmed_at, reading.at) + since_sent > young:
        return NOTHING
    if reading.verdict is PoolVerdict.ONLINE:
        return Statement(Word.ALIVE, f"{reading.pool} sees it at work")
    if reading.verdict is PoolVerdict.UNKNOWN or reading.last_seen_at is None:
        return NOTHING
    return _unseen(reading, _age(reading.last_seen_at, reading.at) + since_sent, view.shares.interval)


def _unseen(reading: PoolReading, unseen: timedelta, interval: timedelta | None) -> Statement:
    # A tiny miner may find no share for hours: its own pace stretches the limit.
    by_pace = timedelta() if interval is None else INTERVALS * interval
    if unseen < max(timedelta(seconds=reading.offline_after_seconds), by_pace):
        return NOTHING
    return Statement(Word.DEAD, f"{reading.pool} has not seen it for {span(unseen)}")


def _age(date: datetime, at: datetime) -> timedelta:
    return max(timedelta(), at - date)


def api_says(view: MinerView, rules: Rules, now: datetime) -> Statement:
    """What the miner itself says, where it can speak: not a plug in its place, nor an agent that is silent."""
    told = view.telemetry
    if told is None or told.driver == "plug" or view.heard_at is None or now - view.heard_at > rules.heard_within:
        return NOTHING
    if not told.reachable:
        since = view.unreachable_since
        if told.problem != "unreachable" or since is None or now - since < rules.at_least(UNREACHABLE_FOR, 2):
            return NOTHING  # a wrong password, or nonsense, is an answer, too
        return Statement(Word.DEAD, f"it has not answered for {span(now - since)}")
    return _by_state(told, view, rules, view.heard_at)


def _by_state(told: MinerTelemetry, view: MinerView, rules: Rules, heard_at: datetime) -> Statement:
    if told.state is MinerState.FAULT:
        fault = told.detail or told.problem or "no more than that"
        return Statement(Word.SICK, f"it reports a fault: {fault}", is_own_word=True)
    if told.state is MinerState.HASHING:
        shareless = shareless_for(view.shares, heard_at, rules)
        if shareless is not None:
            return Statement(Word.SICK, f"it says it hashes and has found no share for {span(shareless)}")
        return Statement(Word.ALIVE, "it hashes")
    if told.state is MinerState.RAMPING and view.ramping_since is not None:
        lasts = heard_at - view.ramping_since
        if lasts > rules.at_least(RAMP_LASTS, 30):
            return Statement(Word.SICK, f"it has been starting for {span(lasts)}", is_own_word=True)
        return Statement(Word.ALIVE, "it is starting")
    return NOTHING


def watts_say(view: MinerView, rules: Rules, miner: MinerId, now: datetime) -> Statement:
    """What the outlet's meter says, where there is one and the outlet is on."""
    plug, nominal_w = view.plug, rules.miners[miner].watch.nominal_w
    if plug is None or nominal_w is None or not is_heard(view, rules, now):
        return NOTHING
    if not plug.reachable or plug.on is not True or plug.power_w is None or plug.cycle_off_since is not None:
        return NOTHING
    if plug.power_w >= WORKS_ABOVE * nominal_w:
        return Statement(Word.ALIVE, f"it draws {plug.power_w:.0f} W")
    return Statement(Word.DEAD, f"it draws only {plug.power_w:.0f} W of {nominal_w:g} W")


def is_heard(view: MinerView, rules: Rules, now: datetime) -> bool:
    """Whether the outlet's agent is heard."""
    return view.plug_heard_at is not None and now - view.plug_heard_at <= rules.heard_within


def _has_neighbours(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> bool:
    """Where no pool is asked, others whose shares are accepted show that the way to the pools is open."""
    return bool(_with_shares(_Same(farm), _Same(rules), now) - {miner})


@dataclass(frozen=True, eq=False)
class _Same:
    """An immutable value that is compared by identity."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=1)
def _with_shares(farm: _Same, rules: _Same, now: datetime) -> frozenset[MinerId]:
    """Those whose shares are accepted. Without a way to the pools every miner asks, in one pass over the farm."""
    book: Rules = rules.value
    views: Mapping[MinerId, MinerView] = farm.value.miners
    return frozenset(
        name
        for name, view in views.items()
        if view.shares.since is not None and now - view.shares.since <= view.shares.longest(book) / 2
    )
