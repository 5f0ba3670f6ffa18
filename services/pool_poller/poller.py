"""The loop of one account: one round of requests for all its workers, and what it makes known of each."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.pool_poller.look import Look
from services.pool_poller.provider import Account, PoolProvider
from services.pool_poller.round import Rounds, Told
from services.pool_poller.said import SaidOfAccount, SaidOfWorkers
from services.pool_poller.spacing import Spacings
from services.pool_poller.standing import Standing, Wanted, reading, restored
from services.pool_poller.trouble import TROUBLES, Trouble, TroubleError
from services.pool_poller.verdict import bad, fade, judge
from services.pool_poller.wire import PoolWire
from shared.backoff import BackOff
from shared.messages import Event, PoolReading, PoolVerdict, Severity
from shared.station import Station
from shared.topics import MINER_EVENT, MINER_POOL, SERVICE_EVENT

log = logging.getLogger(__name__)

BACK_OFF_SECONDS_MAX = 900.0
TELL_SECONDS = 60.0
"""While a pool wants to be left alone for longer, what is known grows old, and that is told meanwhile."""
_ACCOUNT_LENGTH_MAX = 16
_LEVEL = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}


@dataclass(frozen=True)
class Manner:
    """How one account is asked. Real seconds."""

    poll_seconds: float
    asks: bool = True
    """False for a pool that has closed: nobody knows who answers at its address now."""


class AccountPoller:
    """Asks about one account, and tells of each of its workers."""

    def __init__(
        self,
        service: Station,
        account: Account,
        provider: PoolProvider,
        wanted: Sequence[Wanted],
        wire: PoolWire,
        spacings: Spacings,
        manner: Manner,
    ) -> None:
        self.memory: dict[str, PoolReading] = {}
        """What the broker remembers of each miner; filled by the service's thread before the first step."""
        self._service = service
        self._clock = service.clock
        self._provider = provider
        self._wanted = {one.miner: one for one in wanted}
        self._wire = wire
        self._rounds = Rounds(account, provider, wire, spacings, service.clock)
        self._manner = manner
        self.name = f"{account.pool}/{_shortened(account.name)}"
        self._back_off = BackOff(2 * manner.poll_seconds, max(2 * manner.poll_seconds, BACK_OFF_SECONDS_MAX))
        self._standings: dict[str, Standing] = {}
        self._said = SaidOfAccount(self.name)
        self._said_of_workers = SaidOfWorkers({})
        self._due_at = self._told_at = service.clock.seconds()

    def step(self) -> float:
        if not self._standings:
            self._recall()
        if self._due_at > self._clock.seconds():
            self._wait()
        elif self._manner.asks:
            self._ask()
        else:
            self._trouble(TroubleError(Trouble.RETIRED, "the pool has closed"))
        return min(max(0.0, self._due_at - self._clock.seconds()), TELL_SECONDS)

    def close(self) -> None:
        self._wire.close()

    # --- one round

    def _ask(self) -> None:
        try:
            came = self._rounds.go_on()
        except TroubleError as trouble:
            self._service.counts.add(f"pool_{trouble.code}")
            self._trouble(trouble)
        except Exception as error:
            # A bug in a provider must not leave an old verdict standing as if it were a new one.
            log.exception("%s: reading its answers failed", self.name)
            self._trouble(TroubleError(Trouble.BAD_ANSWER, f"its answer cannot be read: {type(error).__name__}"))
        else:
            if isinstance(came, Told):
                self._answered(came)
            else:
                self._due_at = self._clock.seconds() + came

    def _answered(self, told: Told) -> None:
        self._back_off.succeeded()
        self._due_at = self._clock.seconds() + self._manner.poll_seconds
        look = Look(told.facts, self._clock.now(), self._clock.seconds(), told.ahead)
        for miner, wanted in self._wanted.items():
            self._standings[miner] = judge(self._standings[miner], wanted, look, self._manner.poll_seconds)
        self._publish()
        self._say(self._said.about(None, look.now))
        for miner, standing in self._standings.items():
            self._say(self._said_of_workers.about(miner, standing, look.now), miner)

    def _trouble(self, trouble: TroubleError) -> None:
        wait = max(self._manner.poll_seconds, trouble.wait_seconds)
        if self._manner.asks:
            wait = max(wait, self._back_off.failed())
        self._due_at = self._clock.seconds() + wait
        now, seconds = self._clock.now(), self._clock.seconds()
        for miner, wanted in self._wanted.items():
            self._standings[miner] = bad(
                self._standings[miner], wanted, trouble.code, trouble.sentence, now, seconds, self._manner.poll_seconds
            )
        self._publish()
        self._say(self._said.about(trouble, now))

    def _wait(self) -> None:
        """Until its turn comes: what is known grows old meanwhile."""
        now, seconds = self._clock.now(), self._clock.seconds()
        before = self._standings
        self._standings = {
            miner: fade(before[miner], wanted, now, seconds, self._manner.poll_seconds)
            for miner, wanted in self._wanted.items()
        }
        if self._standings != before or seconds - self._told_at >= TELL_SECONDS:
            self._publish()

    # --- telling

    def _recall(self) -> None:
        now, seconds = self._clock.now(), self._clock.seconds()
        self._standings = {
            miner: restored(self.memory.get(miner), wanted, now, seconds) for miner, wanted in self._wanted.items()
        }
        # Whoever told of it before us, before a restart or as another replica, may have asked a moment ago.
        told_ago = min(((now - reading.at).total_seconds() for reading in self.memory.values()), default=0.0)
        self._due_at += max(0.0, self._provider.apart_seconds - max(0.0, told_ago)) if self.memory else 0.0
        if not self._manner.asks:
            # Whatever it said while it was open.
            for miner, standing in self._standings.items():
                self._standings[miner] = replace(standing, verdict=PoolVerdict.UNKNOWN)
        problems = {standing.problem for standing in self._standings.values()} & TROUBLES
        self._said = SaidOfAccount(self.name, min(problems, default=None, key=str))
        self._said_of_workers = SaidOfWorkers(self._standings)

    def _publish(self) -> None:
        now, self._told_at = self._clock.now(), self._clock.seconds()
        for miner, standing in self._standings.items():
            message = reading(standing, self._wanted[miner], now, retired=self._provider.retired)
            self._service.publish(MINER_POOL, miner, message)

    def _say(self, event: Event | None, miner: str | None = None) -> None:
        if event is None:
            return
        log.log(_LEVEL[event.severity], "%s%s", "" if miner is None else f"[{miner}] ", event.sentence)
        if miner is None:
            self._service.publish(SERVICE_EVENT, self._service.bus.instance, event)
        else:
            self._service.publish(MINER_EVENT, miner, event)


def _shortened(name: str) -> str:
    """A payout address is nobody's business in full."""
    return name if len(name) <= _ACCOUNT_LENGTH_MAX else f"{name[:_ACCOUNT_LENGTH_MAX]}…"
