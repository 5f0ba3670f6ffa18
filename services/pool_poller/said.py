"""What is told of an account and its workers: each thing once when it begins, and once when it is over. Pure."""

from collections.abc import Mapping
from datetime import datetime

from services.pool_poller.standing import Standing
from services.pool_poller.trouble import FOR_A_PERSON, TROUBLES, TroubleError
from shared.messages import Event, Severity

_BAD_BEFORE_TOLD = 2
"""One lost answer is not worth a person's attention."""
_OF_A_WORKER = {
    "worker_never_seen": "Look how the pool spells its name, or whether it mines there at all.",
    "worker_ambiguous": "Write the worker's name exactly as the pool lists it.",
    "time_in_future": "Nothing is concluded from it.",
    "not_monitored": "Nothing is concluded from it; switch monitoring on in the pool's own settings.",
    "no_last_seen": "Nothing is concluded from it.",
}
_FIXES = {
    "unknown_account": "Fix: look at the account in the worker's key of the farm file.",
    "unauthorized": "Fix: look at the key of the pool's API and what it may read.",
    "retired": "Fix: remove the worker's key, or name another pool.",
}


class SaidOfAccount:
    """What has been said of one account."""

    def __init__(self, account: str, before: str | None = None) -> None:
        """`before`: the trouble that was told before a restart."""
        self._account = account
        self._told = before if before in TROUBLES else None
        self._bad_in_row = 0

    def about(self, trouble: TroubleError | None, now: datetime) -> Event | None:
        """What is new to say after a round."""
        if trouble is None:
            told, self._told, self._bad_in_row = self._told, None, 0
            return None if told is None else _event(now, "pool_answers", Severity.INFO, f"{self._account}: well again")
        self._bad_in_row += 1
        if trouble.code in FOR_A_PERSON:
            if self._told == trouble.code:
                return None
            self._told = trouble.code
            severity = Severity.WARNING if trouble.code == "retired" else Severity.ERROR
            sentence = f"{self._account}: {trouble.sentence}. {_FIXES[trouble.code]}"
            return _event(now, trouble.code, severity, sentence)
        if self._told is not None or self._bad_in_row < _BAD_BEFORE_TOLD:
            return None
        self._told = trouble.code
        sentence = f"{self._account}: {trouble.sentence}. Its workers are unknown meanwhile. Said once; trying on."
        return _event(now, trouble.code, Severity.WARNING, sentence)


class SaidOfWorkers:
    """What has been said of the workers of one account."""

    def __init__(self, before: Mapping[str, Standing]) -> None:
        self._told = {miner: standing.problem for miner, standing in before.items() if standing.problem in _OF_A_WORKER}

    def about(self, miner: str, standing: Standing, now: datetime) -> Event | None:
        """What is new to say of a miner's worker after a good answer."""
        told, problem = self._told.get(miner), standing.problem
        if problem == told:
            return None
        if problem in _OF_A_WORKER:
            self._told[miner] = problem
            return _event(now, problem, Severity.WARNING, f"{standing.detail}. {_OF_A_WORKER[problem]}")
        if told is None:
            return None
        del self._told[miner]
        return _event(now, "worker_known", Severity.INFO, "the pool tells of its worker again")


def _event(now: datetime, code: str, severity: Severity, sentence: str) -> Event:
    return Event(at=now, code=code, severity=severity, sentence=sentence)
