"""`/api/system/info` of every firmware from 2.1 to 2.15 and of its forks, as one reading. Pure.

Nothing is required of an answer: a field that is missing, null or of a strange type is None, which means unknown. Some
releases and forks send numbers as texts.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from services.bitaxe_agent.setting import Setting

_HOTTEST_CELSIUS = 150.0
_POWER_MAX_W = 5_000.0
_IMPLAUSIBLE = 3.0
"""Some releases tell hashrates of 200 TH/s: what is so far above the expected one is no measurement."""
_MAC = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_FAULT_LENGTH_MAX = 120
_MARKS = ("ASICModel", "hashRate", "version", "boardVersion")


@dataclass(frozen=True)
class Identity:
    """Who answers at an address. None: it does not say."""

    mac: str | None = None
    chip: str | None = None
    board: str | None = None
    model: str | None = None
    """Forks tell the device's model here."""
    version: str | None = None

    def is_other_than(self, known: "Identity") -> bool:
        """Whether the two cannot be one device. Its firmware may have changed."""
        marks = ((self.mac, known.mac), (self.chip, known.chip), (self.board, known.board), (self.model, known.model))
        return any(mine is not None and theirs is not None and mine != theirs for mine, theirs in marks)

    def with_known(self, known: "Identity") -> "Identity":
        """Completed by what an earlier answer told."""
        return Identity(
            self.mac or known.mac,
            self.chip or known.chip,
            self.board or known.board,
            self.model or known.model,
            self.version or known.version,
        )

    def is_at_least(self, major: int, minor: int) -> bool:
        """Whether the firmware tells this version or a later one. Forks count their own versions."""
        found = _VERSION.match(self.version or "")
        return found is not None and (int(found[1]), int(found[2])) >= (major, minor)


@dataclass(frozen=True)
class Readout:
    """What a device says of itself at one moment."""

    identity: Identity = Identity()
    setting: Setting | None = None
    actual_mhz: float | None = None
    """What the chip runs at, where the firmware tells it (from 2.14)."""
    power_w: float | None = None
    hashrate_ghs: float | None = None
    implausible_hashrate: bool = False
    chip_celsius: float | None = None
    regulator_celsius: float | None = None
    fan_percent: float | None = None
    automatic_fan: bool | None = None
    overheat_mode: bool = False
    paused: bool | None = None
    """None: this firmware knows no pause."""
    fault: str = ""
    shares_accepted: int | None = None
    shares_rejected: int | None = None
    uptime_seconds: float | None = None
    difficulty: float | None = None
    chips: int | None = None
    cores: int | None = None


def is_axe_os(answer: dict[str, Any]) -> bool:
    """Whether an answer can be a Bitaxe's at all."""
    return any(mark in answer for mark in _MARKS)


def read_out(answer: dict[str, Any]) -> Readout:
    """One reading."""
    voltage, frequency = positive(answer.get("coreVoltage")), positive(answer.get("frequency"))
    hashrate, implausible = _hashrate(answer, frequency)
    accepted, rejected = (number(answer.get(key)) for key in ("sharesAccepted", "sharesRejected"))
    chips, cores = (positive(answer.get(key)) for key in ("asicCount", "smallCoreCount"))
    power = number(answer.get("power"))
    return Readout(
        identity=identity(answer),
        setting=None if voltage is None or frequency is None else Setting(round(voltage), frequency),
        actual_mhz=number(answer.get("actualFrequency")),
        power_w=power if power is not None and 0 < power <= _POWER_MAX_W else None,
        hashrate_ghs=hashrate,
        implausible_hashrate=implausible,
        chip_celsius=hottest(answer.get("temp"), answer.get("temp2")),
        regulator_celsius=hottest(answer.get("vrTemp")),
        fan_percent=number(answer.get("fanspeed")),
        automatic_fan=flag(answer.get("autofanspeed")),
        overheat_mode=(number(answer.get("overheat_mode")) or 0) > 0 or flag(answer.get("overheat_mode")) is True,
        paused=flag(answer.get("miningPaused")),
        fault=_fault(answer),
        shares_accepted=None if accepted is None or accepted < 0 else int(accepted),
        shares_rejected=None if rejected is None or rejected < 0 else int(rejected),
        uptime_seconds=_not_negative(answer.get("uptimeSeconds")),
        difficulty=positive(answer.get("poolDifficulty")) or positive(answer.get("stratumDiff")),
        chips=None if chips is None else round(chips),
        cores=None if cores is None else round(cores),
    )


def identity(answer: dict[str, Any]) -> Identity:
    """Who it is."""
    mac = (text(answer.get("macAddr")) or "").upper().replace("-", ":")
    board = answer.get("boardVersion")
    return Identity(
        mac=mac if _MAC.fullmatch(mac) else None,
        chip=text(answer.get("ASICModel")),
        board=f"{board:g}" if isinstance(board, int | float) and not isinstance(board, bool) else text(board),
        model=text(answer.get("deviceModel")),
        version=text(answer.get("version")),
    )


def number(value: Any) -> float | None:
    """A finite number, also one that is written as a text; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def positive(value: Any) -> float | None:
    """A number above 0."""
    found = number(value)
    return found if found is not None and found > 0 else None


def flag(value: Any) -> bool | None:
    """A boolean; 0 and 1, also as texts, mean the same."""
    return _FLAGS.get(str(value).strip().lower()) if isinstance(value, bool | int | str) else None


def text(value: Any) -> str | None:
    """A text that says something, without blanks around it."""
    return value.strip() or None if isinstance(value, str) else None


def hottest(*values: Any) -> float | None:
    """The highest of the sensors that say anything: -1, 0 and null are unknown, never cool."""
    found = [degrees for value in values if (degrees := positive(value)) is not None and degrees < _HOTTEST_CELSIUS]
    return max(found, default=None)


def _not_negative(value: Any) -> float | None:
    found = number(value)
    return found if found is not None and found >= 0 else None


def _hashrate(answer: dict[str, Any], frequency: float | None) -> tuple[float | None, bool]:
    """GH/s, and whether it was too good to be true."""
    rate = _not_negative(answer.get("hashRate"))
    expected = positive(answer.get("expectedHashrate"))
    cores, chips = positive(answer.get("smallCoreCount")), positive(answer.get("asicCount"))
    if expected is None and frequency is not None and cores is not None and chips is not None and chips > 1:
        expected = frequency * cores * chips / 1000
    if rate is not None and expected is not None and rate > _IMPLAUSIBLE * expected:
        return None, True
    return rate, False


def _fault(answer: dict[str, Any]) -> str:
    """These keys are there only when there is something to tell."""
    for key in ("hardware_fault", "power_fault"):
        said = text(answer.get(key))
        if said is not None:
            return said[:_FAULT_LENGTH_MAX]
    return ""
