"""The systemd units under a real systemd, in a container: the farm starts, comes back, and heeds what exit 2 means.

Needs Docker with the right to give a container SYS_ADMIN (systemd mounts what it shields), and SUNHERD_E2E_DOCKER=1;
says so loudly where it is skipped. Stand-ins for Home Assistant and a miner run in the same container, on its loopback.
"""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import eventually

pytestmark = [
    pytest.mark.skipif(os.environ.get("SUNHERD_E2E_DOCKER") != "1", reason="NO DOCKER: set SUNHERD_E2E_DOCKER=1"),
    pytest.mark.timeout(420),
]

ROOT = Path(__file__).parents[2]
IMAGE = "sunherd-systemd-e2e"
TOKEN = "token-of-home-assistant"
PYTHON = "/opt/sunherd/.venv/bin/python"
DOCKERFILE = """\
FROM python:3.13-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends systemd mosquitto mosquitto-clients \\
 && systemctl disable mosquitto
COPY bare /opt/sunherd
RUN python -m venv /opt/sunherd/.venv && /opt/sunherd/.venv/bin/pip install --quiet --editable '/opt/sunherd[embedded]'
COPY source /opt/sunherd
# Shared, as on a machine: what systemd mounts for one unit (its credentials) would not be seen there otherwise.
CMD ["sh", "-c", "mount --make-rshared / && exec /lib/systemd/systemd"]
"""
FARM = """\
battery: {home_assistant: {url: "http://127.0.0.1:8123", state_of_charge: sensor.soc, poll: 1 s}}
miners: {s19-20: {driver: vnish, host: "127.0.0.1:9001", stop_soc: 73, resume_soc: 75}}
rules: {poll: 1 s}
"""
IDENTITY = """\
[Service]
Environment=SUNHERD_BROKER__USERNAME=soc-bridge
LoadCredential=MQTT_PASSWORD:/etc/credstore/OF_THE_BRIDGE
"""
HEAR = ("sh", "-c", "mosquitto_sub -p 1884 -u farm -P secret -t sunherd/miner/s19-20/telemetry -C 1 -W 5")


