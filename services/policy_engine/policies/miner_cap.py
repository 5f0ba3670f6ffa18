"""The most that one miner may draw."""

from datetime import datetime

from services.policy_engine.policy import Policy, allow
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from shared.messages import Limit

NAME = "miner_cap"


def miner_cap(rules: Rules) -> Policy:
    """The miner's `max_w` as a ceiling."""

    def policy(_farm: Farm, miner: MinerId, _last: Limit | None, now: datetime) -> Limit:
        max_w = rules.miners[miner].max_w
        if max_w is None:
            return allow(NAME, "no_cap", "no power limit is set", now)
        return Limit(
            policy=NAME,
            ceiling_w=max_w,
            code="miner_cap",
            sentence=f"at most {max_w:g} W for this miner",
            numbers={"max_w": max_w},
            since=now,
        )

    return policy
