"""Answers as faulty devices give them. Pure."""

from typing import Any

from services.simulator.axeos_firmware import AxeFaults, Sensors

ABSURD_GHS = 200_000.0
_SENSORS = ("temp", "temp2", "vrTemp")
_SAID = {Sensors.MINUS_ONE: -1, Sensors.ZERO: 0, Sensors.NULL: None}


def distorted(answer: dict[str, Any], faults: AxeFaults) -> dict[str, Any]:
    """The answer with what the faults do to it."""
    found = dict(answer)
    if faults.sensors is not Sensors.WELL:
        for key in [key for key in _SENSORS if key in found]:
            if faults.sensors is Sensors.MISSING:
                del found[key]
            else:
                found[key] = _SAID[faults.sensors]
    if faults.absurd_hashrate and "hashRate" in found:
        found |= {"hashRate": ABSURD_GHS}
    if faults.numbers_as_strings:
        found = {key: _as_text(value) for key, value in found.items()}
    return found


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
