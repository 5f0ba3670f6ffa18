"""A service process as an operator meets it: bad input, signals, and nothing to do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.broker import RunningBroker, start_broker
from shared.bus import BrokerAddress, Bus, MqttLink, Received
from shared.clock import SystemClock
from shared.messages import Presence
from shared.topics import SERVICE_PRESENCE
from tests.waiting import eventually

SERVICE = """
import sys
from shared.launch import launch

def build(context):
    print("built", sorted(context.farm.miners), context.service.name, flush=True)
    if "idle" in sys.argv:
        return False
    context.service.every(3600, lambda: None)
    return True

launch("probe", build)
"""
FARM = "miners:\n  s19-20: {driver: vnish, host: 192.168.88.20}\n"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    running = start_broker(tmp_path / "broker", port=0)
    yield running
    running.stop()


def environment(**changed: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUNHERD", "HA_", "MQTT_"))}
    return kept | {"PYTHONWARNINGS": "error"} | changed


def run(cwd: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", SERVICE, *arguments]
    root = str(Path(__file__).parents[2])
    variables = environment(PYTHONPATH=root, **variables)
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, timeout=20, check=False)


def test_a_wrong_farm_file_is_explained_and_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text("miners:\n  s19-20: {driver: vnisch, hots: 192.168.88.20}\n")

    done = run(tmp_path)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "farm.yaml:2: miners.s19-20.driver: 'vnisch' is not allowed here (did you mean \"vnish\"?)" in done.stderr
    assert 'unknown key (did you mean "host"?)' in done.stderr
    assert done.stderr.strip().endswith("farm.yaml; nothing was started.")
    assert "Traceback" not in done.stderr


def test_a_missing_farm_file_is_explained(tmp_path: Path) -> None:
    done = run(tmp_path, SUNHERD_FARM="nowhere.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.yaml: No such file or directory. Fix: " in done.stderr


@pytest.mark.parametrize(
    ("broker", "words"),
    [
        (
            'url: "mqtts://broker.lan:8883", ca_file: nowhere.crt',
            "broker.ca_file: there is no nowhere.crt. Fix: copy authority.crt here from where `make certificates`",
        ),
        (
            'url: "mqtts://broker.lan:8883", ca_file: farm.yaml',
            "broker.ca_file: farm.yaml cannot be used: it holds no certificate. Fix: give the authority.crt",
        ),
        (
            'url: "mqtt://broker.lan:1883", ca_file: a.crt',
            "farm.yaml:1: broker: ca_file is for a broker with TLS. Fix: write its url as mqtts://",
        ),
        ("ca_file: a.crt", "farm.yaml:1: broker: ca_file is for a broker with TLS. Fix: write its url as mqtts://"),
    ],
)
def test_an_authority_that_cannot_be_used_is_explained(tmp_path: Path, broker: str, words: str) -> None:
    (tmp_path / "farm.yaml").write_text(f"broker: {{{broker}}}\n{FARM}")
    done = run(tmp_path)
    assert done.returncode == 2, done
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_service_of_an_embedded_farm_with_nothing_to_do_ends_well(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text(FARM)
    done = run(tmp_path, "idle", SUNHERD_LOG_DIR=str(tmp_path), SUNHERD_EMBEDDED="1")
    assert (done.returncode, done.stdout) == (0, "built ['s19-20'] probe\n")
    assert "nothing is configured for it; it ends" in (tmp_path / "probe.log").read_text()


def test_any_other_waits_and_is_live_and_ends_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "farm.yaml").write_text(FARM)
    variables = environment(
        PYTHONPATH=str(Path(__file__).parents[2]),
        SUNHERD_LOG_DIR=str(tmp_path),
        SUNHERD_HEALTH_FILE=str(tmp_path / "health"),
    )
    with subprocess.Popen([sys.executable, "-c", SERVICE, "idle"], cwd=tmp_path, env=variables) as process:
        log = tmp_path / "probe.log"
        assert eventually(lambda: log.exists() and "it waits for a farm file" in log.read_text(), 20)
        assert eventually((tmp_path / "health").exists)
        # Wrong meanwhile: said, and waited on.
        (tmp_path / "farm.yaml").write_text(FARM.replace("driver", "drivr"))
        assert eventually(lambda: "this key is missing" in (tmp_path / "health").read_text(), 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_told_to_end_while_it_is_built_ends(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "farm.yaml").write_text(FARM)
    hasty = SERVICE.replace("    if ", f"    import os\n    os.kill(os.getpid(), {int(number)})\n    if ", 1)
    done = subprocess.run(
        [sys.executable, "-c", hasty],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_sigterm_ends_a_service_within_a_second_and_says_offline(tmp_path: Path, broker: RunningBroker) -> None:
    (tmp_path / "farm.yaml").write_text(FARM)
    got: list[Received[Presence]] = []
    address = BrokerAddress("127.0.0.1", broker.port, broker.username, broker.password)
    bus = Bus(MqttLink(address, "listener"), SystemClock(), instance="listener")
    bus.subscribe(SERVICE_PRESENCE, got.append)
    bus.start()
    variables = environment(
        PYTHONPATH=str(Path(__file__).parents[2]),
        SUNHERD_BROKER__URL=broker.url,
        SUNHERD_BROKER__USERNAME=broker.username,
        MQTT_PASSWORD=broker.password,
        SUNHERD_INSTANCE="Here",
    )
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE], cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        online = eventually(lambda: got, 10)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
        took = time.monotonic() - began
    assert online, log
    assert process.returncode == 0
    assert took < 1
    assert eventually(lambda: got[-1].message and got[-1].message.status == "offline")
    assert got[-1].identifier == "probe-here"
    assert broker.password not in log.decode()
    bus.stop()
