"""A battery that cannot be read: first nothing starts, then everything that it governs is paused."""

from datetime import datetime

from services.policy_engine.memory import may_continue
from services.policy_engine.policy import Numbers, Policy, allow, forbid, remembered_date
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm, SiteView
from services.policy_engine.wording import span
from shared.messages import Limit

NAME = "stale_input"


def stale_input(rules: Rules) -> Policy:
    """Counts from the last confirmation of a valid state of charge; where there never was one, from the start."""

    def policy(farm: Farm, miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        counted_from = _counted_from(farm, last, now)
        age = now - counted_from
        numbers: Numbers = {"age_seconds": int(age.total_seconds()), "counted_from": counted_from.isoformat()}
        if farm.site.unknown is not None:
            numbers["unknown"] = farm.site.unknown.value
        known = farm.site.soc_percent is not None
        if known and age < rules.stale_no_start:
            return allow(NAME, "soc_fresh", f"SoC confirmed {span(age)} ago", now, numbers=numbers)
        said = f"SoC {_cause(farm.site)} for {span(age)}"
        if age >= rules.stale_pause:
            sentence = f"{said} (pause after {span(rules.stale_pause)})"
            changes = "may resume when the state of charge is known again"
            return forbid(NAME, "soc_stale_pause", sentence, now, numbers=numbers, changes_when=changes)
        code = "soc_stale" if age >= rules.stale_no_start else "soc_unknown"
        if may_continue(farm, miner, rules, now):
            left = span(rules.stale_pause - age)
            return allow(NAME, code, said, now, numbers=numbers, changes_when=f"pauses in {left} if it stays so")
        changes = "may start when the state of charge is known again"
        return forbid(NAME, code, f"{said}: nothing starts", now, numbers=numbers, changes_when=changes)

    return policy


def _counted_from(farm: Farm, last: Limit | None, now: datetime) -> datetime:
    known = [farm.site.confirmed_at, remembered_date(last, "counted_from", now)]
    return max((date for date in known if date is not None), default=min(farm.began_at, now))


def _cause(site: SiteView) -> str:
    if site.soc_percent is not None:
        return "not confirmed"
    return "never heard of" if site.unknown is None else f"unknown ({site.unknown.value})"