class Machine:
    """A container whose first process is systemd."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *command: str, check: bool = True, text: str | None = None) -> str:
        done = subprocess.run(
            ["docker", "exec", "-i", self.name, *command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            input=text,
        )
        assert done.returncode == 0 or not check, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def write(self, path: str, text: str, mode: str = "644") -> None:
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, text=text)

    def show(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output", "cat", "-u", unit)

    def signal(self, unit: str, number: str) -> None:
        self.run("systemctl", "kill", "--kill-whom=main", f"--signal={number}", unit)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    context = tmp_path_factory.mktemp("context")
    (context / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    for name in ("pyproject.toml", "README.md", "LICENSE", "shared/version.py"):  # what an installation looks at
        (context / "bare" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, context / "bare" / name)
    for name in ("shared", "services", "deploy"):
        shutil.copytree(ROOT / name, context / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = ["docker", "buildx", "build", "--network", "host", "--load", "--tag", IMAGE, str(context)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    return IMAGE


@pytest.fixture
def machine(image: str) -> Iterator[Machine]:
    name = f"sunherd-systemd-{uuid.uuid4().hex[:8]}"
    shields = [
        "--cap-add",
        "SYS_ADMIN",
        "--security-opt",
        "seccomp=unconfined",
        "--security-opt",
        "apparmor=unconfined",
    ]
    memory = ["--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"]
    command = ["docker", "run", "--detach", "--name", name, "--cgroupns", "private", *shields, *memory, image]
    started = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = Machine(name)
    try:
        if started.returncode != 0 or not eventually(
            lambda: "running" in found.run("systemctl", "is-system-running", check=False), 30
        ):
            pytest.skip(f"NO systemd IN A CONTAINER HERE: {started.stderr.strip()}")
        _install(found)
        yield found
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, timeout=60, check=False)


def _install(machine: Machine) -> None:
    """As docs/systemd.md says; then the stand-ins."""
    machine.run("sh", "-c", "cp /opt/sunherd/deploy/systemd/*.service /etc/systemd/system/ && systemctl daemon-reload")
    machine.write("/etc/sunherd/farm.yaml", FARM)
    machine.write("/etc/credstore/HA_TOKEN", TOKEN, "600")
    machine.run("sh", "-c", "mkdir -p /srv/stand-ins && cp /etc/sunherd/farm.yaml /srv/stand-ins")
    command = f"cd /srv/stand-ins && HA_TOKEN={TOKEN} SUNHERD_START_SOC=70 {PYTHON} -m services.simulator >log 2>&1 &"
    machine.run("sh", "-c", command)


def test_the_whole_farm(machine: Machine) -> None:
    machine.run("systemctl", "start", "sunherd")
    assert eventually(lambda: "mining stopped" in machine.journal("sunherd"), 60), machine.journal("sunherd")
    first = machine.show("sunherd", "MainPID")
    assert machine.run("stat", "-c", "%u", f"/proc/{first}").strip() != "0"
    assert TOKEN not in machine.run("sh", "-c", f"tr '\\0' '\\n' < /proc/{first}/environ")
    assert machine.run("stat", "-c", "%a", "/var/lib/sunherd/").strip() == "700"
    told = machine.run("sh", "-c", f"cd /var/lib/sunherd && {PYTHON} -m deploy.console override s19-20 pause")
    assert "paused by root" in told, "root may say what it wants"

    machine.signal("sunherd", "SIGKILL")
    assert eventually(lambda: machine.show("sunherd", "MainPID") not in {first, "0"}, 30), "it comes back by itself"
    assert eventually(lambda: machine.journal("sunherd").count("Broker: mosquitto") == 2, 30)

    machine.run("systemctl", "stop", "sunherd")
    assert machine.show("sunherd", "Result") == "success"
    assert "Stopped. The miners stay as they are" in machine.journal("sunherd")


def test_bad_input_is_told_once_and_not_tried_again(machine: Machine) -> None:
    machine.write("/etc/sunherd/farm.yaml", FARM.replace("stop_soc: 73", "stop_soc: 80"))
    machine.run("systemctl", "start", "sunherd", check=False)
    assert eventually(lambda: machine.show("sunherd", "ActiveState") == "failed", 30)
    assert not eventually(lambda: machine.show("sunherd", "NRestarts") != "0", 8), "longer than RestartSec"
    assert "stop_soc 80 must be below resume_soc 75" in machine.journal("sunherd")
    assert machine.show("sunherd", "ExecMainStatus") == "2"


def test_single_services(machine: Machine) -> None:
    machine.write("/etc/sunherd/farm.yaml", "broker: {url: mqtt://127.0.0.1:1884, username: farm}\n" + FARM)
    machine.write("/etc/credstore/MQTT_PASSWORD", "secret", "600")
    machine.write("/etc/mosquitto/test.conf", "listener 1884 127.0.0.1\npassword_file /etc/mosquitto/test.users\n")
    machine.run("mosquitto_passwd", "-b", "-c", "/etc/mosquitto/test.users", "farm", "secret")
    machine.run("mosquitto_passwd", "-b", "/etc/mosquitto/test.users", "soc-bridge", "its own")
    machine.write("/etc/credstore/OF_THE_BRIDGE", "its own", "600")
    machine.write("/etc/systemd/system/sunherd@soc_bridge.service.d/identity.conf", IDENTITY)
    machine.run("systemctl", "daemon-reload")
    machine.run("chown", "mosquitto:", "/etc/mosquitto/test.users")
    machine.run("sh", "-c", "mosquitto -d -c /etc/mosquitto/test.conf")
    units = [f"sunherd@{name}" for name in ("policy_engine", "soc_bridge", "vnish_agent", "bitaxe_agent")]
    machine.run("systemctl", "start", *units)
    engine, *_, idle = units
    assert eventually(lambda: '"state":"paused"' in machine.run(*HEAR, check=False), 60), machine.journal(engine)
    assert machine.show(idle, "ActiveState") == "active", "nothing is configured for it: it waits"

    first = machine.show(engine, "MainPID")
    machine.signal(engine, "SIGSTOP")
    assert eventually(lambda: machine.show(engine, "MainPID") not in {first, "0"}, 90), "what is frozen is started anew"
    assert "Watchdog timeout" in machine.journal(engine)
    machine.run("systemctl", "stop", *units)
    assert machine.show(engine, "Result") == "success"
