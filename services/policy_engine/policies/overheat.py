"""Chip and regulator stay below their limits: down the ladder at once, up again step by step after cooling.

What has to be remembered is in the code and the ceiling, which are published at once, and in the limit's `since`.
"""

from datetime import datetime

from services.policy_engine.heat import Heat
from services.policy_engine.heat_look import (
    HELD,
    NAME,
    PROTECTED_SINCE,
    PROTECTED_W,
    READING_AT,
    STEPPED_AT,
    Look,
    look_at,
    passing,
)
from services.policy_engine.memory import is_silent
from services.policy_engine.policy import Policy, allow, remembered_date
from services.policy_engine.rules import MinerId, MinerRules, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import span, time_of_day
from shared.ladder import rung_above, rung_below
from shared.messages import Limit, MinerState

FINE, UNREAD = "heat_ok", "heat_unread"
HOT, HOT_PAUSE, PROTECTED = "too_hot", "too_hot_pause", "protected"
COOLING, COOL, REST = "cooling", "cool", "cooling_paused"
UNKNOWN, UNMEASURED, BACK = "temperature_unknown", "not_measured", "temperature_back"
COOL_BELOW_CELSIUS = 5.0
_NOT_HASHING = {MinerState.PAUSED, MinerState.RAMPING}
_BY_OUR_WILL = {MinerState.HASHING, MinerState.PAUSED}
"""In any other state firmware that has protected itself is still busy with it."""


def has_heat_limit(miner: MinerRules) -> bool:
    """Whether the owner, or the kind of miner, sets any limit."""
    return miner.max_chip_celsius is not None or miner.max_regulator_celsius is not None


