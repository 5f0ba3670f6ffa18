"""`/status` and `/summary` of every firmware from 1.2.0 to 1.3.4, nested or flat, as one reading. Pure.

Nothing is required of an answer: a field that is missing or has a strange type is None, which means unknown.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

from shared.messages import MinerState

GHS_PER_THS = 1000.0
MHS_PER_THS = 1_000_000.0
STANDBY_MAX_W = 150.0
"""More than this is drawn only by boards that are powered: 146 W were recorded while initializing."""
_POWER_MAX_W = 100_000.0
_TEMPERATURE_MAX_CELSIUS = 200.0

STATES = {
    "mining": MinerState.HASHING,
    "auto-tuning": MinerState.HASHING,
    "initializing": MinerState.RAMPING,
    "starting": MinerState.RAMPING,
    "restarting": MinerState.RAMPING,
    "shutting-down": MinerState.STOPPING,
    "stopped": MinerState.PAUSED,
    "failure": MinerState.FAULT,
}
"""The firmware's closed set, the same from 1.2.0 to 1.3.4."""
_FLAT_STATES = {"hashing": MinerState.HASHING, "running": MinerState.HASHING}
_FLAG_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_MINER_TYPE = re.compile(r"(?P<model>.+?)\s*\(vnish\s+(?P<firmware>\S+)\)", re.IGNORECASE)


@dataclass(frozen=True)
class HashUnit:
    """How `/info` says that hashrates are counted; None where it does not say."""

    measure: str | None = None
    algorithm: str | None = None


@dataclass(frozen=True)
class Readout:
    """What a miner says of itself at one moment."""

    state: MinerState = MinerState.UNKNOWN
    word: str | None = None
    """The firmware's own word for the state."""
    detail: str = ""
    power_w: float | None = None
    hashrate_ths: float | None = None
    chip_temperature_celsius: float | None = None
    throttled_percent: int | None = None
    restart_required: bool = False
    reboot_required: bool = False
    model: str | None = None
    firmware: str | None = None
    shares_accepted: int | None = None
    share_difficulty: float | None = None
    uptime_seconds: float | None = None


def read_out(status: Any, summary: Any, unit: HashUnit) -> Readout:
    """One reading from the two answers; None stands for an answer that did not come."""
    pane = mapping(status)
    outer = mapping(summary)
    miner = _miner(outer)
    power_w = _power_w(miner) if miner else None
    places = _places(pane, miner)
    state, word = _state(places, power_w)
    found = _MINER_TYPE.fullmatch(text(miner.get("miner_type")) or "")
    return Readout(
        state=state,
        word=word,
        detail=_detail(
            state,
            word,
            [pane, mapping(miner.get("miner_status"))],
            backend_down="miner" in outer and outer["miner"] is None,
        ),
        power_w=power_w,
        hashrate_ths=_hashrate_ths(miner, unit),
        chip_temperature_celsius=_temperature(miner),
        throttled_percent=_throttled(places),
        restart_required=pane.get("restart_required") is True,
        reboot_required=pane.get("reboot_required") is True,
        model=found["model"] if found else text(miner.get("miner_type")),
        firmware=found["firmware"] if found else None,
    )


def moment(status: Any, summary: Any) -> tuple[MinerState, str | None, int | None]:
    """Of one reading what shows that something has happened: the state, the firmware's word for it, the throttle."""
    miner = _miner(mapping(summary))
    places = _places(mapping(status), miner)
    return (*_state(places, _power_w(miner)), _throttled(places))


def mapping(value: Any) -> dict[str, Any]:
    """The object itself; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str | None:
    """A text that says something, without blanks around it."""
    return value.strip() or None if isinstance(value, str) else None


def number(value: Any) -> float | None:
    """A finite number; a text or a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _miner(outer: dict[str, Any]) -> dict[str, Any]:
    return mapping(outer.get("miner")) or _flat(outer)


