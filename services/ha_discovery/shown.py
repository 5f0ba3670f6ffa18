"""What a device is shown to be, and which of it is worth a message now. Pure: time is handed in.

Each message makes rows in Home Assistant's recorder: so figures wait for one another, and what only renews is no news.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

from shared.messages import Number

Values = Mapping[str, Number | None]

MEASURED_SECONDS = 5.0
SLOW_SECONDS: Mapping[str, float] = {
    "last_seen": 60.0,
    "energy": 60.0,
    "shares": 60.0,
    "uptime": 300.0,
    "worker_last_seen": 60.0,
    "plug_energy_today": 60.0,
}
"""How long a value stands that changes with each reading and says little."""
FIGURES_SECONDS = 300.0
"""How long the figures in the sentence of a decision stand while the decision is the same."""
WHY = "why"
_MEASURED = frozenset(
    {
        "hashrate",
        "power",
        "efficiency",
        "chip_temperature",
        "regulator_temperature",
        "worker_hashrate",
        "plug_power",
        "plug_voltage",
        "plug_current",
        "state_of_charge",
        "miners_hashing",
        "miners_covered",
        *SLOW_SECONDS,
    }
)


@dataclass(frozen=True)
class Shown:
    """Of one device. `gist`: what its decision means, without figures and dates."""

    available: bool
    values: Values
    why: Values = field(default_factory=dict)
    gist: tuple[object, ...] = ()


@dataclass(frozen=True)
class Told:
    """What has been said of it, and when."""

    shown: Shown
    at_seconds: float
    changed_seconds: Mapping[str, float] = field(default_factory=dict)
    """When each slow value, and the figures of the decision, took what they show."""


def first(shown: Shown, seconds: float) -> Told:
    """Everything is said as it is."""
    return Told(shown, seconds, dict.fromkeys((*SLOW_SECONDS, WHY), seconds))


def next_told(told: Told, fresh: Shown, seconds: float) -> Told | None:
    """What is to be said now; None: nothing, or not yet."""
    due = _held(told, fresh, seconds)
    if due == told.shown:
        return None
    if not _is_urgent(told.shown, due) and seconds - told.at_seconds < MEASURED_SECONDS:
        return None
    return Told(due, seconds, _changed(told, due, seconds))


def _held(told: Told, fresh: Shown, seconds: float) -> Shown:
    """What is fresh, with the slow values as they were told where their time has not come."""
    before, values = told.shown, dict(fresh.values)
    for key, slow_seconds in SLOW_SECONDS.items():
        known = before.values.get(key) is not None and values.get(key) is not None
        if known and seconds - told.changed_seconds.get(key, seconds) < slow_seconds:
            values[key] = before.values[key]
    figures_only = fresh.gist == before.gist and before.values.get(WHY) is not None and values.get(WHY) is not None
    if figures_only and seconds - told.changed_seconds.get(WHY, seconds) < FIGURES_SECONDS:
        values[WHY] = before.values[WHY]
        return replace(fresh, values=values, why=before.why)
    return replace(fresh, values=values)


def _is_urgent(before: Shown, due: Shown) -> bool:
    """Whether more than a figure has changed; that a figure is unknown, or known again, is more."""
    if (before.available, before.gist) != (due.available, due.gist):
        return True
    pairs = {key: (before.values.get(key), due.values.get(key)) for key in before.values.keys() | due.values.keys()}
    return any(
        old != new and ((key not in _MEASURED and key != WHY) or None in {old, new})
        for key, (old, new) in pairs.items()
    )


def _changed(told: Told, due: Shown, seconds: float) -> Mapping[str, float]:
    new = {key for key in told.changed_seconds if told.shown.values.get(key) != due.values.get(key)}
    if told.shown.why != due.why:
        new.add(WHY)
    return {key: seconds if key in new else before for key, before in told.changed_seconds.items()}


def rounded(value: float | None, step: float) -> float | None:
    """To the nearest multiple of a step, whole numbers without decimals; unknown and beyond any measure: unknown."""
    if value is None or not isfinite(value / step):
        return None
    steps = round(value / step)
    return steps * int(step) if step == int(step) else round(steps * step, 6)
