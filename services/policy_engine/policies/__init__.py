"""The policies of the first stage, one file each. The lowest ceiling binds, so their order cannot matter."""

from services.policy_engine.policies.choice import choice
from services.policy_engine.policies.emergency_stop import emergency_stop
from services.policy_engine.policies.grid_available import grid_available
from services.policy_engine.policies.miner_cap import miner_cap
from services.policy_engine.policies.outside_pause import outside_pause
from services.policy_engine.policies.overheat import has_heat_limit, overheat
from services.policy_engine.policies.override import override
from services.policy_engine.policies.person_limit import is_limited, person_limit
from services.policy_engine.policies.schedule import schedule
from services.policy_engine.policies.soc_hysteresis import soc_hysteresis
from services.policy_engine.policies.stale_input import stale_input
from services.policy_engine.policy import PolicyEntry
from services.policy_engine.rules import MinerRules, Rules


def all_policies(rules: Rules) -> tuple[PolicyEntry, ...]:
    """Every policy, bound to a farm's rules."""
    return (
        PolicyEntry("emergency_stop", emergency_stop()),
        PolicyEntry("override", override(rules)),
        PolicyEntry("person_limit", person_limit(rules), stands=is_limited),
        PolicyEntry("stale_input", stale_input(rules), _has_band),
        PolicyEntry("grid_available", grid_available(rules), lambda miner: miner.require_grid),
        PolicyEntry("overheat", overheat(rules), has_heat_limit),
        PolicyEntry("soc_hysteresis", soc_hysteresis(rules), _has_band, silenceable=True),
        PolicyEntry("outside_pause", outside_pause(rules)),
        PolicyEntry("choice", choice(rules), lambda miner: miner.point is not None),
        PolicyEntry(
            "schedule", schedule(rules), lambda miner: miner.timetable is not None, silenceable=True, is_comfort=True
        ),
        PolicyEntry("miner_cap", miner_cap(rules), lambda miner: miner.max_w is not None),
    )


def _has_band(miner: MinerRules) -> bool:
    return miner.stop_percent is not None and miner.resume_percent is not None
