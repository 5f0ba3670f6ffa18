"""What a policy is: it returns a ceiling or none, and says why. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.policy_engine.rules import Instead, MinerId, MinerRules
from services.policy_engine.state import Farm
from shared.messages import Limit, Number

Policy = Callable[[Farm, MinerId, Limit | None, datetime], Limit]
"""Farm, miner, the policy's own last limit (None where the memory is void), now."""

RANK = {
    name: rank
    for rank, name in enumerate(
        (
            "emergency_stop",
            "override",
            "person_limit",
            "stale_input",
            "grid_available",
            "overheat",
            "soc_hysteresis",
            "outside_pause",
            "choice",
            "schedule",
            "miner_cap",
        ),
    )
}
"""Which limit speaks when several are equally low: fixed, so that the explanation is stable."""

NO_START_CODES = frozenset({"soc_unknown", "soc_stale", "grid_unknown"})
"""These hold back what is not running, and say nothing against what runs."""


def for_every_miner(_rules: MinerRules) -> bool:
    """Whether a policy concerns a miner: this one concerns all."""
    return True


@dataclass(frozen=True)
class PolicyEntry:
    """A policy under its name."""

    name: str
    policy: Policy
    concerns: Callable[[MinerRules], bool] = for_every_miner
    stands: Callable[[Farm, MinerId], bool] | None = None
    """Whether there is anything to say of a miner at present; None: always."""
    silenceable: bool = False
    """Whether *force on* takes its ceiling away."""
    is_comfort: bool = False
    """Whether its pauses wait until a miner that was started has run for a while."""


def allow(name: str, code: str, sentence: str, now: datetime, **rest: object) -> Limit:
    """A limit without a ceiling."""
    return _limit(name, None, code, sentence, now, rest)


def nothing(name: str, code: str, sentence: str, last: Limit | None, now: datetime) -> Limit:
    """A limit without a ceiling whose words never change: the last one, as it stands, where it said the same."""
    if last is not None and last.code == code and last.ceiling_w is None:
        return last
    return allow(name, code, sentence, now)


def forbid(name: str, code: str, sentence: str, now: datetime, **rest: object) -> Limit:
    """A ceiling of 0."""
    return _limit(name, 0.0, code, sentence, now, rest)


def _limit(
    name: str, ceiling_w: float | None, code: str, sentence: str, now: datetime, rest: Mapping[str, object]
) -> Limit:
    return Limit.model_validate(
        {"policy": name, "ceiling_w": ceiling_w, "code": code, "sentence": sentence, "since": now, **rest}
    )


def remembered_date(last: Limit | None, name: str, now: datetime) -> datetime | None:
    """A date among the numbers of a policy's last limit; None for anything that is not one."""
    text = None if last is None else last.numbers.get(name)
    if not isinstance(text, str):
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if date.tzinfo is None else min(date, now)


Numbers = dict[str, Number]


def instead_of(chosen: Instead | None, unit: str) -> str:
    """Who has chosen a setting instead of the farm file's, as the end of a sentence; nothing where nobody has."""
    if chosen is None:
        return ""
    return f", chosen by {chosen.by}" + ("" if chosen.file is None else f" instead of {chosen.file:g} {unit}")


def numbers_of(chosen: Instead | None) -> Numbers:
    """The same as numbers: `by`, and `file` where the farm file says anything."""
    if chosen is None:
        return {}
    return {"by": chosen.by} if chosen.file is None else {"by": chosen.by, "file": chosen.file}
