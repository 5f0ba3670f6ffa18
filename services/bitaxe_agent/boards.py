"""Which chips and boards there are, and what they can bear. Pure.

What is not in these tables is not guessed: see `limits_of`.
"""

from dataclasses import dataclass
from typing import Any

from services.bitaxe_agent.parse import Identity, Readout, number, text
from services.bitaxe_agent.setting import Setting

_CHIPS_MAX = 24
_MILLIVOLTS = (500, 2000)
_MEGAHERTZ = (20, 2000)


@dataclass(frozen=True)
class Options:
    """The most that the board's own page offers (`/asic`), and its name."""

    most: Setting
    default: Setting | None = None
    chips: int | None = None
    model: str | None = None


@dataclass(frozen=True)
class Chip:
    """One kind of chip. `most`: never exceeded; `offered`: the most that its board's page offers."""

    name: str
    most: Setting
    offered: Setting
    watts_per_v2_mhz: float
    """Of one chip, from recorded readings; a little too high rather than too low."""
    profiles: dict[str, Setting]
    cores: int


@dataclass(frozen=True)
class Board:
    """One kind of board. `idle_w`: what its reading holds beside its chips, the firmware's own estimate included."""

    model: str
    chip: str
    chips: int = 1
    idle_w: float = 3.0
    profiles: dict[str, Setting] | None = None
    """Where they differ from its chip's."""


def _profiles(quiet: Setting, efficient: Setting, performance: Setting) -> dict[str, Setting]:
    return {"quiet": quiet, "efficient": efficient, "performance": performance}


CHIPS = {
    chip.name: chip
    for chip in (
        Chip(
            "BM1397",
            Setting(1500, 600),
            Setting(1500, 600),
            0.0125,
            _profiles(Setting(1350, 400), Setting(1400, 425), Setting(1450, 475)),
            672,
        ),
        Chip(
            "BM1366",
            Setting(1300, 600),
            Setting(1300, 575),
            0.0115,
            _profiles(Setting(1100, 400), Setting(1200, 485), Setting(1300, 575)),
            894,
        ),
        Chip(
            "BM1368",
            Setting(1300, 600),
            Setting(1300, 575),
            0.0165,
            _profiles(Setting(1100, 400), Setting(1166, 490), Setting(1300, 575)),
            1276,
        ),
        Chip(
            "BM1370",
            Setting(1300, 625),
            Setting(1250, 625),
            0.018,
            _profiles(Setting(1100, 400), Setting(1150, 450), Setting(1300, 600)),
            2040,
        ),
    )
}
_DUO_PROFILES = _profiles(Setting(1060, 350), Setting(1100, 380), Setting(1150, 410))


def _boards() -> dict[str, Board]:
    found = {"2.2": Board("Max", "BM1397"), "102": Board("Max", "BM1397")}
    found |= {number: Board("Ultra", "BM1366") for number in ("0.11", "201", "202", "203", "204", "205")}
    found |= {"207": Board("Ultra", "BM1366", idle_w=5.0)}
    found |= {number: Board("Hex", "BM1366", 6, 12.0) for number in ("302", "303")}
    found |= {number: Board("Supra", "BM1368") for number in ("400", "401")}
    found |= {number: Board("Supra", "BM1368", idle_w=5.0) for number in ("402", "403")}
    found |= {number: Board("Gamma", "BM1370", idle_w=5.0) for number in ("600", "601", "602", "603")}
    found |= {"650": Board("GammaDuo", "BM1370", 2, 10.0, _DUO_PROFILES)}
    found |= {number: Board("SupraHex", "BM1368", 6, 25.0) for number in ("701", "702")}
    return found | {"801": Board("GammaTurbo", "BM1370", 2, 10.0)}


BOARDS = _boards()
"""By `boardVersion`. Forks have none, or numbers of their own: they tell a model and the number of their chips."""


@dataclass(frozen=True)
class Recognised:
    """What is known of one device."""

    chip: Chip | None = None
    board: Board | None = None
    chips: int = 1
    model: str | None = None

    @property
    def profiles(self) -> dict[str, Setting]:
        """The built-in ones; none where the chip is not known."""
        if self.board is not None and self.board.profiles is not None:
            return self.board.profiles
        return {} if self.chip is None else self.chip.profiles

    @property
    def idle_w(self) -> float:
        return self.board.idle_w if self.board is not None else 2.0 + 3.0 * self.chips


@dataclass(frozen=True)
class OwnLimits:
    """What the owner allows. None: not said, so the chip's own limits hold."""

    voltage_mv: int | None = None
    frequency_mhz: float | None = None


DEFAULT_LIMITS = Setting(1300, 600.0)
_OF_HIGH_VOLTAGE = {"BM1397": Setting(1500, 600.0)}


def recognise(identity: Identity, readout: Readout, options: Options | None) -> Recognised:
    """What a device is, from what it tells. A known board counts its chips better than its firmware does."""
    board = BOARDS.get(identity.board or "")
    if board is not None and (identity.model is not None or identity.chip not in {None, board.chip}):
        board = None  # a fork that reuses a number, or another chip than this board has
    chip = CHIPS.get(identity.chip or (board.chip if board is not None else ""))
    chips = board.chips if board is not None else _counted(readout, options)
    family = identity.model or (board.model if board is not None else options.model if options is not None else None)
    words = (family, identity.board if board is not None else None, f"({identity.chip})" if identity.chip else None)
    return Recognised(chip, board, chips, " ".join(word for word in words if word) or None)


def _counted(readout: Readout, options: Options | None) -> int:
    told = (options.chips if options is not None else None) or readout.chips or 1
    return min(max(told, 1), _CHIPS_MAX)


def limits_of(own: OwnLimits, device: Recognised, options: Options | None, *, unread: bool) -> Setting | None:
    """The most that this device is ever set to. None: nobody knows what it bears, so nothing is set.

    `unread`: it has options of its own, which could not be read; then the least that its chip is offered with.
    """
    chip = device.chip
    usual = DEFAULT_LIMITS if chip is None else _OF_HIGH_VOLTAGE.get(chip.name, DEFAULT_LIMITS)
    limits = Setting(own.voltage_mv or usual.voltage_mv, own.frequency_mhz or usual.frequency_mhz)
    if options is not None:
        limits = limits.no_higher_than(options.most)
    elif chip is None and (own.voltage_mv is None or own.frequency_mhz is None):
        return None
    elif chip is not None and unread:
        limits = limits.no_higher_than(chip.offered)
    return limits if chip is None else limits.no_higher_than(chip.most)


def options(answer: dict[str, Any]) -> Options | None:
    """From `/asic`; None where it offers nothing."""
    millivolts = _offered(answer.get("voltageOptions"), *_MILLIVOLTS)
    megahertz = _offered(answer.get("frequencyOptions"), *_MEGAHERTZ)
    if not millivolts or not megahertz:
        return None
    default_mv, default_mhz = (number(answer.get(key)) for key in ("defaultVoltage", "defaultFrequency"))
    chips = number(answer.get("asicCount"))
    return Options(
        most=Setting(round(max(millivolts)), max(megahertz)),
        default=Setting(round(default_mv), default_mhz) if default_mv and default_mhz else None,
        chips=round(chips) if chips is not None and 1 <= chips <= _CHIPS_MAX else None,
        model=text(answer.get("deviceModel")),
    )


def _offered(values: Any, least: float, most: float) -> list[float]:
    found = [number(value) for value in (values if isinstance(values, list) else [])]
    return [value for value in found if value is not None and least <= value <= most]
