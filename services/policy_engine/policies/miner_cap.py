"""The most that one miner may draw."""

from datetime import datetime

from services.policy_engine.policy import Numbers, Policy, allow, instead_of, numbers_of
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from shared.ladder import lowest_point
from shared.messages import Limit

NAME = "miner_cap"


def miner_cap(rules: Rules) -> Policy:
    """The miner's `max_w` as a ceiling. One that not even its lowest point keeps to is said to be so."""

    def policy(farm: Farm, miner: MinerId, _last: Limit | None, now: datetime) -> Limit:
        own = rules.miners[miner]
        if own.max_w is None:
            return allow(NAME, "no_cap", "no power limit is set", now)
        telemetry = farm.miners[miner].telemetry
        lowest_w = 0.0 if telemetry is None or telemetry.ladder is None else lowest_point(telemetry.ladder).power_w
        chosen = own.chosen.get("max_w")
        sentence = f"at most {own.max_w:g} W for this miner{instead_of(chosen, 'W')}"
        numbers: Numbers = {"max_w": own.max_w, **numbers_of(chosen)}
        if lowest_w > own.max_w:
            sentence += f", and its lowest point takes {lowest_w:g} W"
            numbers["lowest_w"] = lowest_w
        elif own.stock_w is not None and own.max_w < own.stock_w:
            sentence += f"; a stock board reads about {own.stock_w:g} W, some of it only estimated"
            numbers["stock_w"] = own.stock_w
        return Limit(policy=NAME, ceiling_w=own.max_w, code=NAME, sentence=sentence, numbers=numbers, since=now)

    return policy
