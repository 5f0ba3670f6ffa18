"""The add-on as a real container, between stand-ins for the supervisor, Home Assistant and two miners.

Needs Docker and SUNHERD_E2E_DOCKER=1; says so loudly where it is skipped. All of it stays on this machine's loopback.
"""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.addon.pack import pack
from deploy.broker import RunningBroker, find_mosquitto, start_broker
from services.simulator.home_assistant import HomeAssistantStandIn
from services.simulator.http import Request, Response, json_response
from services.simulator.http_server import HttpServer
from services.simulator.vnish import VnishStandIn
from shared.bus import Bus, MqttLink
from shared.clock import SystemClock
from shared.launch import address_of
from tests.embedded_farm import Ear
from tests.waiting import eventually

pytestmark = [
    pytest.mark.skipif(os.environ.get("SUNHERD_E2E_DOCKER") != "1", reason="NO DOCKER: set SUNHERD_E2E_DOCKER=1"),
    pytest.mark.timeout(420),
]

IMAGE = "sunherd-addon-e2e"
TOKEN = "given-by-the-supervisor"
SENSOR = "sensor.battery_soc"
QUICK = ("MINIMUM_OFF=1 s", "STARTS_PER_DAY=100", "STAGGER_W=100000", "POLL=1 s")
"""What the owner of a real farm would not set, so that a test need not wait five minutes."""


class Supervisor(HomeAssistantStandIn):
    """Home Assistant below /core, as its supervisor passes it on, and the broker that it has to share."""

    mqtt: dict[str, Any] | None = None
    asked_for_broker = 0

    def _handle(self, asked: Request) -> Response:
        if asked.path != "/services/mqtt":
            return super()._handle(asked)
        self.asked_for_broker += 1
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return json_response({"result": "error", "message": "forbidden"}, 403)
        if self.mqtt is None:
            return json_response({"result": "error", "message": "Service not enabled"}, 400)
        return json_response({"result": "ok", "data": self.mqtt})


