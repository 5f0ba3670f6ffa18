"""One round of requests about an account: one request at a time, each in its turn at the host, and bounded."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from services.pool_poller.provider import Account, AccountFacts, Answer, PoolAnswerError, PoolProvider, PoolRequest
from services.pool_poller.spacing import Spacings
from services.pool_poller.trouble import Trouble, TroubleError, of_answer
from services.pool_poller.wire import Fetched, PoolWire, host_of
from shared.clock import Clock

REQUESTS_MAX = 50
CHARACTERS_MAX = 8_000_000
_SKEW_TOLERATED = timedelta(seconds=5)
"""`Date` has whole seconds, and an answer takes its time: less than this is no difference between two clocks."""
_STANDS_STILL_SECONDS = 30.0


@dataclass(frozen=True)
class Told:
    """What a whole round has brought, and how far the pool's clock is ahead of ours."""

    facts: AccountFacts
    ahead: timedelta


class Rounds:
    """The rounds of one account. `go_on` is called until it has something to tell."""

    def __init__(
        self, account: Account, provider: PoolProvider, wire: PoolWire, spacings: Spacings, clock: Clock
    ) -> None:
        self._account = account
        self._provider = provider
        self._wire = wire
        self._spacings = spacings
        self._clock = clock
        self._answers: list[Answer] = []
        self._to_ask: deque[PoolRequest] = deque()
        self._asked = 0
        self._turn_at: float | None = None
        self._pool_now: datetime | None = None
        self._pool_now_before: tuple[datetime, float] | None = None

    def go_on(self) -> float | Told:
        """One request at most: the real seconds until the next, or what the whole round told. Raises TroubleError."""
        try:
            if not self._to_ask:
                self._to_ask.extend(self._provider.requests(self._account, tuple(self._answers)))
            if not self._to_ask:
                return self._end()
            wait = self._wait_for_turn(self._to_ask[0])
            if wait > 0:
                return wait
            self._ask(self._to_ask.popleft())
        except PoolAnswerError as error:
            self.begin_anew()
            raise of_answer(error) from None
        except BaseException:
            self.begin_anew()
            raise
        return 0.0

    def begin_anew(self) -> None:
        """Forgets a round that was begun, and its connections: pools hang up in their own time."""
        self._answers, self._asked, self._turn_at = [], 0, None
        self._to_ask.clear()
        self._wire.close()

    def _wait_for_turn(self, request: PoolRequest) -> float:
        seconds = self._clock.seconds()
        if self._turn_at is None:
            spacing = self._spacings.at(host_of(request.url))
            self._turn_at = spacing.claim(seconds, self._provider.apart_seconds)
        return self._turn_at - seconds

    def _ask(self, request: PoolRequest) -> None:
        self._turn_at = None
        self._asked += 1
        if self._asked > REQUESTS_MAX or sum(len(answer.text) for answer in self._answers) > CHARACTERS_MAX:
            message = "it has no end of pages"
            raise TroubleError(Trouble.BAD_ANSWER, message)
        fetched = self._wire.fetch(request)
        self._answers.append(fetched.answer)
        self._pool_now = fetched.pool_now or self._pool_now
        if fetched.answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._spacings.at(host_of(request.url)).hold(self._clock.seconds() + fetched.wait_seconds)
            message = "it has been asked too often"
            raise TroubleError(Trouble.RATE_LIMITED, message, wait_seconds=fetched.wait_seconds)
        if fetched.answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._failed(fetched)

    def _failed(self, fetched: Fetched) -> None:
        """Some pools answer 500 to a name that they do not know: the provider may say more of it."""
        try:
            self._provider.parse(tuple(self._answers), self._now_there())
        except PoolAnswerError as error:
            raise of_answer(error, fetched.wait_seconds) from None
        message = f"it answered {fetched.answer.status}"
        raise TroubleError(Trouble.POOL_ERROR, message, wait_seconds=fetched.wait_seconds)

    def _end(self) -> Told:
        facts = self._provider.parse(tuple(self._answers), self._now_there())
        self._mind_old_answers()
        ahead = self._now_there() - self._clock.now()
        self.begin_anew()
        return Told(facts, ahead)

    def _now_there(self) -> datetime:
        """The pool's clock; ours where it does not tell, or where the two agree."""
        now = self._clock.now()
        differs = self._pool_now is not None and abs(self._pool_now - now) > _SKEW_TOLERATED
        return self._pool_now if differs and self._pool_now is not None else now

    def _mind_old_answers(self) -> None:
        """The very same moment once more comes out of a cache, and by its clock nobody would ever grow old."""
        now, seconds = self._pool_now, self._clock.seconds()
        before = self._pool_now_before
        if now is None:
            return
        if before is not None and now == before[0]:
            if seconds - before[1] > _STANDS_STILL_SECONDS:
                message = "it gives the same old answer again"
                raise TroubleError(Trouble.BAD_ANSWER, message)
            return
        self._pool_now_before = (now, seconds)
