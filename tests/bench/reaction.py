"""From Home Assistant's change to the last miner's stop, beside a loop that visits one miner after another."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http import Request, Response
from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.clock import SystemClock
from tests.embedded_farm import embedded_farm
from tests.waiting import eventually

ANSWER_SECONDS = 0.1
_SENSOR = "sensor.battery_soc"
_TOKEN = "bench"
_PATIENCE_SECONDS = 60.0

_FARM = """\
battery: {{home_assistant: {{url: "{url}", state_of_charge: {sensor}}}}}
rules: {{poll: 5 s, stagger_w: 1000000}}
miners:
"""


@dataclass(frozen=True)
class Reaction:
    """Both ways in one run, in seconds."""

    miners: int
    sunherd_seconds: float
    sequential_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as long the one after another takes."""
        return self.sequential_seconds / self.sunherd_seconds


class SlowMiner:
    """A stand-in that answers after 100 ms, and notes when its stop came in."""

    def __init__(self, clock: SystemClock) -> None:
        self.miner = VnishStandIn("1.2.6", clock=clock)
        self.stopped_at: float | None = None
        self._clock = clock
        self.server = HttpServer(self._handle)
        self.port = self.server.start()

    def _handle(self, request: Request) -> Response:
        if request.path.endswith("/mining/stop") and self.stopped_at is None:
            self.stopped_at = self._clock.seconds()
        answer = self.miner.handle(request)
        return Response(answer.status, answer.body, answer.content_type, delay_seconds=ANSWER_SECONDS)


def measure(count: int) -> Reaction:
    """Runs both ways with fresh stand-ins."""
    return Reaction(count, _sunherd(count), _sequential(count))


def _sunherd(count: int) -> float:
    """The embedded farm as its owner runs it: real processes, a real broker, real sockets."""
    clock = SystemClock()
    slow = [SlowMiner(clock) for _ in range(count)]
    home_assistant = HomeAssistantStandIn(token=_TOKEN, clock=clock)
    home_assistant.start()
    home_assistant.set_state(_SENSOR, "80", {"unit_of_measurement": "%"})
    farm = _FARM.format(url=home_assistant.url, sensor=_SENSOR)
    for index, one in enumerate(slow):
        farm += f'  m{index}: {{driver: vnish, host: "127.0.0.1:{one.port}", stop_soc: 73, resume_soc: 75}}\n'
    try:
        with (
            tempfile.TemporaryDirectory() as directory,
            embedded_farm(Path(directory), farm, HA_TOKEN=_TOKEN) as running,
        ):
            telemetry = running.ear.telemetry
            _wait(lambda: len(telemetry) == count and all(reading.settled for reading in telemetry.values()))
            began = clock.seconds()
            home_assistant.set_state(_SENSOR, "60", {"unit_of_measurement": "%"})
            _wait(lambda: all(one.stopped_at for one in slow))
            return max(one.stopped_at or 0.0 for one in slow) - began
    finally:
        home_assistant.stop()
        _stop(slow)


def _sequential(count: int) -> float:
    """Unlock, look, stop; one miner after another, each request on a connection of its own."""
    clock = SystemClock()
    slow = [SlowMiner(clock) for _ in range(count)]
    began = clock.seconds()
    for one in slow:
        base = f"http://127.0.0.1:{one.port}/api/v1"
        token = requests.post(f"{base}/unlock", json={"pw": "admin"}, timeout=5).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        requests.get(f"{base}/status", headers=headers, timeout=5)
        requests.post(f"{base}/mining/stop", json={}, headers=headers, timeout=5)
    took = clock.seconds() - began
    _stop(slow)
    return took


def _stop(slow: list[SlowMiner]) -> None:
    for one in slow:
        one.server.stop()


def _wait(predicate: Callable[[], object]) -> None:
    if not eventually(predicate, _PATIENCE_SECONDS):
        message = f"the farm did not get there within {_PATIENCE_SECONDS:g} s"
        raise TimeoutError(message)
