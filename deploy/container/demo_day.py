"""The demo in containers: the simulator leaves farm file and clock in a volume, and every other container reads them.

All containers of a machine share its monotonic clock. So the text of `SystemClock.to_variable` makes the same farm time
in each of them, until the machine is started anew. The clock lies beside the farm file and nowhere else: a real farm
can never get to run by the demo's fast one.
"""

from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel

from deploy.demo_farm import DATE, DAY_SECONDS, MORNING, PORTS, orders, write_farm
from shared.clock import CLOCK_VARIABLE, SystemClock
from shared.follow import FOLLOW_VARIABLE
from shared.settings.address import SIMULATED_AT_VARIABLE

CLOCK_FILE = "clock"
DAY_VARIABLE = "SUNHERD_DEMO_DAY_SECONDS"
DIRECTORY_VARIABLE = "SUNHERD_FARM_DIRECTORY"
OWN_VOLUME = "demo-farm"
HOST = "simulator"
_ORDERS_VARIABLE = "SUNHERD_SIMULATED_ORDERS"
_FIRST_PORT = 8001
_SHORTEST_DAY_SECONDS = 10.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_KEPT = {"MQTT_PASSWORD"}


class DemoClock(BaseModel):
    """The clock by which the demo lives, and the start of the machine since which it counts."""

    clock: str
    boot_id: str
    began: AwareDatetime
    """The farm time at which it began to count."""
    written: AwareDatetime
    """The real time then."""

    @property
    def is_of_this_boot(self) -> bool:
        """After a reboot the monotonic clock begins again, and would make a farm time of long ago."""
        return self.boot_id == _boot_id()


def prepare_demo(directory: Path, environment: MutableMapping[str, str]) -> None:
    """Writes what the demo needs. Leaves an owner's own directory (`SUNHERD_FARM_DIRECTORY`) alone.

    The demo's clock goes on while the machine runs, so that a simulator that was restarted agrees with all others, and
    whatever the broker remembers of the demo is of the past. Raises ValueError for a day that is no number of seconds.
    """
    if environment.get(DIRECTORY_VARIABLE, OWN_VOLUME) != OWN_VOLUME:
        return
    rate = DAY_SECONDS / _day_seconds(environment)
    _write(directory / ".env", "HA_TOKEN=demo-token\n")
    last = _read(directory)
    if last is None or not last.is_of_this_boot or SystemClock.from_variable(last.clock).rate != rate:
        now, began = SystemClock().now(), _beginning(last)
        clock = SystemClock(start=began, rate=rate).to_variable()
        demo = DemoClock(clock=clock, boot_id=_boot_id(), began=began, written=now)
        _write(directory / CLOCK_FILE, demo.model_dump_json())
    fresh = write_farm(directory / "new", rate, range(_FIRST_PORT, _FIRST_PORT + len(PORTS)), HOST)
    fresh.replace(directory / "farm.yaml")
    environment.setdefault(_ORDERS_VARIABLE, orders(rate))


def join_demo(directory: Path, environment: MutableMapping[str, str]) -> str | None:
    """Where the farm file is the demo's, takes its clock, and forgets the owner's secrets.

    Returns what there is to wait for; None: nothing.
    """
    demo = _read(directory)
    if demo is None:
        return None
    if not demo.is_of_this_boot:
        return "the demo's clock is of the time before this machine was started; the simulator will make a new one"
    environment[CLOCK_VARIABLE] = demo.clock
    environment[SIMULATED_AT_VARIABLE] = HOST
    # Another day of the demo has another clock, too, which a service that runs cannot change.
    environment[FOLLOW_VARIABLE] = "off"
    for variable in _secrets_in(environment):
        del environment[variable]
    return None


def _secrets_in(environment: Mapping[str, str]) -> list[str]:
    endings = ("_PASSWORD", "_USERNAME", "_TOKEN", "_KEY")
    own = (name for name in environment if name.endswith(endings) and not name.startswith("SUNHERD_"))
    return [name for name in own if name not in _KEPT]


def _read(directory: Path) -> DemoClock | None:
    try:
        return DemoClock.model_validate_json((directory / CLOCK_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _beginning(last: DemoClock | None) -> datetime:
    """The demo's first morning, or the one after all that the last demo can have reached."""
    morning = datetime.combine(DATE, MORNING, UTC)
    if last is None:
        return morning
    ran = max(SystemClock().now() - last.written, timedelta())
    reached = last.began + ran * SystemClock.from_variable(last.clock).rate
    return max(morning, datetime.combine(reached.date() + timedelta(days=1), MORNING, UTC))


def _day_seconds(environment: Mapping[str, str]) -> float:
    text = environment.get(DAY_VARIABLE) or "100"
    seconds = float(text) if text.replace(".", "", 1).isdecimal() else 0.0
    if not _SHORTEST_DAY_SECONDS <= seconds <= DAY_SECONDS:
        message = f"{DAY_VARIABLE}: {text!r}: a day of the demo takes 10 to 86400 seconds"
        raise ValueError(message)
    return seconds


def _boot_id() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()


def _write(path: Path, text: str) -> None:
    """Whoever reads sees the whole text."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
