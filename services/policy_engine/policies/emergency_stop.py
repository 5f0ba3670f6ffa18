"""The latch that stops every miner. Agents obey it by themselves; here it is explained, and outlives them."""

from datetime import datetime

from services.policy_engine.policy import Numbers, Policy, forbid, nothing, remembered_date
from services.policy_engine.rules import MinerId
from services.policy_engine.state import Farm
from services.policy_engine.wording import plain
from shared.messages import EmergencyStop, Limit

NAME = "emergency_stop"
ORDERED_AT = "ordered_at"


def emergency_stop() -> Policy:
    """Ceiling 0 while the latch is set; only an explicit resume lifts it."""

    def policy(farm: Farm, _miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        latch = farm.emergency
        if latch is None or not latch.active:
            return nothing(NAME, "no_emergency_stop", "no emergency stop", last, now)
        reason = f": {plain(latch.reason)}" if latch.reason else ""
        sentence = f"emergency stop by {plain(latch.by)}{reason}"
        numbers: Numbers = {ORDERED_AT: latch.at.isoformat()}
        changes = "resumes when a person lifts the stop"
        return forbid(NAME, NAME, sentence, now, numbers=numbers, changes_when=changes)

    return policy


def remembered_stop(farm: Farm, engine: str, now: datetime) -> EmergencyStop | None:
    """The newest stop that the commands remember: the topic itself may be lost, or overwritten by a late resume."""
    limits = [limit for view in farm.miners.values() if view.command is not None for limit in view.command.limits]
    ordered = [remembered_date(limit, ORDERED_AT, now) or limit.since for limit in limits if limit.code == NAME]
    if not ordered:
        return None
    reason = "the commands remember it, the broker does not"
    return EmergencyStop(at=max(ordered), active=True, by=engine, reason=reason)
