"""How another terminal reaches the farm that runs embedded here."""

from pathlib import Path

from pydantic import BaseModel

from shared.bus import Bus, MqttLink
from shared.clock import SystemClock
from shared.launch import address_of
from shared.service import Service

STATE_DIRECTORY = ".sunherd"
CONNECTION_FILE = "connection.json"
NONE_HERE = "No embedded farm has been started here. Start one with `make demo DAYS=0` or `make run`.\n"


class Connection(BaseModel):
    """The broker, the clock by which the farm lives, and the names that it knows."""

    url: str
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    prefix: str
    clock: str
    site: str
    miners: list[str]
    groups: list[str]

    def leave(self, state: Path) -> None:
        """Writes it into the farm's directory, readable by the owner only."""
        fresh = state / f"{CONNECTION_FILE}.new"
        fresh.touch(mode=0o600)
        fresh.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        fresh.replace(state / CONNECTION_FILE)  # whoever reads sees the whole, or nothing yet

    def service(self, name: str) -> Service:
        """A service of this name on the farm's broker and clock, not yet started."""
        clock = SystemClock.from_variable(self.clock)
        link = MqttLink(address_of(self.url, self.username, self.password, self.ca_file), name)
        return Service(name, Bus(link, clock, prefix=self.prefix, instance=name), clock)


def newest_state() -> Path | None:
    """The directory of the embedded farm that was started last below this one; None where there is none."""
    state = Path(STATE_DIRECTORY)
    files = [*state.glob(CONNECTION_FILE), *state.glob(f"*/{CONNECTION_FILE}")]
    return max(files, key=lambda file: file.stat().st_mtime).parent if files else None


def newest_connection() -> Connection | None:
    """How to reach that farm; None where there is none."""
    state = newest_state()
    if state is None:
        return None
    return Connection.model_validate_json((state / CONNECTION_FILE).read_text(encoding="utf-8"))
