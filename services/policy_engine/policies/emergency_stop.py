"""The latch that stops every miner. Agents obey it by themselves; here it is explained, and outlives them."""

from datetime import datetime

from services.policy_engine.policy import Policy, forbid, nothing
from services.policy_engine.rules import MinerId
from services.policy_engine.state import Farm
from services.policy_engine.wording import plain
from shared.messages import Limit

NAME = "emergency_stop"


def emergency_stop() -> Policy:
    """Ceiling 0 while the latch is set; only an explicit resume lifts it."""

    def policy(farm: Farm, _miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        latch = farm.emergency
        if latch is None or not latch.active:
            return nothing(NAME, "no_emergency_stop", "no emergency stop", last, now)
        reason = f": {plain(latch.reason)}" if latch.reason else ""
        sentence = f"emergency stop by {plain(latch.by)}{reason}"
        return forbid(NAME, "emergency_stop", sentence, now, changes_when="resumes when a person lifts the stop")

    return policy
