"""VNish stand-ins on real sockets, with an agent in real threads, wired as in production but for the broker."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from services.vnish_agent.wiring import build
from shared.bus import Bus, MemoryBroker
from shared.clock import SystemClock
from shared.launch import Context
from shared.loops import Loop, ThreadRunner
from shared.messages import PAUSE, Event, MinerTelemetry, OperatingPoint
from shared.service import Service
from shared.settings import FarmSettings, Secrets
from shared.topics import MINER_COMMAND, MINER_EVENT, MINER_TELEMETRY
from tests.farm import miner_command


class ServiceLoop(Loop):
    """A service in a thread of its own, without the signals of `Service.run`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        service.start()

    def step(self) -> float:
        return min(self._service.step(), 0.01)

    def close(self) -> None:
        self._service.stop()


class SocketRig:
    """An agent for these stand-ins. Leases are long: nothing is renewed."""

    def __init__(
        self,
        stand_ins: Mapping[str, VnishStandIn],
        clock: SystemClock,
        *,
        environment: Mapping[str, str] | None = None,
        miner: Mapping[str, Any] | None = None,
    ) -> None:
        self.telemetry: dict[str, MinerTelemetry] = {}
        self.events: list[Event] = []
        self._clock = clock
        self._stack = ExitStack()
        hosts = {
            name: f"127.0.0.1:{self._stack.enter_context(HttpServer(stand_in.handle)).port}"
            for name, stand_in in stand_ins.items()
        }
        miners = {name: {"driver": "vnish", "host": host, **(miner or {})} for name, host in hosts.items()}
        self.farm = FarmSettings.model_validate({"miners": miners, "rules": {"poll": "200 ms"}})
        broker = MemoryBroker()
        self._watcher = Bus(broker.link(), clock, instance="watcher")
        self._watcher.subscribe(MINER_TELEMETRY, lambda got: self._heard(got.identifier, got.message))
        self._watcher.subscribe(MINER_EVENT, lambda got: self._told(got.message))
        self._watcher.start()
        service = Service("vnish_agent", Bus(broker.link(), clock, instance="agent"), clock)
        secrets = Secrets(environment or {}, {}, Path("no-such-directory"))
        assert build(Context(service, self.farm, secrets))
        self._runner = ThreadRunner()
        self._runner.spawn("service", ServiceLoop(service))

    def pause(self, name: str) -> None:
        self.order(name, PAUSE)

    def order(self, name: str, point: OperatingPoint) -> None:
        self._watcher.publish(MINER_COMMAND, name, miner_command(point, self._clock, lease_seconds=600))

    def last(self, name: str) -> MinerTelemetry:
        return self.telemetry[name]

    def close(self) -> None:
        self._stack.close()  # first: it ends the requests that wait for a silent stand-in
        self._runner.stop()
        self._watcher.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _heard(self, name: str, telemetry: MinerTelemetry | None) -> None:
        if telemetry is not None:
            self.telemetry[name] = telemetry

    def _told(self, event: Event | None) -> None:
        if event is not None:
            self.events.append(event)
