"""What has been granted in this tick, and what others may still draw: how starts and caps see one another.

Not shared and not kept: a new one is opened for each pass, so that a pass stays a function of farm and time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.policy_engine.caps import Cap, cap_of
from services.policy_engine.rules import GroupId, GroupRules, MinerId, Rules
from services.policy_engine.state import Farm
from services.policy_engine.watts import may_draw_w, start_w
from shared.messages import Action, OperatingPoint

GIVES_BACK = "gives_back"
"""The code of a command that switches an outlet on again which had been cut."""


@dataclass(frozen=True)
class Room:
    """What a group leaves one of its members. Rounded to a thousandth of a watt."""

    group: GroupId
    cap: Cap
    entitled_w: float
    """The cap without what those of higher priority are to have: binds what runs, too."""
    free_w: float
    """The cap without all that others are granted or may still draw: binds every increase."""

    def allowed_w(self, holding_w: float) -> float:
        """The most for a member that holds so many watts already."""
        return max(0.0, min(self.entitled_w, max(self.free_w, holding_w)))


@dataclass
class _Account:
    cap: Cap
    held_w: dict[MinerId, float]
    total_w: float
    wished_w: float = 0.0


@dataclass
class Ledger:
    """Filled miner by miner, by falling priority."""

    rules: Rules
    started_w: float
    """Nominal watts started within the stagger window, in this tick included."""
    last_try_at: datetime | None = None
    """When anything was last done to bring a miner back, in this tick included."""
    _accounts: dict[GroupId, _Account] = field(default_factory=dict)

    def rooms(self, miner: MinerId) -> list[Room]:
        """What each capped group of this miner leaves it."""
        found = []
        for group in self.rules.groups_of[miner]:
            account = self._accounts.get(group)
            if account is not None:
                free_w = account.cap.max_w - (account.total_w - account.held_w[miner])
                entitled_w = account.cap.max_w - account.wished_w
                found.append(Room(group, account.cap, round(entitled_w, 3), round(free_w, 3)))
        return found

    def note(self, miner: MinerId, wish: OperatingPoint, granted: OperatingPoint, started_w: float) -> None:
        """Books a decision: what was granted now, and what those of lower priority have to make room for."""
        self.started_w += started_w
        for group in self.rules.groups_of[miner]:
            account = self._accounts.get(group)
            if account is not None:
                held_w = max(account.held_w[miner], granted.power_w)
                account.total_w += held_w - account.held_w[miner]
                account.held_w[miner] = held_w
                account.wished_w += max(wish.power_w, granted.power_w)


def open_ledger(rules: Rules, farm: Farm, miners: Iterable[MinerId], now: datetime) -> Ledger:
    """The ledger at the beginning of a pass over these miners."""
    groups = dict.fromkeys(group for miner in miners for group in rules.groups_of[miner])
    ledger = Ledger(rules, _started_w(rules, farm, now), _last_try_at(farm, now))
    for name in groups:
        cap = cap_of(name, rules, farm, now)
        if cap is not None:
            ledger._accounts[name] = _account(rules.groups[name], cap, rules, farm, now)  # noqa: SLF001 - its own maker
    return ledger


def _account(group: GroupRules, cap: Cap, rules: Rules, farm: Farm, now: datetime) -> _Account:
    # An agent that has been silent for so long has its miners at their failsafe, or is dead with them as they were.
    heard_after = now - rules.memory_lasts
    held_w = {
        member: may_draw_w(farm.miners[member], rules.miners[member], heard_after)
        for member in group.members
        if member in farm.miners
    }
    return _Account(cap, held_w, sum(held_w.values()))


def _started_w(rules: Rules, farm: Farm, now: datetime) -> float:
    """Watts that were started within the stagger window; a miner that is only watched started nothing."""
    since, total_w = now - rules.stagger_window, 0.0
    for name, view in farm.miners.items():
        command, outlet = view.command, view.outlet
        if outlet is not None and outlet.code == GIVES_BACK and since < min(outlet.since, now):
            # A miner that gets its power back begins to hash by itself.
            total_w += start_w(view, rules.miners[name], () if command is None else command.limits)
            continue
        if command is None or not command.starts or command.action is Action.OBSERVE:
            continue
        # One of a clock that was ahead was made at some time until now: the next command dates it so.
        if since < min(command.starts[-1], now):
            total_w += start_w(view, rules.miners[name], command.limits)
    return total_w


def _last_try_at(farm: Farm, now: datetime) -> datetime | None:
    tries = [view.command.care.tries[-1:] for view in farm.miners.values() if view.command and view.command.care]
    return max((min(date, now) for last in tries for date in last), default=None)