def docker(*arguments: str, seconds: float = 60, check: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0 or not check, f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = pack(tmp_path_factory.mktemp("pack") / "addon")
    docker("buildx", "build", "--network", "host", "--load", "--tag", IMAGE, str(folder), seconds=400)
    return IMAGE


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    stand_in = Supervisor(token=TOKEN, clock=SystemClock(), path="/core")
    stand_in.start()
    show(stand_in, 80)
    yield stand_in
    stand_in.stop()


@pytest.fixture
def miners() -> Iterator[dict[str, VnishStandIn]]:
    clock = SystemClock()
    stand_ins = [VnishStandIn(generation, clock=clock) for generation in ("1.2.6", "1.3.4")]
    servers = [HttpServer(miner.handle) for miner in stand_ins]
    yield {f"127.0.0.1:{server.start()}": miner for server, miner in zip(servers, stand_ins, strict=True)}
    for server in servers:
        server.stop()


@pytest.fixture
def shared_broker(tmp_path: Path) -> Iterator[RunningBroker]:
    broker = start_broker(tmp_path / "broker-of-home-assistant", port=0, mosquitto=find_mosquitto())
    yield broker
    broker.stop()


def show(supervisor: Supervisor, percent: float) -> None:
    supervisor.set_state(SENSOR, str(percent), {"unit_of_measurement": "%"})


def form(stand_ins: dict[str, VnishStandIn], **changed: Any) -> dict[str, Any]:
    rows = [
        {"name": f"s19-{number}", "driver": "vnish", "host": host, "stop_soc": 73.0, "resume_soc": 75.0}
        for number, host in enumerate(stand_ins)
    ]
    return {"observe": False, "state_of_charge": SENSOR, "miners": rows, "broker": "auto", **changed}


@contextmanager
def addon(image: str, directory: Path, options: dict[str, Any], supervisor: Supervisor) -> Iterator[str]:
    """The name of a running container, mounted as the supervisor mounts it: root's data, options for root alone."""
    data, config = directory / "data", directory / "config"
    data.mkdir(mode=0o755, exist_ok=True)
    config.mkdir(exist_ok=True)
    (data / "options.json").write_text(json.dumps(options), encoding="utf-8")
    (data / "options.json").chmod(0o600)
    name = f"sunherd-addon-{uuid.uuid4().hex[:8]}"
    rules = [word for rule in QUICK for word in ("--env", f"SUNHERD_RULES__{rule}")]
    docker(
        *("run", "--detach", "--name", name, "--network", "host", "--tmpfs", "/tmp"),
        *("--volume", f"{data}:/data", "--volume", f"{config}:/config:ro"),
        *("--env", f"SUPERVISOR_TOKEN={TOKEN}", "--env", "TZ=Europe/Lisbon", *rules),
        *(image, "python", "-m", "deploy.addon", "--supervisor", f"http://127.0.0.1:{supervisor.port}"),
    )
    try:
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def exit_code(name: str) -> int:
    return int(docker("wait", name).strip())


def hashing(miners: dict[str, VnishStandIn]) -> list[bool]:
    return [miner.hashing for miner in miners.values()]


def test_a_falling_battery_stops_the_miners(
    image: str,
    tmp_path: Path,
    supervisor: Supervisor,
    miners: dict[str, VnishStandIn],
    shared_broker: RunningBroker,
) -> None:
    supervisor.mqtt = {
        "host": "127.0.0.1",
        "port": shared_broker.port,
        "ssl": False,
        "protocol": "3.1.1",
        "username": shared_broker.username,
        "password": shared_broker.password,
        "addon": "core_mosquitto",
    }
    link = MqttLink(address_of(shared_broker.url, shared_broker.username, shared_broker.password), "ear")
    ear = Ear(Bus(link, SystemClock(), instance="ear"))
    announced: list[str] = []
    ear.bus.subscribe_raw("homeassistant/device/+/config", lambda arrival: announced.append(arrival.path))
    ear.listen()
    with addon(image, tmp_path, form(miners), supervisor) as name:
        settled = eventually(
            lambda: len(ear.telemetry) == 2 and all(each.settled for each in ear.telemetry.values()), 60
        )
        assert settled, docker("logs", name)
        assert hashing(miners) == [True, True]
        assert eventually(lambda: "homeassistant/device/sunherd_home/config" in announced, 20), docker("logs", name)

        show(supervisor, 70)
        assert eventually(lambda: not any(hashing(miners)), 30), docker("logs", name)
        assert eventually(lambda: ear.codes() == {"soc_low"}, 10)
        show(supervisor, 90)
        assert eventually(lambda: all(hashing(miners)), 60), "above resume_soc both run again"

        assert docker("exec", name, "stat", "-c", "%u", "/proc/1").strip() == "10001", "root only for a moment"
        assert docker("exec", name, "python", "-m", "deploy.addon.health").strip() == "alive"
        docker("stop", "--time", "30", name)
        assert exit_code(name) == 0, docker("logs", name)
        log = docker("logs", name)
        assert "Broker: Home Assistant's" in log
        assert TOKEN not in log
        assert shared_broker.password not in log
    ear.bus.stop()


def test_an_emergency_stop_on_its_own_broker_survives_a_restart(
    image: str, tmp_path: Path, supervisor: Supervisor, miners: dict[str, VnishStandIn]
) -> None:
    with addon(image, tmp_path, form(miners), supervisor) as name:
        assert eventually(lambda: "mining" in docker("logs", name), 60), docker("logs", name)
        assert supervisor.asked_for_broker == 1
        assert "confirmed" in docker("exec", name, "python", "-m", "deploy.console", "stop", "--all")
        assert eventually(lambda: not any(hashing(miners)), 30)

        docker("restart", "--time", "30", name)
        assert eventually(lambda: docker("logs", name).count("Sunherd 0") == 2, 30)
        assert not eventually(lambda: any(hashing(miners)), 15), "the stop is remembered"
        assert supervisor.asked_for_broker == 1, "it stays with its own broker, where its memory is"
        docker("exec", name, "python", "-m", "deploy.console", "resume")
        assert eventually(lambda: all(hashing(miners)), 60)


def test_bad_options_are_told_at_once(
    image: str, tmp_path: Path, supervisor: Supervisor, miners: dict[str, VnishStandIn]
) -> None:
    rows = [
        {"name": "a", "driver": "vnsh", "host": "192.168.1.20", "stop_soc": 75.0, "resume_soc": 73.0},
        {"name": "b", "driver": "vnish", "host": "not an address"},
    ]
    with addon(image, tmp_path, form(miners, miners=rows, state_of_charge=""), supervisor) as name:
        assert exit_code(name) == 2
        told = docker("logs", name).splitlines()
    lines = [line for line in told if line.startswith("option: ")]
    assert len(lines) == 4, told
    assert all(" Fix: " in line for line in lines)
    assert {line.split(":")[1].strip() for line in lines} == {"state_of_charge", "miners, a", "miners, b"}
    assert told[-1] == "4 problems in the options; nothing was started."


def test_the_owners_farm_file_goes_before_the_form(
    image: str, tmp_path: Path, supervisor: Supervisor, miners: dict[str, VnishStandIn]
) -> None:
    host = next(iter(miners))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "farm.yaml").write_text(
        f"""\
battery: {{home_assistant: {{url: "http://127.0.0.1:{supervisor.port}/core", state_of_charge: {SENSOR}}}}}
miners:
  own: {{driver: vnish, host: "{host}", stop_soc: 85, resume_soc: 86}}
""",
        encoding="utf-8",
    )
    with addon(image, tmp_path, form(miners, broker="own"), supervisor) as name:
        assert eventually(lambda: hashing(miners) == [False, True], 60), docker("logs", name)
        assert supervisor.asked_for_broker == 0
        assert "/config/farm.yaml: 1 miner" in docker("logs", name)