def overheat(rules: Rules) -> Policy:
    """One step down on the first reading above a limit, paused below the lowest; unknown is never cool."""

    def policy(farm: Farm, miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        view = farm.miners[miner]
        telemetry = view.telemetry
        if telemetry is None or not telemetry.reachable or is_silent(view, rules, now):
            return _unread(last, now)
        look = look_at(view, telemetry, rules.miners[miner], last, rules, now)
        if telemetry.protected_since is not None:
            return _protected(look, telemetry.protected_since)
        if look.heat is None:
            return _unmeasured(look)
        if look.heat.above_celsius > 0:
            return _hot(look, look.heat)
        if look.is_held:
            return _cooling(look, look.heat)
        return _known_again(look, look.heat)

    return policy


def _unread(last: Limit | None, now: datetime) -> Limit:
    """Nothing new: what was said stands, and no time of cooling passes."""
    if last is None or last.ceiling_w is None:
        numbers = {} if last is None else passing(last.numbers)
        return allow(NAME, UNREAD, "it cannot be read, nor could it be told anything", now, numbers=numbers)
    sentence = f"it cannot be read; when last read it was held at {last.ceiling_w:g} W"
    return last.model_copy(
        update={"code": UNREAD, "sentence": sentence, "changes_when": "decides at the next reading", "since": now}
    )


def _protected(look: Look, since: datetime) -> Limit:
    """Its own firmware has acted: it is left alone to cool, and for as long as it is held lower it stays lower."""
    is_new = look.numbers.get(PROTECTED_SINCE) != since.isoformat() or look.ceiling_w is None
    if is_new:
        command = look.view.command
        told_w = 0.0 if command is None else command.point.power_w
        ceiling_w = _step_below(look, told_w or look.wanted_w) or look.lowest_w or 0.0
        look.numbers.update({HELD: True, PROTECTED_SINCE: since.isoformat(), PROTECTED_W: ceiling_w})
        return _still_protected(look, since, ceiling_w)
    if look.telemetry.state not in _BY_OUR_WILL:
        return _still_protected(look, since, look.ceiling_w or 0.0)
    if look.heat is None:
        return _unmeasured(look)
    if look.heat.above_celsius > 0:
        return _hot(look, look.heat)
    if (look.ceiling_w or 0.0) < look.most_w:
        return _cooling(look, look.heat)
    return _still_protected(look, since, look.ceiling_w or 0.0)


def _still_protected(look: Look, since: datetime, ceiling_w: float) -> Limit:
    at = time_of_day(since, look.now, look.rules.zone)
    sentence = f"its firmware protected itself from heat at {at}: at most {ceiling_w:g} W for now"
    return look.limit(PROTECTED, ceiling_w, sentence, "goes up when its agent no longer holds it lower")


def _hot(look: Look, heat: Heat) -> Limit:
    """A step down, unless one was just made and nothing can have come of it yet."""
    ceiling_w = look.ceiling_w
    if ceiling_w is None or not _is_being_answered(look, ceiling_w):
        ceiling_w = _step_below(look, look.drawn_w)
        look.numbers[STEPPED_AT] = look.now.isoformat()
        look.numbers[READING_AT] = look.telemetry.at.isoformat()
    look.numbers.setdefault(STEPPED_AT, look.now.isoformat())
    look.numbers[HELD] = True
    if ceiling_w == 0:
        return look.limit(HOT_PAUSE, 0.0, f"{heat.sentence}: paused", _when_cool(heat))
    changes = f"one more step down after {span(look.rules.heat_step)} if it stays so"
    return look.limit(HOT, ceiling_w, f"{heat.sentence}: at most {ceiling_w:g} W", changes)


def _is_being_answered(look: Look, ceiling_w: float) -> bool:
    """Whether the ceiling already takes away what it draws, or has done so for a short time only."""
    if not look.is_held:
        return look.drawn_w > ceiling_w
    stepped_at = remembered_date(look.last, STEPPED_AT, look.now)
    if stepped_at is None:
        return False
    is_same_reading = look.numbers.get(READING_AT) == look.telemetry.at.isoformat()
    return is_same_reading or look.now - stepped_at < look.rules.heat_step


def _cooling(look: Look, heat: Heat) -> Limit:
    ceiling_w = look.ceiling_w or 0.0
    if heat.above_celsius > -COOL_BELOW_CELSIUS:
        return look.limit(COOLING, ceiling_w, f"{heat.sentence}: stays at most {ceiling_w:g} W", _when_cool(heat))
    ladder = look.telemetry.ladder
    if ladder is not None and look.has_lasted(COOL, look.rules.heat_restore):
        look.numbers.pop(STEPPED_AT, None)
        higher = rung_above(ladder, ceiling_w)
        ceiling_w = look.most_w if higher is None else min(higher.power_w, look.most_w)
        if look.telemetry.protected_since is None and ceiling_w >= look.wanted_w:
            return look.limit(FINE, None, heat.sentence)
    changes = f"one step up when it has been below {_cool_celsius(heat):g} °C for {span(look.rules.heat_restore)}"
    return look.limit(COOL, ceiling_w, f"{heat.sentence}: was too hot, at most {ceiling_w:g} W", changes)


def _unmeasured(look: Look) -> Limit:
    """No temperature, which is not the same as a low one. One that is off has none: it may start at its lowest."""
    if look.telemetry.state is MinerState.PAUSED and look.is_held and look.ceiling_w == 0:
        if not look.has_lasted(REST, look.rules.heat_restore):
            changes = f"may start at its lowest point after {span(look.rules.heat_restore)} of rest"
            return look.limit(REST, 0.0, "it was too hot, and its temperature is not known while it is off", changes)
        ceiling_w = look.lowest_w
    else:
        known = [watts for watts in (look.ceiling_w, look.lowest_w) if watts is not None]
        ceiling_w = min(known, default=None)
    held = "" if ceiling_w is None else f": at most {ceiling_w:g} W"
    if look.telemetry.state in _NOT_HASHING:
        sentence = f"its temperature is not known while it does not hash{held}"
        return look.limit(UNMEASURED, ceiling_w, sentence, "goes on when it hashes and has been measured")
    sentence = f"its temperature is not known{held}"
    return look.limit(UNKNOWN, ceiling_w, sentence, f"goes on {span(look.rules.heat_step)} after it is known again")


def _known_again(look: Look, heat: Heat) -> Limit:
    """A sensor that comes and goes must not make a miner come and go."""
    is_waiting = look.ceiling_w is not None and not look.has_lasted(BACK, look.rules.heat_step)
    if not is_waiting:
        return look.limit(FINE, None, heat.sentence)
    sentence = f"{heat.sentence}: known for less than {span(look.rules.heat_step)}"
    return look.limit(BACK, look.ceiling_w, sentence, f"goes on after {span(look.rules.heat_step)}")


def _step_below(look: Look, drawn_w: float) -> float:
    """The next rung below what it draws and what it was allowed; 0 below the lowest."""
    allowed_w = drawn_w if look.ceiling_w is None else min(drawn_w, look.ceiling_w)
    rung = None if look.telemetry.ladder is None else rung_below(look.telemetry.ladder, allowed_w)
    return 0.0 if rung is None else rung.power_w


def _when_cool(heat: Heat) -> str:
    return f"goes up step by step once it is below {_cool_celsius(heat):g} °C"


def _cool_celsius(heat: Heat) -> float:
    return heat.limit_celsius - COOL_BELOW_CELSIUS
