"""Looks at miners as their agents do: by the real drivers, one reading each. Nothing is set."""

from deploy.console.finding.finding import Looked, fine, wrong
from deploy.console.finding.miners import plain, shown_address
from services.bitaxe_agent.client import AxeClient
from services.bitaxe_agent.driver import BitaxeDriver
from services.bitaxe_agent.wiring import manners_of
from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from services.vnish_agent.wiring import FACTORY_PASSWORD, PASSWORD_VARIABLE
from shared.clock import Clock
from shared.device import DeviceError
from shared.messages import MinerTelemetry
from shared.miner_session import MinerSession
from shared.schedule import Timetable
from shared.settings import Address, MinerSettings, Secrets
from shared.settings.secrets import variable_of

_KIND = "miner"
_PASSWORD = "unauthorized"  # noqa: S105 - the code of a trouble
_FIXES = {
    "unreachable": "is it on, and is its address still this one? sunherd discover miners --subnet ... finds it",
    "another_device": "correct host, or write the new MAC where the miner was replaced on purpose",
    "busy": "leave it alone for some minutes, and check again",
    "nonsense": "is this the address of the miner, and the driver that of its firmware?",
}
_FIX = "look at the miner's own web page"


def look_at_vnish(name: str, miner: MinerSettings, host: Address, secrets: Secrets, clock: Clock) -> Looked:
    """Reads it with its password; whether that is right shows in its settings."""
    password = secrets.password_of(name, PASSWORD_VARIABLE) or FACTORY_PASSWORD
    client = VnishClient(host, password, clock, MinerSession())
    driver = VnishDriver(client, clock, nominal_w=miner.nominal_w, preset=miner.preset, mac=miner.mac)
    try:
        reading = driver.read()
    except DeviceError as error:
        return _failed(name, host, error)
    finally:
        driver.close()
    if reading.problem == _PASSWORD:
        variable = variable_of(name)
        given = "the password that is set" if secrets.password_of(name, PASSWORD_VARIABLE) else "the factory's password"
        return wrong(
            _KIND,
            name,
            f"{_shown(reading, host)}; it does not accept {given}",
            f"set {variable} (or {PASSWORD_VARIABLE} for all) to the password of its web page",
        )
    return _judged(name, host, reading, miner)


def look_at_bitaxe(name: str, miner: MinerSettings, host: Address, timetable: Timetable | None, clock: Clock) -> Looked:
    """Two requests, one after the other: more its web server does not bear."""
    driver = BitaxeDriver(AxeClient(host, clock, MinerSession()), clock, manners_of(miner, timetable))
    try:
        reading = driver.read()
    except DeviceError as error:
        return _failed(name, host, error)
    finally:
        driver.close()
    return _judged(name, host, reading, miner)


def _failed(name: str, host: Address, error: DeviceError) -> Looked:
    return wrong(_KIND, name, f"{shown_address(host)}: {plain(error.sentence)}", _FIXES.get(error.code, _FIX))


def _judged(name: str, host: Address, reading: MinerTelemetry, miner: MinerSettings) -> Looked:
    said = _shown(reading, host)
    if miner.mac is not None and reading.mac is None:
        return wrong(
            _KIND, name, f"{said}; it tells no MAC to compare with {miner.mac}", "remove mac from the farm file"
        )
    if reading.problem is not None:
        return wrong(
            _KIND, name, f"{said}; {plain(reading.detail or reading.problem)}", _FIXES.get(reading.problem, _FIX)
        )
    return fine(_KIND, name, said)


def _shown(reading: MinerTelemetry, host: Address) -> str:
    who = " ".join(plain(word) for word in (reading.model, reading.firmware) if word) or "a miner"
    watts = "" if reading.power_w is None else f", {reading.power_w:.0f} W"
    mac = f", {plain(reading.mac)}" if reading.mac else ""
    return f"{shown_address(host)}: {who}{mac}, {reading.state}{watts}"
