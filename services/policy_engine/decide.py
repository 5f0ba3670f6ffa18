"""The decision: policies first, the lowest ceiling binds; then the gates; then a point of the miner's ladder. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from services.policy_engine.caps import limited_groups
from services.policy_engine.explain import Term, Verdict, command_of
from services.policy_engine.gates import GATES, Case, Gate
from services.policy_engine.ledger import Ledger, open_ledger
from services.policy_engine.memory import Memory, recall
from services.policy_engine.policies import all_policies
from services.policy_engine.policies.override import FORCED
from services.policy_engine.policy import NO_START_CODES, RANK, PolicyEntry
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.view import MinerView
from services.policy_engine.watts import start_w
from services.policy_engine.wording import span, time_of_day
from shared.ladder import fitting_point
from shared.messages import PAUSE, Limit, MinerCommand, OperatingPoint


@dataclass(frozen=True)
class Book:
    """The rules with the policies and gates that apply them."""

    rules: Rules
    policies: Sequence[PolicyEntry]
    gates: Sequence[tuple[str, Gate]] = GATES

    @cached_property
    def policies_of(self) -> Mapping[MinerId, tuple[PolicyEntry, ...]]:
        """The policies that concern each miner."""
        return {
            name: tuple(entry for entry in self.policies if entry.concerns(miner))
            for name, miner in self.rules.miners.items()
        }


def book_of(rules: Rules) -> Book:
    """The book with every policy and gate."""
    return Book(rules, all_policies(rules))


def decide_all(
    book: Book, farm: Farm, miners: Iterable[MinerId] | None, now: datetime, term: Term
) -> dict[MinerId, MinerCommand]:
    """A pass over these miners and all that share a cap with them (None: the whole farm), by priority."""
    return dict(decide_each(book, farm, miners, now, term))


def decide_each(
    book: Book, farm: Farm, miners: Iterable[MinerId] | None, now: datetime, term: Term
) -> Iterator[tuple[MinerId, MinerCommand]]:
    """The same one by one: what is decided can leave while the others are still being thought about."""
    rules = book.rules
    order = rules.order if miners is None else rules.together_with(frozenset(miners), limited_groups(farm))
    ledger = open_ledger(rules, farm, order, now)
    for miner in order:
        yield miner, decide(book, farm, miner, now, term, ledger)


def decide(book: Book, farm: Farm, miner: MinerId, now: datetime, term: Term, ledger: Ledger) -> MinerCommand:
    """What one miner shall do, with every reason. Books the grant in the ledger."""
    rules, view = book.rules, farm.miners[miner]
    memory = recall(farm, miner, rules, now)
    limits = first_stage(book, farm, miner, now, memory)
    exact = exact_point(limits)
    free, unread = _free(view, memory, exact), _is_unread(view, memory, limits)
    if unread:
        ledger.note(miner, PAUSE, PAUSE, 0.0)
        verdict = Verdict(PAUSE, free, limits, binding(limits), unread=True, started=False)
        return command_of(verdict, farm, miner, memory, rules, now, term, ledger)
    ceiling_w = ceiling_of(limits)
    case = Case(miner, view, memory, free, point_under(view, memory, ceiling_w, exact), ceiling_w, exact)
    case, lowered, wish = _through_gates(book, case, ledger, now)
    limits = (*limits, *lowered)
    begins = (case.is_start or _gets_power_back(case, rules)) and not rules.miners[miner].observe
    started_w = start_w(view, rules.miners[miner], limits) if begins else 0.0
    ledger.note(miner, wish, case.point, started_w)
    verdict = Verdict(case.point, free, limits, binding(limits), unread=False, started=case.is_start)
    return command_of(verdict, farm, miner, memory, rules, now, term, ledger)


def _gets_power_back(case: Case, rules: Rules) -> bool:
    """Whether its outlet, which was cut, is switched on in this pass: it begins to hash by itself then."""
    is_feed = case.view.is_cut and not rules.miners[case.miner].watch.is_plug
    return is_feed and case.point.is_pause and case.ceiling_w != 0


def _through_gates(
    book: Book, case: Case, ledger: Ledger, now: datetime
) -> tuple[Case, tuple[Limit, ...], OperatingPoint]:
    """The case after all gates, what they lowered, and the point that the caps shall make room for."""
    lowered: tuple[Limit, ...] = ()
    wish = case.point
    for name, gate in book.gates:
        if name == "group_cap":
            wish = _wish(case, ledger)
        limit = gate(case, book.rules, ledger, now)
        if limit is not None and limit.ceiling_w is not None:
            lowered = (*lowered, keep_since(limit, case.memory))
            ceiling_w = limit.ceiling_w if case.ceiling_w is None else min(case.ceiling_w, limit.ceiling_w)
            point = point_under(case.view, case.memory, ceiling_w, case.exact)
            case = replace(case, point=point, ceiling_w=ceiling_w)
    return case, lowered, wish


def first_stage(book: Book, farm: Farm, miner: MinerId, now: datetime, memory: Memory) -> tuple[Limit, ...]:
    """Every policy's limit, in the fixed order of explanation."""
    entries = [entry for entry in book.policies_of[miner] if entry.stands is None or entry.stands(farm, miner)]
    limits = [entry.policy(farm, miner, memory.limits.get(entry.name), now) for entry in entries]
    force = next((limit for limit in limits if limit.code == FORCED), None)
    if force is not None:
        silenceable = {entry.name for entry in entries if entry.silenceable}
        limits = [_silenced(limit, force) if limit.policy in silenceable else limit for limit in limits]
    comfort = {entry.name for entry in entries if entry.is_comfort}
    limits = [_delayed(limit, memory, book.rules, now) if limit.policy in comfort else limit for limit in limits]
    return tuple(keep_since(limit, memory) for limit in sorted(limits, key=_order))


