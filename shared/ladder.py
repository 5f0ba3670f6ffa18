"""Which operating point fits under a ceiling. Pure."""

from shared.messages import PAUSE, Ladder, OperatingPoint


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


def fitting_point(ladder: Ladder, ceiling_w: float | None) -> OperatingPoint:
    """The normal point, or under a lower ceiling the highest point that fits; a pause if none does.

    Never above the normal point: a ceiling only curtails. Compares nominal watts.
    """
    normal = normal_point(ladder)
    if ceiling_w is None or normal.power_w <= ceiling_w:
        return normal
    fitting = [point for point in ladder.points if not point.is_pause and point.power_w <= ceiling_w]
    return max(fitting, key=lambda point: point.power_w, default=_floor(ladder))


def _floor(ladder: Ladder) -> OperatingPoint:
    """A pause, or the lowest point of a device that cannot pause."""
    pauses = [point for point in ladder.points if point.is_pause]
    return pauses[0] if pauses else lowest_point(ladder)
