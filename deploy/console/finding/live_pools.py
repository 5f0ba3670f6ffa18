"""Looks at one pool account: the provider's own request, once; further pages are not asked for."""

from collections.abc import Mapping

from deploy.console.finding.crew import Again
from deploy.console.finding.finding import Finding, Looked, wrong
from deploy.console.finding.miners import plain
from services.pool_poller.look import Look
from services.pool_poller.provider import Account
from services.pool_poller.providers import provider_of
from services.pool_poller.punctual import punctual_session
from services.pool_poller.round import Rounds, Told
from services.pool_poller.spacing import Spacings
from services.pool_poller.trouble import TroubleError
from services.pool_poller.wire import PoolWire
from services.pool_poller.wiring import offline_after_seconds
from shared.clock import Clock
from shared.settings import FarmSettings, Secrets
from shared.settings.pools import key_variable_of

_KIND = "pool"
_NAMES_SHOWN = 8
_ACCOUNT_SHOWN = 16


class PoolLook:
    """A job: called again until its turn at the pool's host has come, and the answer with it."""

    def __init__(
        self,
        farm: FarmSettings,
        account: tuple[str, str],
        workers: Mapping[str, str],
        secrets: Secrets,
        clock: Clock,
        spacings: Spacings,
    ) -> None:
        """`workers`: the worker of each miner. `spacings`: the turns at every host, the same for all accounts."""
        pool, name = account
        self._farm = farm
        self._pool = pool
        self._workers = workers
        self._clock = clock
        self._provider = provider_of(farm.pools, pool)
        self._wire = PoolWire(clock, punctual_session(clock))
        asked = Account(pool, name, secrets.get(key_variable_of(pool)))
        self._spacings = spacings
        self._rounds = Rounds(asked, self._provider, self._wire, spacings, clock)
        self._asked = False
        self.name = f"{pool}/{name if len(name) <= _ACCOUNT_SHOWN else name[:_ACCOUNT_SHOWN] + '…'}"

    def __call__(self) -> Looked | Again:
        if self._provider.retired:
            return wrong(_KIND, self.name, "the pool has closed", "move the worker to another pool")
        try:
            came = self._rounds.go_on()
        except TroubleError as error:
            self._wire.close()
            return self._troubled(error)
        if isinstance(came, Told):
            return self._judged(came)
        if came > 0 and self._asked:
            self._rounds.begin_anew()
            said = "it answers, and has further pages, which are not asked for here: its workers are not compared"
            return Looked((Finding(_KIND, self.name, said),))
        self._asked = self._asked or came == 0
        return Again(came)

    def _troubled(self, error: TroubleError) -> Looked:
        fixes = {
            "unknown_account": "correct the account in `worker`: pool/account/worker",
            "unauthorized": f"set {key_variable_of(self._pool)} to a key that may read",
            "rate_limited": "wait some minutes, and check again",
            "unreachable": "is this machine on the internet? Try again later",
        }
        fix = fixes.get(error.code, "try again later; if it stays so, see docs/pools.md")
        return wrong(_KIND, self.name, plain(error.sentence), fix)

    def _judged(self, told: Told) -> Looked:
        look = Look(told.facts, self._clock.now(), self._clock.seconds(), told.ahead)
        findings = [self._worker(look, miner, worker) for miner, worker in self._workers.items()]
        # Without a clock of the pool's own the difference is none: that proves nothing, and is not told.
        ahead = {self.name: told.ahead} if told.ahead else {}
        return Looked(tuple(findings), ahead)

    def _worker(self, look: Look, miner: str, worker: str) -> Finding:
        found = look.listed.fitting(worker)
        names = ", ".join(plain(one.name) for one in look.facts.workers[:_NAMES_SHOWN]) or "no worker at all"
        name = f"{self.name}/{worker}"
        if not found:
            fix = f"correct the worker of {miner}, or start it: a pool may leave out who has never worked"
            return Finding(_KIND, name, f"the pool answers, and does not list it; it lists {names}", fix)
        if len(found) > 1:
            return Finding(
                _KIND, name, f"several workers could be meant: {names}", f"write the worker of {miner} whole"
            )
        limit = offline_after_seconds(self._farm.miners[miner], self._provider)
        seen = "at work" if look.is_young(found[0], limit) else "listed"
        return Finding(_KIND, name, f"{seen}, for {miner}")
