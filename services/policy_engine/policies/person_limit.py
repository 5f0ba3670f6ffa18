"""The most that a person lets one miner draw for a time. Nothing silences it; a group's limit is a gate's."""

from datetime import datetime

from services.policy_engine.policies.override import LIMITED, ends_at, in_force
from services.policy_engine.policy import Numbers, Policy, nothing
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import plain, time_of_day
from shared.messages import Limit, OverrideKind

NAME = "person_limit"


def is_limited(farm: Farm, miner: MinerId) -> bool:
    """Whether a limit stands in its slot, be it in force or over."""
    one = farm.miners[miner].override
    return one is not None and one.kind is OverrideKind.LIMIT


def person_limit(rules: Rules) -> Policy:
    """The override's `max_w` as a ceiling, until it ends."""

    def policy(farm: Farm, miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        one = farm.miners[miner].override
        if one is None or one.max_w is None or not is_limited(farm, miner) or not in_force(one, now):
            return nothing(NAME, "no_person_limit", "nobody limits its power", last, now)
        until, who = ends_at(one), plain(one.by)
        at = None if until is None else time_of_day(until, now, rules.zone)
        reason = f": {plain(one.reason)}" if one.reason else ""
        numbers: Numbers = {"by": who, "max_w": one.max_w}
        if until is not None:
            numbers["until"] = until.isoformat()
        return Limit(
            policy=NAME,
            ceiling_w=one.max_w,
            code=LIMITED,
            sentence=f"at most {one.max_w:g} W by {who}{f' until {at}' if at else ''}{reason}",
            numbers=numbers,
            since=now,
            changes_when=f"automatic again at {at}" if at else "automatic when a person says so",
        )

    return policy