def _places(pane: dict[str, Any], miner: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a state may stand, the best first."""
    inner = mapping(miner.get("miner_status"))
    return [pane, mapping(mapping(pane.get("miner")).get("miner_status")), inner, miner]


def _flat(outer: dict[str, Any]) -> dict[str, Any]:
    """An answer that holds a miner's fields without the `miner` around them."""
    return {} if isinstance(outer.get("miner"), dict) or outer.get("miner", "") is None else outer


# --- the state --------------------------------------------------------------------------------------------------------


def _state(places: list[dict[str, Any]], power_w: float | None) -> tuple[MinerState, str | None]:
    word: str | None = None
    for place in places:
        word = text(place.get("miner_state")) or word
        state = STATES.get((word or "").lower())
        if state is not None:
            return state, word
    if word is not None:
        return _FLAT_STATES.get(word.lower(), MinerState.UNKNOWN), word
    return _state_by_flags(places, power_w), None


def _state_by_flags(places: list[dict[str, Any]], power_w: float | None) -> MinerState:
    """The last resort, for builds that have no `miner_state` at all: flags, then a hashrate."""
    for place in places:
        for key in ("is_mining", "mining"):
            flag = _flag(place.get(key))
            if flag is True:
                return MinerState.HASHING
            if flag is False:
                # Not mining, and yet boards are powered: it can still be stopped.
                return MinerState.RAMPING if (power_w or 0) > STANDBY_MAX_W else MinerState.PAUSED
    rates = [number(place.get(key)) for place in places for key in ("hr_realtime", "instant_hashrate", "hashrate")]
    # A hashrate of 0 does not tell a stopped miner from one that is starting.
    return MinerState.HASHING if any(rate for rate in rates if rate and rate > 0) else MinerState.UNKNOWN


def _flag(value: Any) -> bool | None:
    if isinstance(value, str):
        return _FLAG_WORDS.get(value.strip().lower())
    return bool(value) if isinstance(value, bool) or value in (0, 1) else None


def _detail(state: MinerState, word: str | None, places: list[dict[str, Any]], *, backend_down: bool) -> str:
    if state is MinerState.UNKNOWN:
        if word is not None:
            return f"reports the state {word[:40]!r}, which is not known"
        return "its mining process does not answer" if backend_down else "reports no state"
    if state is not MinerState.FAULT:
        return ""
    said: dict[str, Any] = {}
    for place in reversed(places):
        said |= {key: value for key, value in place.items() if value is not None}
    code = number(said.get("failure_code"))
    parts = ["failure" if code is None else f"failure {code:g}", (text(said.get("description")) or "")[:120]]
    return ": ".join(part for part in parts if part)


def _throttled(places: list[dict[str, Any]]) -> int | None:
    for place in places:
        percent = number(place.get("throttled"))
        if percent is not None and 0 <= percent <= 100:  # noqa: PLR2004 - a percentage
            return round(percent)
    return None


# --- quantities -------------------------------------------------------------------------------------------------------


def _power_w(miner: dict[str, Any]) -> float | None:
    # Old betas call it power_usage; where both are there, later firmware documents power_usage as an efficiency.
    for key in ("power_consumption", "power_usage"):
        watts = number(miner.get(key))
        if watts is not None:
            return watts if 0 <= watts <= _POWER_MAX_W else None
    return None


def _hashrate_ths(miner: dict[str, Any], unit: HashUnit) -> float | None:
    per_ths = {"GH/s": GHS_PER_THS, "MH/s": MHS_PER_THS}.get(unit.measure or "")
    rate = number(miner.get("hr_realtime"))
    if rate is not None and rate >= 0 and per_ths is not None:
        return rate / per_ths
    old = number(miner.get("instant_hashrate"))
    if old is None or old < 0 or unit.algorithm == "unknown":
        return None
    # The old field has a unit of its own: TH/s, or GH/s where scrypt is mined.
    return old / GHS_PER_THS if unit.algorithm == "scrypt" or unit.measure == "MH/s" else old


def _temperature(miner: dict[str, Any]) -> float | None:
    chip = mapping(miner.get("chip_temp"))
    low, high = number(chip.get("min")), number(chip.get("max"))
    if high is None or abs(high) > _TEMPERATURE_MAX_CELSIUS:
        return None
    # 0/0 is what boards without sensors report: unknown, never cool.
    return None if high == 0 and not low else high
