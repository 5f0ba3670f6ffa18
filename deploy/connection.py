"""How another terminal reaches the farm that runs embedded here."""

import json
from pathlib import Path

from shared.bus import BrokerAddress, Bus, MqttLink
from shared.clock import SystemClock
from shared.launch import address_of
from shared.service import Service

STATE_DIRECTORY = ".sunherd"
CONNECTION_FILE = "connection.json"
NONE_HERE = "No embedded farm has been started here. Start one with `make demo DAYS=0` or `make run`.\n"


def leave_connection(state: Path, url: str, username: str | None, password: str | None, clock: SystemClock) -> None:
    """Writes how to reach the farm's broker, and by which clock it lives; readable by the owner only."""
    file = state / CONNECTION_FILE
    file.touch(mode=0o600)
    details = {"url": url, "username": username, "password": password, "clock": clock.to_variable()}
    file.write_text(json.dumps(details), encoding="utf-8")


def connect(name: str, prefix: str = "sunherd") -> Service | None:
    """A service on the broker of the embedded farm that was started last; None where there is none."""
    files = [*Path(STATE_DIRECTORY).glob(CONNECTION_FILE), *Path(STATE_DIRECTORY).glob(f"*/{CONNECTION_FILE}")]
    if not files:
        return None
    newest = max(files, key=lambda file: file.stat().st_mtime)
    details: dict[str, str | None] = json.loads(newest.read_text(encoding="utf-8"))
    clock = SystemClock.from_variable(str(details["clock"]))
    address: BrokerAddress = address_of(str(details["url"]), details["username"], details["password"])
    return Service(name, Bus(MqttLink(address, name), clock, prefix=prefix, instance=name), clock)
