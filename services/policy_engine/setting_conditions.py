"""What would be wrong with how a miner is set: its heat, its limits, the hour. Conditions of `invariants.py`. Pure."""

from services.policy_engine.heat import is_too_hot
from services.policy_engine.sight import Scene, Sight
from shared.ladder import normal_point, reported_point
from shared.messages import Action, OverrideKind


def heat_limits(_scene: Scene, sight: Sight) -> str | None:
    """Read above its heat limit, and not told to draw less."""
    told, command = sight.telemetry, sight.command
    if not sight.chain or sight.hands_off or command is None or command.action is not Action.APPLY:
        return None
    if told is None or not is_too_hot(told, sight.rules) or not told.state.draws_power or told.ladder is None:
        return None
    was_lowered = sight.fresh and sight.before is not None and sight.before.point.power_w > command.point.power_w
    drawn_w = (reported_point(told) or normal_point(told.ladder)).power_w
    if was_lowered or command.point.power_w < drawn_w or command.code == "cannot_pause":
        return None
    return f"reads {told.chip_temperature_celsius} °C at {drawn_w:g} W and is told {command.point.power_w:g} W"


def is_hot(_scene: Scene, sight: Sight) -> str | None:
    """Truly above its heat limit while all stand ready to lower it."""
    return sight.hot or None if sight.chain and not sight.hands_off and not sight.stop_in_force else None


def is_far_too_hot(_scene: Scene, sight: Sight) -> str | None:
    """So far above it that its own agent must act."""
    observed = sight.command is not None and sight.command.action is not Action.APPLY
    return sight.far_too_hot or None if sight.tended and not sight.hands_off and not observed else None


def is_above_clamps(_scene: Scene, sight: Sight) -> str | None:
    """Set above what its owner, its chip or its board allows."""
    return sight.above_clamps or None if sight.chain and not sight.hands_off else None


def schedule(scene: Scene, sight: Sight) -> str | None:
    """Above what its schedule asks for at this hour."""
    told, timetable = sight.telemetry, sight.rules.timetable
    if timetable is None or told is None or not sight.chain or not sight.draws or sight.hands_off:
        return None
    if sight.person is OverrideKind.FORCE_ON or sight.at_floor:
        return None
    window = timetable.spell_at(scene.now).window
    if window is None:
        return None
    if window.pause:
        return f"draws in the window {window.label}, which pauses it"
    above_mv = window.voltage_mv is not None and (told.voltage_mv or 0) > window.voltage_mv
    above_mhz = window.frequency_mhz is not None and (told.frequency_mhz or 0.0) > window.frequency_mhz + 1
    # Under a lower ceiling another point may do, of fewer watts and more megahertz.
    limits = () if sight.command is None else sight.command.limits
    said_w = [limit.ceiling_w for limit in limits if limit.policy == "schedule" and limit.ceiling_w is not None]
    if told.state.draws_power and (above_mv or above_mhz) and not any(sight.power_w <= watts for watts in said_w):
        return f"is at {told.frequency_mhz:g} MHz {told.voltage_mv} mV in the window {window.label}"
    return None
