"""What the witnesses come to: at work, failed, or nobody knows. A failure needs good evidence from two sides. Pure."""

from dataclasses import dataclass
from enum import Enum

from services.policy_engine.watchdog.witnesses import Statement, Witnesses, Word


class Finding(Enum):
    """What is to be thought of a miner that is meant to hash."""

    AT_WORK = "at_work"
    FAILED = "failed"
    """It does not hash, and that is sure enough to act on."""
    DOUBTFUL = "doubtful"
    """Something is wrong, or seems so, and nothing may follow from it yet."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Opinion:
    """A finding with its reason."""

    finding: Finding
    code: str
    sentence: str

    answers: bool = False
    """Whether its own interface answers: its software can be restarted."""


def judge(witnesses: Witnesses, *, has_worker: bool) -> Opinion:
    """What the witnesses come to. `has_worker`: whether a pool is to be asked at all."""
    if witnesses.pool.word is Word.ALIVE:
        return _seen_by_pool(witnesses)
    if witnesses.pool.word is Word.DEAD:
        return _unseen_by_pool(witnesses)
    return _without_pool(witnesses, has_worker=has_worker)


def _seen_by_pool(witnesses: Witnesses) -> Opinion:
    if witnesses.api.word is Word.SICK:
        sentence = f"{witnesses.api.sentence}, but {witnesses.pool.sentence}"
        return Opinion(Finding.DOUBTFUL, "pool_still_sees_it", sentence)
    return Opinion(Finding.AT_WORK, "at_work", witnesses.pool.sentence)


def _unseen_by_pool(witnesses: Witnesses) -> Opinion:
    pool, api, watts = witnesses.all
    if api.word is Word.SICK:
        # A chip that hangs in mid-air draws all its watts: they say nothing for a miner that admits no shares.
        return Opinion(Finding.FAILED, "failed", _both(pool, api), answers=True)
    alive = next((word for word in (api, watts) if word.word is Word.ALIVE), None)
    if alive is not None:
        return Opinion(Finding.DOUBTFUL, "pool_disagrees", f"{pool.sentence}, but {alive.sentence}")
    second = next((word for word in (api, watts) if word.word is Word.DEAD), None)
    if second is not None:
        return Opinion(Finding.FAILED, "failed", _both(pool, second))
    if witnesses.others:
        workers = "another worker" if witnesses.others == 1 else f"{witnesses.others} other workers"
        return Opinion(Finding.FAILED, "failed", f"{pool.sentence}; it sees {workers} of the account")
    sentence = f"{pool.sentence}, nor any other worker of the account, and nothing else tells whether it works"
    return Opinion(Finding.DOUBTFUL, "offline_unconfirmed", sentence)


def _without_pool(witnesses: Witnesses, *, has_worker: bool) -> Opinion:
    _, api, watts = witnesses.all
    if api.word is Word.SICK and api.is_own_word:
        return Opinion(Finding.FAILED, "failed", api.sentence, answers=True)
    if api.word is Word.SICK:
        # Without shares it may be the pool, or the way there.
        if not has_worker and witnesses.neighbours:
            return Opinion(Finding.FAILED, "failed", f"{api.sentence}, and others do", answers=True)
        return Opinion(Finding.DOUBTFUL, "shareless_unconfirmed", f"{api.sentence}; it may be the pool's fault")
    alive = next((word for word in (api, watts) if word.word is Word.ALIVE), None)
    if alive is not None:
        return Opinion(Finding.AT_WORK, "at_work", alive.sentence)
    dead = next((word for word in (api, watts) if word.word is Word.DEAD), None)
    if dead is not None:
        return Opinion(Finding.DOUBTFUL, "dead_unconfirmed", f"{dead.sentence}, and no pool says anything about it")
    return Opinion(Finding.UNKNOWN, "nothing_known", "nothing tells whether it works")


def _both(first: Statement, second: Statement) -> str:
    return f"{first.sentence}; {second.sentence}"
