"""From what a source says to a number, or to the reason why there is none. Pure; never raises, whatever the text."""

import math
import re
from dataclasses import dataclass, replace

from shared.messages import UnknownReason

PERCENT_MAX = 100.0
_SHOWN_LETTERS = 40

# Narrower than float(): that takes 1_0, other scripts' digits and the word infinity for numbers, too.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?", re.ASCII | re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_NUMBER_LETTERS = 64

_NOTHING = {"", "unknown", "none", "null"}
_YES = {"on", "true", "1", "yes", "home", "available", "connected"}
_NO = {"off", "false", "0", "no", "not_home", "away", "disconnected"}
_UNITS_W = {"mW": 0.001, "W": 1.0, "kW": 1000.0, "MW": 1_000_000.0}


@dataclass(frozen=True)
class Unknown:
    """Why there is no value: the reason, and the end of a sentence whose subject is the sensor."""

    reason: UnknownReason
    detail: str

    def of(self, sensor: str) -> "Unknown":
        """The same with the sensor named, as a whole sentence."""
        return replace(self, detail=f"{sensor} {self.detail}")


def parse_percent(said: object) -> float | Unknown:
    """A state of charge in percent. A number outside 0 to 100 is no state of charge: it is never clipped."""
    number = parse_number(said)
    if isinstance(number, Unknown) or 0 <= number <= PERCENT_MAX:
        return number
    return Unknown(UnknownReason.OUT_OF_RANGE, f"says {number:g}, outside 0 to 100")


def parse_power(said: object, unit: object) -> float | Unknown:
    """A power in watts. Without a unit that is known nobody can tell watts from kilowatts."""
    number = parse_number(said)
    if isinstance(number, Unknown):
        return number
    factor = _UNITS_W.get(unit) if isinstance(unit, str) else None
    if factor is None:
        return Unknown(UnknownReason.NOT_A_NUMBER, f"has the unit {shown(unit)}, not W, kW or MW")
    return _finite(number * factor)


def parse_on_off(said: object) -> bool | Unknown:
    """Whether something is there. Only words that say so count: everything else is unknown, not off."""
    text = _text(said)
    absent = _absence(text)
    if absent is not None:
        return absent
    if text in _YES or text in _NO:
        return text in _YES
    return Unknown(UnknownReason.UNKNOWN, f"says {shown(said)}, neither on nor off")


def parse_number(said: object) -> float | Unknown:
    """A finite number from a text or a JSON value; true and false are none."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        return _finite(said)
    text = _text(said)
    absent = _absence(text)
    if absent is not None:
        return absent
    if isinstance(said, str) and len(text) <= _NUMBER_LETTERS and _NUMBER.fullmatch(text):
        return _finite(float(text))
    kind = "finite number" if _NOT_FINITE.fullmatch(text) else "number"
    return Unknown(UnknownReason.NOT_A_NUMBER, f"says {shown(said)}, which is no {kind}")


def shown(said: object) -> str:
    """What was said, short enough for a log line."""
    text = repr(said) if not isinstance(said, int) or abs(said) < 10**_SHOWN_LETTERS else "a number too large to show"
    return text if len(text) <= _SHOWN_LETTERS else text[:_SHOWN_LETTERS] + "…"


def _finite(number: float) -> float | Unknown:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if math.isnan(value):
        return Unknown(UnknownReason.NOT_A_NUMBER, "says nan, which is no finite number")
    if math.isinf(value):
        return Unknown(UnknownReason.OUT_OF_RANGE, "says a number without end")
    return value + 0.0  # turns -0.0 into 0.0


def _text(said: object) -> str:
    if said is None:
        return ""
    return str(said).strip().lower() if isinstance(said, str | bool | int) else "?"


def _absence(text: str) -> Unknown | None:
    if text == "unavailable":
        return Unknown(UnknownReason.UNAVAILABLE, "is unavailable")
    if text in _NOTHING:
        return Unknown(UnknownReason.UNKNOWN, f"says {text or 'nothing'}")
    return None
