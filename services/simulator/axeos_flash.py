"""The settings of an AxeOS stand-in: what a PATCH may write in each generation, and how often flash was written."""

from collections.abc import Callable, Mapping
from typing import Any

from services.simulator.axeos_board import Board
from services.simulator.axeos_firmware import Firmware

_U16_MAX = 65_535
_ROTATIONS = (0, 90, 180, 270)


def factory_settings(board: Board) -> dict[str, Any]:
    """What is in flash when it leaves the factory, but for a pool."""
    return {
        "frequency": board.chip.default_mhz,
        "coreVoltage": board.chip.default_mv,
        "autofanspeed": 1,
        "manualFanSpeed": 100,
        "minFanSpeed": 25,
        "temptarget": 60,
        "overheat_mode": 0,
        "overclockEnabled": 0,
        "statsFrequency": 0,
        "displayTimeout": -1,
        "rotation": 0,
        "invertscreen": 0,
        "hostname": "bitaxe",
        "ssid": "farm",
        "wifiPass": "",
        "stratumURL": "pool.example",
        "stratumPort": 3333,
        "stratumUser": "owner.rig",
        "stratumPassword": "x",
        "fallbackStratumURL": "spare.example",
        "fallbackStratumPort": 3333,
        "fallbackStratumUser": "owner.rig",
        "fallbackStratumPassword": "x",
    }


class Flash:
    """Survives every reboot. `writes` counts what wears it."""

    def __init__(self, settings: Mapping[str, Any], *, spares: bool) -> None:
        self.settings = dict(settings)
        self.writes = 0
        self._spares = spares

    def __getitem__(self, key: str) -> Any:
        return self.settings[key]

    def write(self, values: Mapping[str, Any]) -> None:
        """Writes each value; newer firmware leaves out what is there already."""
        for key, value in values.items():
            if self._spares and self.settings.get(key) == value:
                continue
            self.settings[key] = value
            self.writes += 1


def accepted(firmware: Firmware, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """What of a PATCH is to be written, under the newest names; None: it is refused as a whole."""
    return _all_or_nothing(body) if firmware.validates else _passed_over(firmware, body)


# --- 2.11 and later: a table, and all or nothing ----------------------------------------------------------------------


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e9  # noqa: PLR0124, PLR2004 - not a number is none; and no integer of the firmware is that large


def _whole(lowest: int, highest: int) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and value == int(value) and lowest <= value <= highest


def _number(lowest: float, highest: float) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and lowest <= value <= highest


def _text(shortest: int, longest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and shortest <= len(value.encode()) <= longest


def _flag(value: Any) -> bool:
    return isinstance(value, bool) or (_is_number(value) and value in {0, 1})


_TABLE: dict[str, Callable[[Any], bool]] = {
    "frequency": _number(1, _U16_MAX),
    "coreVoltage": _whole(1, _U16_MAX),
    "autofanspeed": _flag,
    "overclockEnabled": _flag,
    "invertscreen": _flag,
    "overheat_mode": _whole(0, 0),
    "manualFanSpeed": _whole(0, 100),
    "minFanSpeed": _whole(0, 99),
    "temptarget": _whole(35, 66),
    "statsFrequency": _whole(0, _U16_MAX),
    "displayTimeout": _whole(-1, _U16_MAX),
    "rotation": lambda value: _is_number(value) and value in _ROTATIONS,
    "hostname": _text(1, 32),
    "ssid": _text(1, 32),
    "wifiPass": _text(0, 63),
    "stratumURL": _text(0, 255),
    "stratumUser": _text(0, 255),
    "stratumPassword": _text(0, 255),
    "stratumPort": _whole(0, _U16_MAX),
    "fallbackStratumURL": _text(0, 255),
    "fallbackStratumUser": _text(0, 255),
    "fallbackStratumPassword": _text(0, 255),
    "fallbackStratumPort": _whole(0, _U16_MAX),
}


def _all_or_nothing(body: Mapping[str, Any]) -> dict[str, Any] | None:
    known = {key: value for key, value in body.items() if key in _TABLE}
    if not all(_TABLE[key](value) for key, value in known.items()):
        return None
    return {key: int(value) if isinstance(value, bool) else value for key, value in known.items()}


# --- 2.10 and before: key by key, and never a complaint ---------------------------------------------------------------

_TEXTS = frozenset(key for key, fits in _TABLE.items() if fits("a"))
_POSITIVE = frozenset({"frequency", "coreVoltage"})


def _passed_over(firmware: Firmware, body: Mapping[str, Any]) -> dict[str, Any]:
    named = {"manualFanSpeed" if key == "fanspeed" and not firmware.fork else key: body[key] for key in body}
    found: dict[str, Any] = {}
    for key, value in named.items():
        if key in _TEXTS:
            if isinstance(value, str):
                found[key] = value
        elif key in _TABLE and _is_number(value) and not (key in _POSITIVE and value <= 0):
            keeps_fraction = key == "frequency" and firmware.number >= (2, 10)
            if firmware.fork and value != int(value):
                continue
            found[key] = value if keeps_fraction else int(value) & _U16_MAX if value > 0 else int(value)
    return found
