"""What the agent of the outlets loads of python-kasa: a farm of older plugs pays for no HTTP."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.simulator.http import Wire
from services.simulator.kasa_klap import KlapServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from shared.clock import SystemClock
from tests.kasa_client import ACCOUNT

SCRIPT = """\
import sys
from services.kasa_power_agent.link import Account, Manners
from services.kasa_power_agent.wiring import kasa_links
from shared.device import DeviceError
from shared.settings.plug import PlugSettings

plug = PlugSettings(host=sys.argv[1], protocol=sys.argv[2])
link = kasa_links({"m": plug})(Manners(plug.host, plug.protocol, Account(*sys.argv[3:])))
try:
    reading = link.read(meters=True)
    link.switch(reading.outlets[-1].outlet_id, on=False)
    print([outlet.on for outlet in link.read(meters=True).outlets], reading.has_meter)
except DeviceError as error:
    print(error.code)
link.close()
print(*sorted({"aiohttp", "cryptography", "kasa"} & set(sys.modules)))
"""


def told(port: int, protocol: str) -> list[str]:
    arguments = [f"127.0.0.1:{port}", protocol, ACCOUNT.username, ACCOUNT.password]
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", SCRIPT, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("model", "states"), [("KP115", "[False] True"), ("KP303", "[True, True, False] False")])
def test_older_devices_are_read_and_switched_without_http(model: str, states: str) -> None:
    with KasaServer(KasaMachine(model, clock=SystemClock())) as server:
        assert told(server.port, "legacy") == [states, "kasa"]


def test_whoever_hangs_is_unreachable_as_ever() -> None:
    machine = KasaMachine(clock=SystemClock())
    machine.faults.wire = Wire.RESET
    with KasaServer(machine) as server:
        assert told(server.port, "legacy") == ["unreachable", "kasa"]


AFTERWARDS = """\
from services.kasa_power_agent.wiring import kasa_links
from shared.launch import NewProcessError
from shared.settings.plug import PlugSettings

older, newer = PlugSettings(host="192.0.2.1", protocol="legacy"), PlugSettings(host="192.0.2.2")
kasa_links({"m": older})
kasa_links({"m": older})
try:
    kasa_links({"m": older, "n": newer})
except NewProcessError as error:
    print(error)
"""


def test_a_newer_plug_that_is_added_to_older_ones_asks_for_a_new_process() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", AFTERWARDS]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert "was loaded for older plugs alone" in done.stdout, done.stderr


def test_a_device_with_an_account_gets_the_whole_library() -> None:
    with KlapServer(KasaMachine(clock=SystemClock()), ACCOUNT) as server:
        assert told(server.port, "klap") == ["[False] True", "aiohttp cryptography kasa"]


def test_where_nobody_knows_yet_it_is_whole_too() -> None:
    with KasaServer(KasaMachine(clock=SystemClock())) as server:
        assert told(server.port, "auto") == ["[False] True", "aiohttp cryptography kasa"]
