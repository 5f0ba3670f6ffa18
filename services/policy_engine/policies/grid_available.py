"""Miners that may only run while the grid is there."""

from datetime import datetime

from services.policy_engine.memory import may_continue
from services.policy_engine.policy import Numbers, Policy, allow, forbid, remembered_date
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import span
from shared.messages import Limit

NAME = "grid_available"


def grid_available(rules: Rules) -> Policy:
    """Paused while the grid is away; unknown starts nothing, and pauses after `stale_pause`."""

    def policy(farm: Farm, miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        site = farm.site
        known = [site.grid_known_at, remembered_date(last, "known_at", now)]
        known_at = max((date for date in known if date is not None), default=min(farm.began_at, now))
        age = now - known_at
        numbers: Numbers = {"age_seconds": int(age.total_seconds()), "known_at": known_at.isoformat()}
        resumes = "may resume when the grid is back"
        if site.grid_available is False:
            return forbid(NAME, "grid_lost", "the grid is not available", now, numbers=numbers, changes_when=resumes)
        if site.grid_available and age < rules.stale_no_start:
            return allow(NAME, "grid_ok", "the grid is available", now, numbers=numbers)
        said = f"nobody has known for {span(age)} whether the grid is available"
        if age >= rules.stale_pause:
            sentence = f"{said} (pause after {span(rules.stale_pause)})"
            return forbid(NAME, "grid_unknown_pause", sentence, now, numbers=numbers, changes_when=resumes)
        if may_continue(farm, miner, rules, now):
            changes = f"pauses in {span(rules.stale_pause - age)} if it stays so"
            return allow(NAME, "grid_unknown", said, now, numbers=numbers, changes_when=changes)
        sentence = f"{said}: nothing starts"
        return forbid(NAME, "grid_unknown", sentence, now, numbers=numbers, changes_when="may start when it is known")

    return policy
