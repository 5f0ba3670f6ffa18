"""What the owner wants at which hours: an exact point, a pause, or, between the windows, the normal point."""

from datetime import datetime

from services.policy_engine.policy import Numbers, Policy, allow, forbid
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import time_of_day
from shared.ladder import lowest_point, point_named, point_set_to, point_within
from shared.messages import Ladder, Limit, OperatingPoint
from shared.schedule import Spell, Window

NAME = "schedule"
POINT, PAUSED, GAP, MISSING, NO_LADDER = (
    "schedule",
    "schedule_pause",
    "schedule_gap",
    "schedule_point_missing",
    "schedule_unknown_ladder",
)


def schedule(rules: Rules) -> Policy:
    """A window's point is a ceiling and an exact point at once; a window that pauses is a ceiling of 0."""

    def policy(farm: Farm, miner: MinerId, _last: Limit | None, now: datetime) -> Limit:
        timetable = rules.miners[miner].timetable
        if timetable is None:
            return allow(NAME, "no_schedule", "it has no schedule", now)
        spell = timetable.spell_at(now)
        changes = _changes(spell, rules, now)
        if spell.window is None:
            sentence = f"no window of {timetable.schedule.name} holds now: the owner's normal point"
            return allow(NAME, GAP, sentence, now, changes_when=changes)
        numbers: Numbers = {"schedule": timetable.schedule.name, "window": spell.window.label}
        said = f"{spell.window.wish}, by the window {spell.window.label} of {timetable.schedule.name}"
        if spell.window.pause:
            return forbid(NAME, PAUSED, said, now, numbers=numbers, changes_when=changes)
        telemetry = farm.miners[miner].telemetry
        if telemetry is None or telemetry.ladder is None:
            sentence = f"{said}; what it can be set to is not known at present"
            return allow(NAME, NO_LADDER, sentence, now, numbers=numbers, changes_when=changes)
        return _limit(telemetry.ladder, spell.window, said, now, numbers, changes)

    return policy


def _limit(ladder: Ladder, window: Window, said: str, now: datetime, numbers: Numbers, changes: str) -> Limit:
    point = _wished(ladder, window)
    code = POINT
    if point is None:
        point, code = _nearest(ladder, window), MISSING
        said = f"{said}; it has no such point, so {point.name}"
    return Limit(
        policy=NAME,
        ceiling_w=point.power_w,
        point=point,
        code=code,
        sentence=said,
        numbers=numbers,
        since=now,
        changes_when=changes,
    )


def _wished(ladder: Ladder, window: Window) -> OperatingPoint | None:
    if window.profile is not None:
        return point_named(ladder, window.profile)
    if window.voltage_mv is None or window.frequency_mhz is None:
        return None
    return point_set_to(ladder, window.voltage_mv, window.frequency_mhz)


def _nearest(ladder: Ladder, window: Window) -> OperatingPoint:
    """Not above what was asked for; nobody knows what a profile that it lacks was to be."""
    if window.voltage_mv is None or window.frequency_mhz is None:
        return lowest_point(ladder)
    return point_within(ladder, window.voltage_mv, window.frequency_mhz)


def _changes(spell: Spell, rules: Rules, now: datetime) -> str:
    return "" if spell.ends is None else f"changes at {time_of_day(spell.ends, now, rules.zone)}"
