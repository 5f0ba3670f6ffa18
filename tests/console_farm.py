"""A farm for the console: a real broker, engine and agent in threads, stand-ins on sockets, and a farm file."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from typer.testing import CliRunner

from deploy.console.app import build
from deploy.console.trouble import TroubleError
from services.policy_engine.__main__ import build as build_engine
from services.simulator.http import Handler
from services.simulator.http_server import HttpServer
from services.vnish_agent.wiring import build as build_agent
from shared.bus import Bus, MqttLink, Received
from shared.clock import SystemClock
from shared.launch import Context
from shared.loops import ThreadRunner
from shared.messages import EmergencyStop, Event, MinerCommand, MinerTelemetry, Number, Request, SiteTelemetry
from shared.service import Service
from shared.settings import Secrets, load_farm
from shared.topics import (
    EMERGENCY_STOP,
    GROUP_EVENT,
    GROUP_REQUEST,
    MINER_COMMAND,
    MINER_EVENT,
    MINER_REQUEST,
    MINER_TELEMETRY,
    SITE_TELEMETRY,
    Topic,
)
from tests.brokers import Real, start
from tests.sockets import ServiceLoop
from tests.waiting import eventually

RULES = "rules: {minimum_off: 0 s, minimum_on: 0 s, starts_per_day: 1000, stagger_w: 1000000, poll: 0.3 s}\n"


@dataclass(frozen=True)
class Said:
    """What the command printed and how it ended."""

    code: int
    out: str


def sunherd(*arguments: str) -> Said:
    """The command, in this process."""
    done = CliRunner().invoke(build(), list(arguments))
    if isinstance(done.exception, TroubleError):
        return Said(done.exception.exit_code, f"{done.output}{done.exception}\n")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.output)


class _Hanging(ServiceLoop):
    """A service whose own thread may stand still, while its connection and its devices' threads go on."""

    def __init__(self, service: Service, hangs: Callable[[], bool]) -> None:
        super().__init__(service)
        self._hangs = hangs

    def step(self) -> float:
        return 0.1 if self._hangs() else super().step()


class ConsoleFarm:
    """`handlers`: the stand-ins' web servers by miner id. `text`: the farm file's `miners:`, with {ports} by id."""

    def __init__(self, directory: Path, handlers: Mapping[str, Handler], text: str) -> None:
        self.clock = SystemClock()
        self._stack = ExitStack()
        self._services: dict[str, ThreadRunner] = {}
        self._hung: set[str] = set()
        self.broker = start("mosquitto", directory / "broker")
        assert isinstance(self.broker, Real)
        self._address = self.broker.address()
        ports = {name: self._stack.enter_context(HttpServer(handler)).port for name, handler in handlers.items()}
        self.file = directory / "farm.yaml"
        where = f"broker: {{url: 'mqtt://127.0.0.1:{self._address.port}', username: {self._address.username}}}\n"
        self.file.write_text(where + RULES + text.format(**ports), encoding="utf-8")
        (directory / ".env").write_text(f"MQTT_PASSWORD={self._address.password}\n", encoding="utf-8")
        self.latch = directory / ".sunherd" / "emergency_stop"
        self.farm = load_farm(self.file)
        self.commands: dict[str, MinerCommand] = {}
        self.telemetry: dict[str, MinerTelemetry] = {}
        self.bus = Bus(MqttLink(self._address, "watcher"), self.clock, instance="watcher")
        self.bus.subscribe(MINER_COMMAND, lambda got: self._keep(self.commands, got))
        self.bus.subscribe(MINER_TELEMETRY, lambda got: self._keep(self.telemetry, got))
        self.stops: list[EmergencyStop] = []
        self.bus.subscribe(EMERGENCY_STOP, lambda got: self.stops.extend(filter(None, [got.message])))
        self.bus.start()
        assert eventually(self.bus.is_synced)

    def say(self, *arguments: str) -> Said:
        return sunherd("--farm", str(self.file), *arguments)

    # --- who is there

    def engine(self) -> None:
        self._begin("policy_engine", build_engine)

    def agent(self) -> None:
        self._begin("vnish_agent", build_agent)

    def end(self, name: str) -> None:
        """In good order."""
        self._services.pop(name).stop()

    def hang(self, name: str) -> None:
        """It stands still, and the broker does not notice."""
        self._hung.add(name)

    def kill_broker(self) -> None:
        assert isinstance(self.broker, Real)
        self.broker.kill()
        assert eventually(lambda: not self.bus.is_up())

    def soc(self, percent: float) -> None:
        now = self.clock.now()
        told = SiteTelemetry(at=now, state_of_charge_percent=percent, confirmed_at=now, source="test")
        self.bus.publish(SITE_TELEMETRY, "home", told)

    def answering(self, code: str, sentence: str) -> list[tuple[str, Request]]:
        """From now on each request is answered like this; what was asked comes into the list."""
        heard: list[tuple[str, Request]] = []

        def answer(topic: Topic[Event]) -> Callable[[Received[Any]], None]:
            def told(received: Received[Request]) -> None:
                request = received.message
                assert request is not None
                heard.append((received.identifier, request))
                numbers: dict[str, Number] = {
                    "request": request.at.isoformat(),
                    "kind": str(request.kind),
                    "by": request.by,
                }
                event = Event(at=self.clock.now(), code=code, sentence=sentence, numbers=numbers)
                self.bus.publish(topic, received.identifier, event)

            return told

        self.bus.subscribe(MINER_REQUEST, answer(MINER_EVENT))
        self.bus.subscribe(GROUP_REQUEST, answer(GROUP_EVENT))
        return heard

    def decided(self, name: str, *, since: datetime | None = None) -> bool:
        """Whether the engine has decided about a miner whose agent has told of it."""
        command = self.commands.get(name)
        return command is not None and command.answers is not None and (since is None or command.at > since)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()  # first: it ends the requests that wait for a silent stand-in
        for runner in self._services.values():
            runner.stop()
        self.bus.stop()
        self.broker.stop()

    @staticmethod
    def _keep(kept: dict[str, Any], received: Received[Any]) -> None:
        if received.message is not None:
            kept[received.identifier] = received.message

    def _begin(self, name: str, build: Callable[[Context], bool]) -> None:
        service = Service(name, Bus(MqttLink(self._address, name), self.clock, instance=name), self.clock)
        assert build(Context(service, self.farm, Secrets.beside(self.file)))
        runner = self._services[name] = ThreadRunner()
        runner.spawn(name, _Hanging(service, lambda: name in self._hung))
