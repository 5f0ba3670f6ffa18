"""From the farm file to the engine's rule book."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from services.policy_engine.rules import GroupRules, MinerRules, Rules, WatchRules
from shared.settings import FarmSettings, MinerSettings

_POLLS_MISSED = 3
_RESTARTABLE = {"vnish", "bitaxe"}
_STOCK_W = {"bitaxe": 22.0}
"""A Gamma as it is bought reads that much, 5 W of which its firmware adds for what it cannot measure."""


def rules_of(farm: FarmSettings) -> Rules:
    """The rules of a farm."""
    observed, timetables = farm.observed(), farm.timetables()
    miners = {
        name: MinerRules(
            stop_percent=miner.stop_soc,
            resume_percent=miner.resume_soc,
            nominal_w=miner.nominal_w,
            max_w=miner.max_w,
            stock_w=_STOCK_W.get(miner.driver),
            require_grid=miner.require_grid,
            observe=name in observed,
            timetable=timetables.get(name),
            max_chip_celsius=miner.chip_limit_celsius,
            max_regulator_celsius=miner.regulator_limit_celsius,
            watch=watch_of(miner, farm),
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
        minimum_on=rules.minimum_on,
        starts_per_day=rules.starts_per_day,
        stale_no_start=rules.stale_no_start,
        stale_pause=rules.stale_pause,
        stagger_w=rules.stagger_w,
        stagger_window=rules.stagger_window,
        heat_step=rules.heat_step,
        heat_restore=rules.heat_restore,
        outside_pause=rules.outside_pause,
        latitude=farm.site.latitude,
        longitude=farm.site.longitude,
        zone=ZoneInfo(farm.site.time_zone),
    )


def watch_of(miner: MinerSettings, farm: FarmSettings) -> WatchRules:
    """How a miner is watched."""
    plug = miner.plug
    pool = farm.pools.get((miner.worker or "").partition("/")[0])
    wishes = (miner.status_check_frequency, None if pool is None else pool.poll)
    return WatchRules(
        has_worker=miner.worker is not None,
        has_plug=plug is not None,
        is_plug=miner.driver == "plug",
        can_restart=miner.driver in _RESTARTABLE,
        nominal_w=miner.nominal_w,
        cooldown=miner.status_check_cooldown,
        tries=miner.max_consecutive_restarts,
        off_for=miner.off_for,
        asked_every=max((wish for wish in wishes if wish is not None), default=timedelta()),
        cut_below_celsius=plug.cut_below_celsius if plug is not None and plug.cut_when_paused else None,
    )
