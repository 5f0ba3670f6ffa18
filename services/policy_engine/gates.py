"""The second stage: gates in fixed order, which see what else is granted in this tick and may only lower. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.policy_engine.caps import NAME as GROUP_CAP
from services.policy_engine.ledger import Ledger
from services.policy_engine.memory import DAY, Memory
from services.policy_engine.rules import MinerId, Rules
from services.policy_engine.view import MinerView
from services.policy_engine.watts import nominal_w
from services.policy_engine.wording import span, time_of_day
from shared.ladder import lowest_point
from shared.messages import Limit, Number, OperatingPoint


@dataclass(frozen=True)
class Case:
    """One miner's decision on its way through the gates."""

    miner: MinerId
    view: MinerView
    memory: Memory
    free: OperatingPoint
    """What it would be without any ceiling: its normal point, or an exact one above that."""
    point: OperatingPoint
    """What it would be granted as things stand."""
    ceiling_w: float | None
    exact: OperatingPoint | None = None
    """The very point that the owner wants now."""

    @property
    def waits(self) -> bool:
        """Whether it is paused and nothing forbids it to run: gates judge that even if no point fits the ceiling."""
        return not self.memory.running and self.ceiling_w != 0

    @property
    def is_start(self) -> bool:
        return not self.memory.running and not self.point.is_pause


Gate = Callable[[Case, Rules, Ledger, datetime], Limit | None]
"""None: passes. A limit: lowers, and says why."""


def minimum_off(case: Case, rules: Rules, _ledger: Ledger, now: datetime) -> Limit | None:
    """A paused miner stays so for a while: chips that cool and heat all day break."""
    since = case.memory.paused_since
    if not case.waits or since is None or now - since >= rules.minimum_off:
        return None
    sentence = f"paused for {span(now - since)} of at least {span(rules.minimum_off)}"
    changes = f"may start at {time_of_day(since + rules.minimum_off, now, rules.zone)}"
    numbers: dict[str, Number] = {
        "paused_seconds": int((now - since).total_seconds()),
        "minimum_off_seconds": int(rules.minimum_off.total_seconds()),
    }
    return _limit("minimum_off", 0.0, sentence, now, numbers, changes)


def starts_per_day(case: Case, rules: Rules, _ledger: Ledger, now: datetime) -> Limit | None:
    """At most so many starts within any 24 hours."""
    starts = case.memory.starts
    if not case.waits or len(starts) < rules.starts_per_day:
        return None
    frees = starts[-rules.starts_per_day] + DAY
    sentence = f"{len(starts)} starts within 24 h, {rules.starts_per_day} allowed"
    changes = f"may start at {time_of_day(frees, now, rules.zone)}"
    numbers: dict[str, Number] = {"starts": len(starts), "starts_per_day": rules.starts_per_day}
    return _limit("starts_per_day", 0.0, sentence, now, numbers, changes)


def stagger(case: Case, rules: Rules, ledger: Ledger, now: datetime) -> Limit | None:
    """Not too many watts at once; one that is larger than the window allows starts alone."""
    # Nominal watts, whatever the ceiling: else a start at a low point would hide the rise that follows.
    exact_w = 0.0 if case.exact is None else case.exact.power_w
    begun_w, own_w = ledger.started_w, max(nominal_w(case.view, rules.miners[case.miner]), exact_w)
    if not case.waits or begun_w == 0 or begun_w + own_w <= rules.stagger_w:
        return None
    sentence = (
        f"{begun_w:g} W were started within {span(rules.stagger_window)}; "
        f"with {own_w:g} W more it would be above {rules.stagger_w:g} W"
    )
    numbers: dict[str, Number] = {"started_w": begun_w, "stagger_w": rules.stagger_w}
    changes = f"may start within {span(rules.stagger_window)}"
    return _limit("stagger", 0.0, sentence, now, numbers, changes)


def group_cap(case: Case, _rules: Rules, ledger: Ledger, now: datetime) -> Limit | None:
    """No group above its power: what others are granted counts, and what they may still draw."""
    rooms = ledger.rooms(case.miner)
    if not rooms or case.ceiling_w == 0:
        return None
    holding_w = case.memory.point.power_w
    room = min(rooms, key=lambda room: (room.allowed_w(holding_w), room.group))
    allowed_w = room.allowed_w(holding_w)
    if case.free.power_w <= allowed_w:
        return None
    yields = room.entitled_w < case.free.power_w
    why = "of higher priority have" if yields else "draw or may still draw"
    cap = room.cap
    others_w = cap.max_w - (room.entitled_w if yields else room.free_w)
    sentence = (
        f"group {room.group} may draw {cap.max_w:g} W{cap.said and f'{cap.said},'} and others {why} {others_w:g} W"
    )
    numbers: dict[str, Number] = {"group": room.group, "max_w": cap.max_w, "others_w": others_w, **cap.numbers}
    ladder = None if case.view.telemetry is None else case.view.telemetry.ladder
    lowest_w = 0.0 if ladder is None else lowest_point(ladder).power_w
    if lowest_w > cap.max_w:
        sentence += f"; its lowest point alone takes {lowest_w:g} W"
    limit = _limit(
        GROUP_CAP, allowed_w, sentence, now, numbers, f"rises when others of {room.group} draw less{cap.changes}"
    )
    return limit.model_copy(update={"code": cap.code})


GATES: tuple[tuple[str, Gate], ...] = (
    ("minimum_off", minimum_off),
    ("starts_per_day", starts_per_day),
    ("stagger", stagger),
    (GROUP_CAP, group_cap),
)


def _limit(
    name: str, ceiling_w: float, sentence: str, now: datetime, numbers: dict[str, Number], changes_when: str
) -> Limit:
    return Limit(
        policy=name,
        ceiling_w=ceiling_w,
        code=name,
        sentence=sentence,
        numbers=numbers,
        since=now,
        changes_when=changes_when,
    )
