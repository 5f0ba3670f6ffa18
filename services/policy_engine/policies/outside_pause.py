"""A pause that somebody made in the miner's own web page, or at its outlet: respected for a set time, then over."""

from datetime import datetime

from services.policy_engine.policies.override import every
from services.policy_engine.policy import Numbers, Policy, allow, forbid, nothing, remembered_date
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.sunrise import next_sunrise
from services.policy_engine.view import MinerView
from services.policy_engine.wording import time_of_day
from shared.messages import Limit, OverrideKind

NAME = "outside_pause"
OVER = "outside_pause_over"
_ENDING = {OverrideKind.AUTOMATIC, OverrideKind.FORCE_ON}


def outside_pause(rules: Rules) -> Policy:
    """Ceiling 0 until the next sunrise, or for a set time where the site's place is not known."""

    def policy(farm: Farm, miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        since = outside_pause_since(farm.miners[miner])
        if since is None:
            return nothing(NAME, "no_outside_pause", "nobody has paused it outside Sunherd", last, now)
        until = _until(rules, since)
        numbers: Numbers = {"paused_since": since.isoformat(), "until": until.isoformat()}
        if now >= until or _ended_by_person(farm, miner, rules, since) or _was_over(last, since, now):
            sentence = f"the pause made at {time_of_day(since, now, rules.zone)} outside Sunherd is over"
            return allow(NAME, OVER, sentence, now, numbers=numbers)
        end = time_of_day(until, now, rules.zone)
        return forbid(
            NAME,
            "outside_pause",
            f"paused outside Sunherd at {time_of_day(since, now, rules.zone)}, respected until {end}",
            now,
            numbers=numbers,
            changes_when=f"automatic again at {end}, or when a person says so",
        )

    return policy


def outside_pause_since(view: MinerView) -> datetime | None:
    """Since when somebody else keeps it off; of two such the later one."""
    told = [
        None if view.telemetry is None else view.telemetry.outside_pause_since,
        None if view.plug is None else view.plug.outside_off_since,
    ]
    return max((since for since in told if since is not None), default=None)


def _until(rules: Rules, since: datetime) -> datetime:
    sunrise = None
    if rules.latitude is not None and rules.longitude is not None:
        sunrise = next_sunrise(since, rules.latitude, rules.longitude)
    return sunrise or since + rules.outside_pause


def _ended_by_person(farm: Farm, miner: MinerId, rules: Rules, since: datetime) -> bool:
    return any(one.kind in _ENDING and one.at > since for one in every(farm, miner, rules))


def _was_over(last: Limit | None, since: datetime, now: datetime) -> bool:
    """What has ended stays ended, even if the override that ended it is gone."""
    return last is not None and last.code == OVER and remembered_date(last, "paused_since", now) == since
