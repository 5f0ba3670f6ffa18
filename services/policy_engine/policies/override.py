"""What a person wants: a pause, a time of force, or hands off. The strictest of a miner's and its groups' binds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.policy_engine.policy import Numbers, Policy, allow, forbid, nothing
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import plain, time_of_day
from shared.messages import Limit, Override, OverrideKind

NAME = "override"
FORCED = "force_on"
LIMITED = "limited_by_person"
"""The code of a ceiling that a person has set for a time, of a miner or of a group."""
MAINTENANCE_LASTS = timedelta(hours=12)
_LAST = datetime.max.replace(tzinfo=UTC)
_STRICTEST_FIRST = (OverrideKind.PAUSE, OverrideKind.FORCE_ON, OverrideKind.MAINTENANCE)


def override(rules: Rules) -> Policy:
    """A pause is a ceiling of 0. Force on and maintenance set none: `decide` takes them from here.

    A limit is another policy's, so that whoever forces a miner on does not lift it.
    """

    def policy(farm: Farm, miner: MinerId, last: Limit | None, now: datetime) -> Limit:
        found = {one.kind: one for one in reversed(list(active(farm, miner, rules, now)))}
        for kind in _STRICTEST_FIRST:
            if kind in found:
                return _limit(found[kind], rules, now)
        return nothing(NAME, "automatic", "no override", last, now)

    return policy


def active(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> Iterator[Override]:
    """The overrides in force, the miner's own first. One whose time is over counts as automatic."""
    yield from (one for one in every(farm, miner, rules) if in_force(one, now))


def in_force(one: Override, now: datetime) -> bool:
    """Whether it wants anything at this moment."""
    until = ends_at(one)
    return one.kind is not OverrideKind.AUTOMATIC and (until is None or now < until)


def every(farm: Farm, miner: MinerId, rules: Rules) -> Iterator[Override]:
    """All overrides that concern a miner, whether in force or not."""
    own = farm.miners[miner].override
    if own is not None:
        yield own
    for group in rules.groups_of[miner]:
        shared = farm.groups.get(group)
        if shared is not None:
            yield shared


def ends_at(one: Override) -> datetime | None:
    """When an override ends; maintenance always does."""
    if one.until is None and one.kind is OverrideKind.MAINTENANCE:
        # Whoever writes the last hours of the calendar must not stop every decision.
        return min(one.at, _LAST - MAINTENANCE_LASTS) + MAINTENANCE_LASTS
    return one.until


def maintenance_until(farm: Farm, miner: MinerId, rules: Rules, now: datetime) -> datetime | None:
    """Until when a person works on this miner; None while nobody does."""
    ends = [ends_at(one) for one in active(farm, miner, rules, now) if one.kind is OverrideKind.MAINTENANCE]
    return max((end for end in ends if end is not None), default=None)


def _limit(one: Override, rules: Rules, now: datetime) -> Limit:
    until = ends_at(one)
    end = "" if until is None else f" until {time_of_day(until, now, rules.zone)}"
    reason = f": {plain(one.reason)}" if one.reason else ""
    who = plain(one.by)
    numbers: Numbers = {"by": who} if until is None else {"by": who, "until": until.isoformat()}
    changes = (
        f"automatic again at {time_of_day(until, now, rules.zone)}" if until else "automatic when a person says so"
    )
    if one.kind is OverrideKind.PAUSE:
        return forbid(
            NAME, "paused_by_person", f"paused by {who}{end}{reason}", now, numbers=numbers, changes_when=changes
        )
    code, words = (FORCED, "forced on") if one.kind is OverrideKind.FORCE_ON else ("maintenance", "in maintenance")
    return allow(NAME, code, f"{words} by {who}{end}{reason}", now, numbers=numbers, changes_when=changes)
