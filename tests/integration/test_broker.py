"""The broker that an embedded farm brings along, from start to end."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import broker as broker_module
from deploy.broker import BrokerError, PortInUseError, find_mosquitto, start_broker
from tests.waiting import eventually

KINDS = ["mosquitto", "amqtt"]


@pytest.fixture(params=KINDS)
def program(request: pytest.FixtureRequest) -> str | None:
    if request.param == "mosquitto" and find_mosquitto() is None:
        pytest.skip("MOSQUITTO IS NOT INSTALLED: starting it is not tested")
    return find_mosquitto() if request.param == "mosquitto" else None


def test_it_starts_restarts_on_its_port_with_its_password_and_stops(tmp_path: Path, program: str | None) -> None:
    broker = start_broker(tmp_path, port=0, mosquitto=program)
    url, password, pid = broker.url, broker.password, broker.pid
    assert broker.alive()
    assert broker.kind == ("amqtt" if program is None else "mosquitto")

    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not broker.alive())
    broker.restart()

    assert (broker.url, broker.password, broker.alive()) == (url, password, True)
    assert broker.pid != pid
    broker.stop()
    broker.stop()
    assert not broker.alive()

    again = start_broker(tmp_path, port=0, mosquitto=program)
    assert again.password == password
    again.stop()


def test_a_port_in_use_has_its_own_message(tmp_path: Path, program: str | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {port} on 127.0.0.1 is in use.*Fix: "):
            start_broker(tmp_path, port=port, mosquitto=program)


def test_without_a_wish_another_port_is_found(
    tmp_path: Path, program: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(broker_module, "DEFAULT_PORT", taken)
        broker = start_broker(tmp_path, mosquitto=program)
        assert broker.port != taken
        broker.stop()
    monkeypatch.setattr(broker_module, "DEFAULT_PORT", broker.port)
    assert start_and_stop(tmp_path, program) == broker.port


def start_and_stop(directory: Path, program: str | None) -> int:
    broker = start_broker(directory, mosquitto=program)
    broker.stop()
    return broker.port


def test_no_password_lies_open_and_none_is_in_a_command_line(tmp_path: Path, program: str | None) -> None:
    broker = start_broker(tmp_path / "state", port=0, mosquitto=program)
    command_line = Path(f"/proc/{broker.pid}/cmdline").read_bytes().decode()
    holding = [file for file in (tmp_path / "state").iterdir() if broker.password in file.read_text(errors="replace")]
    broker.stop()
    assert broker.password not in command_line
    assert [file.name for file in holding] == ["password"]
    assert holding[0].stat().st_mode & 0o077 == 0
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_program_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    fake = tmp_path / "mosquitto"
    fake.write_text("#!/bin/sh\necho out of cheese\nexit 3\n")
    fake.chmod(0o755)
    (tmp_path / "mosquitto_passwd").write_text("#!/bin/sh\n")
    (tmp_path / "mosquitto_passwd").chmod(0o755)
    with pytest.raises(BrokerError, match=r"exit 3(?s:.*)out of cheese"):
        start_broker(tmp_path / "state", port=0, mosquitto=str(fake))


ORPHANING = """
import os, signal, sys
from pathlib import Path
from deploy.broker import start_broker, find_mosquitto
broker = start_broker(Path(sys.argv[1]), port=0, mosquitto=find_mosquitto() if sys.argv[2] == "mosquitto" else None)
if os.fork() == 0:
    sys.exit(0)
os.wait()
print(broker.pid, broker.alive(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_parent_leaves_no_broker_behind_and_a_fork_does_not_stop_it(
    tmp_path: Path, program: str | None
) -> None:
    kind = "amqtt" if program is None else "mosquitto"
    command = [sys.executable, "-c", ORPHANING, str(tmp_path), kind]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=20, check=False)
    pid, alive = done.stdout.split()
    assert alive == "True", "a fork that ends must not take its parent's broker with it"
    assert eventually(lambda: ended(int(pid)))


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
