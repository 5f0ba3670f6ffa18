"""A poller in one thread: stand-ins for pools without sockets, a broker in memory, a clock that moves when told to."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from services.pool_poller.wiring import build
from services.simulator.http import Handler
from services.simulator.pool import PoolStandIn
from shared.bus import Bus, MemoryBroker
from shared.clock import VirtualClock
from shared.launch import Context
from shared.loops import SteppedRunner
from shared.messages import Event, PoolReading
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from shared.topics import MINER_EVENT, MINER_POOL, SERVICE_EVENT
from tests.farm import session_to

ACCOUNT = "bc1qfarm"


class PoolRig:
    """The service, wired as in production but for the wire and the broker. Pools by name: `pools` of the farm file."""

    def __init__(
        self,
        pools: Mapping[str, PoolStandIn | Handler],
        workers: Mapping[str, str],
        clock: VirtualClock,
        *,
        provider: str = "ckpool",
        farm: Mapping[str, Any] | None = None,
        miner: Mapping[str, Any] | None = None,
        broker: MemoryBroker | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        """`workers`: `pool/account/worker` by miner."""
        self.clock = clock
        self.broker = broker or MemoryBroker()
        self.readings: dict[str, list[PoolReading]] = {name: [] for name in workers}
        self.events: list[tuple[str, Event]] = []
        self._watcher = Bus(self.broker.link(), clock, instance="watcher")
        self._watcher.subscribe(MINER_POOL, lambda got: self._heard(got.identifier, got.message))
        self._watcher.subscribe(MINER_EVENT, lambda got: self._told(got.identifier, got.message))
        self._watcher.subscribe(SERVICE_EVENT, lambda got: self._told("service", got.message))
        self._watcher.start()
        settings = _farm(pools, workers, provider, farm or {}, miner or {})
        handlers: dict[str, Handler] = {
            f"{name}.test:80": pool.handle if isinstance(pool, PoolStandIn) else pool for name, pool in pools.items()
        }
        self.runner = SteppedRunner()
        bus = Bus(self.broker.link(), clock, instance="poller")
        self.service = Service("pool_poller", bus, clock, runner=self.runner)
        context = Context(
            self.service, FarmSettings.model_validate(settings), Secrets(secrets or {}, {}, Path("no-such-directory"))
        )
        assert build(context, lambda: session_to(handlers, clock))
        self.service.start()

    def run(self, seconds: float, meanwhile: Callable[[], object] = lambda: None, tick_seconds: float = 1.0) -> None:
        """Lets this time pass; `meanwhile` is called at every tick."""
        end = self.clock.seconds() + seconds
        while self.clock.seconds() < end:
            before = self.clock.seconds()
            meanwhile()
            self.service.step()
            for turns in self.runner.loops.values():
                while turns.due_in_seconds <= 0:
                    turns.step()
            self.clock.advance(tick_seconds)
            for turns in self.runner.loops.values():
                turns.due_in_seconds -= self.clock.seconds() - before

    def last(self, miner: str) -> PoolReading:
        """What was last published of a miner's worker."""
        return self.readings[miner][-1]

    def verdicts(self, miner: str) -> list[str]:
        """Each verdict once for as long as it stood."""
        told: list[str] = []
        for reading in self.readings[miner]:
            if told[-1:] != [reading.verdict.value]:
                told.append(reading.verdict.value)
        return told

    def codes(self, of: str = "service") -> list[str]:
        """The codes of the events of a miner, or of the service."""
        return [event.code for whose, event in self.events if whose == of]

    def close(self) -> None:
        self.service.stop()
        self._watcher.stop()

    def _heard(self, name: str, reading: PoolReading | None) -> None:
        if reading is not None and name in self.readings:
            self.readings[name].append(reading)

    def _told(self, whose: str, event: Event | None) -> None:
        if event is not None:
            self.events.append((whose, event))


def _farm(
    pools: Iterable[str],
    workers: Mapping[str, str],
    provider: str,
    farm: Mapping[str, Any],
    miner: Mapping[str, Any],
) -> dict[str, Any]:
    plug = {"driver": "plug", "nominal_w": 1000, "plug": {"host": "10.0.0.9"}}
    return {
        "miners": {name: plug | {"worker": worker} | dict(miner) for name, worker in workers.items()},
        "pools": {name: {"provider": provider, "url": f"http://{name}.test"} for name in pools} | dict(farm),
    }


class Pool(PoolStandIn):
    """A stand-in with two workers, of which `beats` lets some send shares."""

    def __init__(self, clock: VirtualClock, account: str = ACCOUNT) -> None:
        super().__init__(clock, account)
        self.alive = {"rig7", "rig8"}
        self.beat()

    def beat(self) -> None:
        for name in self.alive:
            self.share(name)


def rig_of(pool: PoolStandIn | Handler, clock: VirtualClock, **options: Any) -> PoolRig:
    return PoolRig({"mine": pool}, {"m7": f"mine/{ACCOUNT}/rig7", "m8": f"mine/{ACCOUNT}/rig8"}, clock, **options)
