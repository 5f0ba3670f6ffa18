"""What a group may draw at this moment: by the farm file, by a choice, or by a person's limit. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from services.policy_engine.policies.override import LIMITED, ends_at, in_force
from services.policy_engine.policy import Numbers, instead_of, numbers_of
from services.policy_engine.rules import GroupId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.wording import plain, time_of_day
from shared.messages import Override, OverrideKind

NAME = "group_cap"


@dataclass(frozen=True)
class Cap:
    """The cap of one group, and whose it is."""

    max_w: float
    code: str = NAME
    said: str = ""
    """Who has set it, as a part of a sentence; empty where the farm file has."""
    numbers: Numbers = field(default_factory=dict)
    changes: str = ""
    """What, besides the others' drawing less, would change it."""


def limited_groups(farm: Farm) -> frozenset[GroupId]:
    """The groups that may have a person's limit, whether it is in force or not."""
    return frozenset(name for name, one in farm.groups.items() if one is not None and one.kind is OverrideKind.LIMIT)


def person_limit_w(one: Override | None, now: datetime) -> float | None:
    """How many watts a person allows at this moment; None: no limit is in force."""
    return one.max_w if one is not None and one.kind is OverrideKind.LIMIT and in_force(one, now) else None


def cap_of(name: GroupId, rules: Rules, farm: Farm, now: datetime) -> Cap | None:
    """The lower of the group's own cap and a person's limit; None where there is neither."""
    own, one = rules.groups[name], farm.groups.get(name)
    limit_w = person_limit_w(one, now)
    if one is not None and limit_w is not None and (own.max_w is None or limit_w < own.max_w):
        return _by_person(one, limit_w, rules, now)
    if own.max_w is None:
        return None
    return Cap(own.max_w, said=instead_of(own.chosen, "W"), numbers=numbers_of(own.chosen))


def _by_person(one: Override, limit_w: float, rules: Rules, now: datetime) -> Cap:
    until, who = ends_at(one), plain(one.by)
    end = "" if until is None else f" until {time_of_day(until, now, rules.zone)}"
    numbers: Numbers = {"by": who} if until is None else {"by": who, "until": until.isoformat()}
    changes = ", or when a person says so" if until is None else f", or at {time_of_day(until, now, rules.zone)}"
    return Cap(limit_w, LIMITED, f", by {who}{end}", numbers, changes)
