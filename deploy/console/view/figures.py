"""Figures as people read them: the unit follows the size, and what is unknown is a question mark, never 0. Pure."""

from datetime import datetime, timedelta, tzinfo

from services.policy_engine.wording import span
from shared.messages import MinerTelemetry

UNKNOWN = "?"
NOT_APPLICABLE = "-"
_GHS_A_THS = 1000.0
_STEP = 1000.0
_HASHRATES = ("GH/s", "TH/s", "PH/s", "EH/s")
_POWERS = ("W", "kW", "MW", "GW")
_SMALL = 10.0


def printable(text: str) -> str:
    """A text from outside as one line that cannot steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def hashrate(ths: float | None) -> str:
    """`898.8 GH/s`, `95.2 TH/s`, `1.25 PH/s`."""
    if ths is None:
        return UNKNOWN
    value, unit = _scaled(ths * _GHS_A_THS, _HASHRATES, decimals=1)
    return f"{value:.2f} {unit}" if value < _SMALL and unit != _HASHRATES[0] else f"{value:.1f} {unit}"


def power(watts: float | None) -> str:
    """`22.80 W`, `3.25 kW`, `1.10 MW`."""
    if watts is None:
        return UNKNOWN
    value, unit = _scaled(watts, _POWERS, decimals=2)
    return f"{value:.2f} {unit}"


def efficiency(j_per_th: float | None) -> str:
    """`25.37 J/TH`."""
    return UNKNOWN if j_per_th is None else f"{j_per_th:.2f} J/TH"


def temperature(celsius: float | None) -> str:
    """`65.2°C`."""
    return UNKNOWN if celsius is None else f"{celsius:.1f}°C"


def percent(value: float | None) -> str:
    """`78.4 %`."""
    return UNKNOWN if value is None else f"{value:.1f} %"


def ceiling(watts: float | None) -> str:
    """`at most 0 W`; `none` is no ceiling."""
    return "none" if watts is None else f"{watts:g} W"


def setting(telemetry: MinerTelemetry) -> str:
    """`1150mV @ 450MHz`, a preset, a throttle; a dash where the device has nothing that can be set."""
    if telemetry.voltage_mv is not None and telemetry.frequency_mhz is not None:
        return f"{telemetry.voltage_mv}mV @ {telemetry.frequency_mhz:g}MHz"
    points = () if telemetry.ladder is None else telemetry.ladder.points
    if sum(not each.is_pause for each in points) == 1:
        return NOT_APPLICABLE  # it is on or off
    point = next((each for each in points if each.name == telemetry.point), None)
    if point is None:
        return printable(telemetry.point) if telemetry.point else NOT_APPLICABLE
    if point.is_pause:
        return NOT_APPLICABLE
    parts = [] if point.preset is None else [f"preset {printable(point.preset)}"]
    parts += [] if point.throttle_percent is None else [f"throttle {point.throttle_percent} %"]
    return ", ".join(parts) or printable(point.name)


def ago(duration: timedelta) -> str:
    """`12 s ago`."""
    return f"{span(duration)} ago"


def clock_time(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """A time on the owner's clock, with the date where it is not today's."""
    try:
        local, today = moment.astimezone(zone), now.astimezone(zone).date()
    except OverflowError:  # at the very ends of the calendar
        return moment.isoformat()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%Y-%m-%d %H:%M}"


def _scaled(value: float, units: tuple[str, ...], decimals: int) -> tuple[float, str]:
    """The value in the unit in which it has at most three digits before the point, as it will be written."""
    for unit in units[:-1]:
        if round(value, decimals) < _STEP:
            return value, unit
        value /= _STEP
    return value, units[-1]