def ceiling_of(limits: Iterable[Limit]) -> float | None:
    """The lowest ceiling, or None where no limit sets one."""
    return min((limit.ceiling_w for limit in limits if limit.ceiling_w is not None), default=None)


def binding(limits: Iterable[Limit]) -> Limit | None:
    """The limit that speaks: the lowest; of equals the first in the fixed order, policies before gates."""
    return min(
        (limit for limit in limits if limit.ceiling_w is not None),
        key=lambda limit: limit.ceiling_w or 0.0,
        default=None,
    )


def exact_point(limits: Iterable[Limit]) -> OperatingPoint | None:
    """The very point that a limit asks for; of several the lowest, so that their order cannot matter."""
    points = [limit.point for limit in limits if limit.point is not None]
    return min(points, key=lambda point: (point.power_w, point.name), default=None)


def point_under(
    view: MinerView, memory: Memory, ceiling_w: float | None, exact: OperatingPoint | None = None
) -> OperatingPoint:
    """The point for a ceiling. While the ladder cannot be read, what runs may stay as it is, and nothing starts."""
    ladder = None if view.telemetry is None else view.telemetry.ladder
    if ladder is not None:
        return fitting_point(ladder, ceiling_w, exact)
    if ceiling_w is None or memory.point.power_w <= ceiling_w:
        return memory.point
    return PAUSE


def keep_since(limit: Limit, memory: Memory) -> Limit:
    """The limit with the date of the last one, if it says the same."""
    last = memory.limits.get(limit.policy)
    if last is limit or last is None or last.code != limit.code or last.ceiling_w != limit.ceiling_w:
        return limit
    if (last.sentence, last.numbers, last.changes_when) == (limit.sentence, limit.numbers, limit.changes_when):
        return last
    return limit.model_copy(update={"since": last.since})


def _wish(case: Case, ledger: Ledger) -> OperatingPoint:
    """What a miner is to have once those below it have made room."""
    entitled_w = min((room.entitled_w for room in ledger.rooms(case.miner)), default=None)
    if entitled_w is None or case.point.power_w <= entitled_w:
        return case.point
    return point_under(case.view, case.memory, max(0.0, entitled_w), case.exact)


def _free(view: MinerView, memory: Memory, exact: OperatingPoint | None) -> OperatingPoint:
    normal = point_under(view, memory, None)
    return normal if exact is None or exact.power_w <= normal.power_w else exact


def _is_unread(view: MinerView, memory: Memory, limits: Iterable[Limit]) -> bool:
    """Whether nothing was ever read or decided: then it is left alone, unless a rule forbids it to run at all."""
    if any(limit.ceiling_w == 0 and limit.code not in NO_START_CODES for limit in limits):
        return False
    if memory.running is None:
        return True
    no_ladder = view.telemetry is None or view.telemetry.ladder is None
    return memory.running and memory.point.is_pause and no_ladder


def _silenced(limit: Limit, force: Limit) -> Limit:
    """The code stays, because it is the policy's memory; the ceiling goes."""
    if limit.ceiling_w is None:
        return limit
    numbers = {**limit.numbers, "silenced_ceiling_w": limit.ceiling_w}
    return limit.model_copy(
        update={
            "ceiling_w": None,
            "point": None,
            "numbers": numbers,
            "sentence": f"{limit.sentence}; silenced: {force.sentence}",
        }
    )


def _delayed(limit: Limit, memory: Memory, rules: Rules, now: datetime) -> Limit:
    """A pause for comfort waits until what was started has run for a while."""
    if limit.ceiling_w != 0 or not memory.running or not memory.starts:
        return limit
    until = memory.starts[-1] + rules.minimum_on
    if now >= until:
        return limit
    sentence = f"{limit.sentence}; it runs for at least {span(rules.minimum_on)} first"
    changes = f"pauses at {time_of_day(until, now, rules.zone)}"
    return limit.model_copy(update={"ceiling_w": None, "sentence": sentence, "changes_when": changes})


def _order(limit: Limit) -> tuple[int, str]:
    return RANK.get(limit.policy, len(RANK)), limit.policy
