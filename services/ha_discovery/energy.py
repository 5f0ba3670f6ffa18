"""Energy from readings of power: the area under them, where nothing is missing. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

_GAP_POLLS = 3
_WS_PER_KWH = 3_600_000.0


@dataclass(frozen=True)
class Meter:
    """What a miner has drawn as far as anybody has seen. `kwh` never falls."""

    kwh: float = 0.0
    power_w: float | None = None
    """At the last reading; None where that did not tell, so that nothing is counted up to the next."""
    at: datetime | None = None
    seconds: float = 0.0


def after_reading(meter: Meter, power_w: float | None, at: datetime, seconds: float, poll_seconds: float) -> Meter:
    """After a reading made `at` that came in at these real seconds. A gap of more than three polls counts nothing."""
    if meter.at is not None and at <= meter.at:
        return meter
    kwh = meter.kwh
    near = meter.at is not None and seconds - meter.seconds <= _GAP_POLLS * poll_seconds
    if meter.at is not None and near and meter.power_w is not None and power_w is not None:
        kwh += (meter.power_w + power_w) / 2 * (at - meter.at).total_seconds() / _WS_PER_KWH
    return Meter(kwh, power_w, at, seconds)


def recalled(meter: Meter, kwh: object) -> Meter:
    """Goes on from what was shown before, by whomever: never below it."""
    if isinstance(kwh, bool) or not isinstance(kwh, int | float):
        return meter
    return replace(meter, kwh=max(meter.kwh, float(kwh)))
