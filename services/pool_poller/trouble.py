"""Why a round of requests brought no good answer."""

from enum import StrEnum

from services.pool_poller.provider import PoolAnswerError


class Trouble(StrEnum):
    """The kinds: those of a `PoolAnswerError`, and that the pool could not be asked at all."""

    UNKNOWN_ACCOUNT = "unknown_account"
    UNAUTHORIZED = "unauthorized"
    RETIRED = "retired"
    RATE_LIMITED = "rate_limited"
    BAD_ANSWER = "bad_answer"
    POOL_ERROR = "pool_error"
    UNREACHABLE = "unreachable"


TROUBLES = frozenset(kind.value for kind in Trouble)
FOR_A_PERSON = frozenset({"unknown_account", "unauthorized", "retired"})
"""Nothing but a person can mend these; the others pass by themselves."""


class TroubleError(Exception):
    """No good answer. The sentence is for people, and holds nothing that was sent: neither secrets nor addresses."""

    def __init__(self, kind: Trouble, sentence: str, *, wait_seconds: float = 0.0) -> None:
        """`wait_seconds`: for how long the pool wants to be left alone."""
        super().__init__(sentence)
        self.code = kind.value
        self.sentence = sentence
        self.wait_seconds = wait_seconds


def of_answer(error: PoolAnswerError, wait_seconds: float = 0.0) -> TroubleError:
    """What a provider complains of."""
    return TroubleError(Trouble(error.code), error.sentence, wait_seconds=wait_seconds)
