"""Which operating point fits under a ceiling. Pure."""

from shared.messages import PAUSE, Ladder, MinerTelemetry, OperatingPoint

_SAME_MHZ = 0.01
"""Frequencies travel as floats, some firmware rounds them."""


def point_named(ladder: Ladder, name: str) -> OperatingPoint | None:
    """The rung of this name, or None."""
    return next((point for point in ladder.points if point.name == name), None)


def normal_point(ladder: Ladder) -> OperatingPoint:
    """The owner's normal point; the top of the ladder only where nothing else is known."""
    named = point_named(ladder, ladder.normal)
    return named if named is not None else max(ladder.points, key=lambda point: point.power_w, default=PAUSE)


def lowest_point(ladder: Ladder) -> OperatingPoint:
    """The lowest point that still hashes; a pause where there is none."""
    hashing = [point for point in ladder.points if not point.is_pause]
    return min(hashing, key=lambda point: point.power_w, default=PAUSE)


def can_pause(ladder: Ladder) -> bool:
    """Whether it has a point that is a pause: not all firmware has one."""
    return any(point.is_pause for point in ladder.points)


def is_at_floor(telemetry: MinerTelemetry) -> bool:
    """Whether a miner is as low as it can be set: for one that cannot pause that is all that a pause can mean."""
    ladder, point = telemetry.ladder, reported_point(telemetry)
    if ladder is None or point is None or can_pause(ladder):
        return False
    return point.power_w <= lowest_point(ladder).power_w


def safe_point(ladder: Ladder) -> OperatingPoint:
    """The point of the failsafe `safe_point`: the ladder's own, else the lowest that hashes."""
    named = None if ladder.safe is None else point_named(ladder, ladder.safe)
    return lowest_point(ladder) if named is None else named


def fitting_point(ladder: Ladder, ceiling_w: float | None, exact: OperatingPoint | None = None) -> OperatingPoint:
    """The normal point, or under a lower ceiling the highest point that fits; a pause if none does.

    An exact point that fits is taken as it is, even above the normal one: the owner wrote it. Nothing else is ever
    above the normal point: a ceiling only curtails. Compares nominal watts.
    """
    if exact is not None and (ceiling_w is None or exact.power_w <= ceiling_w):
        return exact
    normal = normal_point(ladder)
    if ceiling_w is None or (exact is None and normal.power_w <= ceiling_w):
        return normal
    fitting = [point for point in ladder.points if not point.is_pause and point.power_w <= ceiling_w]
    return max(fitting, key=lambda point: point.power_w, default=_floor(ladder))


def point_set_to(ladder: Ladder, voltage_mv: float, frequency_mhz: float) -> OperatingPoint | None:
    """The point of exactly this voltage and frequency, or None."""
    return next((point for point in ladder.points if _has(point, voltage_mv, frequency_mhz)), None)


def point_within(ladder: Ladder, voltage_mv: float, frequency_mhz: float) -> OperatingPoint:
    """The highest point that is above neither; the lowest that hashes where each of them is."""
    within = [
        point
        for point in ladder.points
        if point.voltage_mv is not None
        and point.frequency_mhz is not None
        and point.voltage_mv <= voltage_mv
        and point.frequency_mhz <= frequency_mhz + _SAME_MHZ
    ]
    return max(within, key=lambda point: point.power_w, default=lowest_point(ladder))


def rung_below(ladder: Ladder, power_w: float) -> OperatingPoint | None:
    """The highest point that hashes with less power, or None."""
    below = [point for point in ladder.points if 0 < point.power_w < power_w]
    return max(below, key=lambda point: point.power_w, default=None)


def rung_above(ladder: Ladder, power_w: float) -> OperatingPoint | None:
    """The lowest point with more power, or None."""
    above = [point for point in ladder.points if point.power_w > power_w]
    return min(above, key=lambda point: point.power_w, default=None)


def reported_point(telemetry: MinerTelemetry) -> OperatingPoint | None:
    """The point that a miner reports; on its way between two the upper one; None where nobody can tell."""
    ladder = telemetry.ladder
    if ladder is None:
        return None
    named = None if telemetry.point is None else point_named(ladder, telemetry.point)
    if named is not None or telemetry.voltage_mv is None or telemetry.frequency_mhz is None:
        return named
    holding = [
        point
        for point in ladder.points
        if (point.voltage_mv or 0) >= telemetry.voltage_mv
        and (point.frequency_mhz or 0) >= telemetry.frequency_mhz - _SAME_MHZ
    ]
    return min(holding, key=lambda point: point.power_w, default=None)


def _has(point: OperatingPoint, voltage_mv: float, frequency_mhz: float) -> bool:
    return (
        point.voltage_mv == voltage_mv
        and point.frequency_mhz is not None
        and abs(point.frequency_mhz - frequency_mhz) < _SAME_MHZ
    )


def _floor(ladder: Ladder) -> OperatingPoint:
    """A pause, or the lowest point of a device that cannot pause."""
    pauses = [point for point in ladder.points if point.is_pause]
    return pauses[0] if pauses else lowest_point(ladder)
