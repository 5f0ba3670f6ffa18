"""Whatever comes: an order restarts a miner at most once, and none restarts what is meant to be, or stands, paused."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clock import VirtualClock
from shared.device import RefusedError, UnreachableError
from shared.messages import (
    PAUSE,
    RESTART_YOUNG_SECONDS,
    Action,
    Following,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
)
from tests.unit.shared.commands import FULL
from tests.unit.shared.orchard import Restartable
from tests.unit.shared.yard import NAME, Yard

YOUNG = timedelta(seconds=RESTART_YOUNG_SECONDS)
RENEW_SECONDS = 20


@dataclass
class Ordered:
    """What the engine wants at present, and repeats whatever is reported."""

    point: OperatingPoint = FULL
    action: Action = Action.APPLY
    restart_at: datetime | None = None


class Miner(Restartable):
    """Restarts, refuses, or does not answer; knows what was in force when it was asked."""

    def __init__(self, clock: VirtualClock, asked: Callable[[], None]) -> None:
        super().__init__(clock)
        self._asked = asked
        self.outcome = "done"

    def restart(self, reading: MinerTelemetry) -> None:
        super().restart(reading)
        if self.outcome == "refused":
            message = "answered 500"
            raise RefusedError(message)
        self._asked()
        if self.outcome == "done in silence":
            message = "no answer"
            raise UnreachableError(message)


class World(Yard):
    """An agent that may die, a broker that may fail and forget, an engine that repeats itself, and a sick miner."""

    miner: Miner

    def __init__(self) -> None:
        self.done: Counter[datetime] = Counter()
        self.ordered = Ordered()
        self.orders: list[datetime] = []
        self.wrongs: list[str] = []
        self.talks = self.stopped = False
        clock = VirtualClock()
        super().__init__(clock, Miner(clock, self._asked))
        self.start()

    def _asked(self) -> None:
        """Notes what must not be: an agent outlives whatever a driver raises."""
        now, miner = self.clock.now(), self.miner
        following, command = self.agent.tenders[NAME].lease.follow(now, emergency=self.stopped)
        restart_at = None if command is None else command.restart_at
        if command is None or restart_at is None:
            self.wrongs.append("without an order")
            return
        self.done[restart_at] += 1
        checks = {
            "without a live command": following is not Following.COMMAND,
            "twice": self.done[restart_at] > 1,
            "late": now - restart_at >= YOUNG,
            "meant to be paused": command.point.is_pause,
            "left alone": command.action is not Action.APPLY,
            "stands paused": miner.point.is_pause and miner.shows is not MinerState.FAULT,
            "seen paused, or unknown": miner.shows in {MinerState.PAUSED, MinerState.UNKNOWN},
            "protects itself": miner.protected_since is not None,
        }
        self.wrongs.extend(wrong for wrong, is_so in checks.items() if is_so)

    # --- what happens

    def pass_some(self, seconds: int) -> None:
        self.pass_seconds(seconds, self._renew)

    def _renew(self) -> None:
        self.engine.tend()
        if self.talks:
            order, now = self.ordered, self.clock.now()
            self.wants(order.point, action=order.action, restart_at=order.restart_at, answers=now)

    def order_restart(self, _value: object) -> None:
        self.ordered.restart_at = self.clock.now()
        self.orders.append(self.clock.now())
        self.talks = True
        self._renew()
        for turns in self.runner.loops.values():
            turns.due_in_seconds = 0.0

    def order_an_old_restart(self, number: int) -> None:
        if self.orders:
            self.ordered.restart_at = self.orders[number % len(self.orders)]

    def stop_all(self, active: bool) -> None:
        if self.broker.running:
            self.stopped = active
            self.stop(active=active)

    def lose_the_broker(self, forget: bool) -> None:
        self.broker.kill(forget=forget and self.talks)

    def meet(self, name: str, value: Any) -> None:
        """One incident."""
        changes: dict[str, Callable[[Any], None]] = {
            "pass": self.pass_some,
            "restart": self.order_restart,
            "old restart": self.order_an_old_restart,
            "point": lambda point: setattr(self.ordered, "point", point),
            "action": lambda action: setattr(self.ordered, "action", action),
            "talks": lambda talks: setattr(self, "talks", talks),
            "stop": self.stop_all,
            "agent dies": lambda _value: self.kill_agent(),
            "broker dies": self.lose_the_broker,
            "broker back": lambda _value: self.broker.revive(),
            "answers": lambda well: setattr(self.miner, "fails", None if well else UnreachableError("no answer")),
            "ignores": lambda ignores: setattr(self.miner, "ignores", ignores),
            "shows": lambda state: setattr(self.miner, "shows", state),
            "outcome": lambda outcome: setattr(self.miner, "outcome", outcome),
            "protected": lambda yes: setattr(self.miner, "protected_since", self.clock.now() if yes else None),
            "person": lambda point: setattr(self.miner, "point", point),
        }
        changes[name](value)


NOTHING, FLAGS, POINTS = st.none(), st.booleans(), st.sampled_from([FULL, FULL, PAUSE])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "pass": st.sampled_from([1, 10, 30, 100]),
    "restart": NOTHING,
    "agent dies": NOTHING,
    "shows": st.sampled_from([None, None, MinerState.PAUSED, MinerState.FAULT, MinerState.UNKNOWN]),
    "point": POINTS,
    "old restart": st.integers(0, 9),
    "action": st.sampled_from([Action.APPLY, *Action]),
    "talks": FLAGS,
    "stop": st.sampled_from([True, False, False]),
    "broker dies": FLAGS,
    "broker back": NOTHING,
    "answers": st.sampled_from([True, True, False]),
    "ignores": FLAGS,
    "outcome": st.sampled_from(["done", "done", "done in silence", "refused"]),
    "protected": st.sampled_from([True, False, False]),
    "person": POINTS,
}
OFTEN = ["pass", "restart"] * 6 + ["agent dies", "shows", "point", "broker back"] * 2
INCIDENTS = st.sampled_from([*VALUES, *OFTEN]).flatmap(lambda name: st.tuples(st.just(name), VALUES[name]))


@settings(max_examples=200, deadline=None)
@given(st.lists(INCIDENTS, min_size=8, max_size=24))
def test_no_order_restarts_twice_and_none_starts(history: list[tuple[str, Any]]) -> None:
    world = World()
    world.pass_some(5)
    for name, value in history:
        world.meet(name, value)
        world.turn()
    world.pass_some(60)
    assert world.wrongs == []


@given(st.lists(st.sampled_from(["agent dies", "broker dies", "broker back", "pass"]), max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_order_is_carried_out_where_nothing_is_in_the_way(names: list[str], refused_at_first: bool) -> None:
    world = World()
    for name in names:
        world.meet(name, 20)
    world.broker.revive()
    world.talks = True
    world.pass_some(60)
    world.miner.outcome = "refused" if refused_at_first else "done"
    world.meet("restart", None)
    world.pass_some(5)
    world.miner.outcome = "done"
    world.pass_some(60)
    assert world.done == {world.orders[-1]: 1}
    assert world.last.last_restart_at == world.orders[-1]
