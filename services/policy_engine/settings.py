"""From the farm file to the engine's rule book."""

from zoneinfo import ZoneInfo

from services.policy_engine.rules import GroupRules, MinerRules, Rules
from shared.settings import FarmSettings

_POLLS_MISSED = 3


def rules_of(farm: FarmSettings) -> Rules:
    """The rules of a farm."""
    observed = farm.observed()
    miners = {
        name: MinerRules(
            stop_percent=miner.stop_soc,
            resume_percent=miner.resume_soc,
            nominal_w=miner.nominal_w,
            max_w=miner.max_w,
            require_grid=miner.require_grid,
            observe=name in observed,
        )
        for name, miner in farm.miners.items()
    }
    rules = farm.rules
    return Rules(
        miners=miners,
        groups={name: GroupRules(tuple(group.members), group.max_w) for name, group in farm.groups.items()},
        lease=rules.lease,
        grace=rules.grace,
        heard_within=max(rules.grace, _POLLS_MISSED * rules.poll),
        minimum_off=rules.minimum_off,
        starts_per_day=rules.starts_per_day,
        stale_no_start=rules.stale_no_start,
        stale_pause=rules.stale_pause,
        stagger_w=rules.stagger_w,
        stagger_window=rules.stagger_window,
        outside_pause=rules.outside_pause,
        latitude=farm.site.latitude,
        longitude=farm.site.longitude,
        zone=ZoneInfo(farm.site.time_zone),
    )
