"""On every history: nobody is cycled who is meant to be paused, who works, too often, or twice for one cause."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.policy_engine.rules import MinerRules, Rules
from shared.messages import Action, OverrideKind
from tests.watched_rigs import ASIC, PLAIN, WatchedFarm

PROPERTY = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
RULES = Rules(
    miners={
        "plain": MinerRules(73, 75, watch=PLAIN),
        "asic": MinerRules(73, 75, watch=ASIC),
        "free": MinerRules(watch=ASIC),
        "watched": MinerRules(observe=True, watch=PLAIN),
    },
)
_names = st.sampled_from(sorted(RULES.miners))
_ills = st.sampled_from(["hung", "frozen", "faulty", "stubborn", "hangs_again", "meter"])
EVENTS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 11, 15, 30, 60])),
    st.tuples(st.just("wait"), st.sampled_from([11, 25])),
    st.tuples(st.just("ill"), _names, _ills, st.booleans()),
    st.tuples(st.just("ill"), _names, st.sampled_from(["hung", "hangs_again"]), st.just(True)),
    st.tuples(st.just("ill"), _names, st.sampled_from(["plug_alive", "agent_alive"]), st.booleans()),
    st.tuples(st.just("pool"), st.booleans()),
    st.tuples(st.just("others"), st.integers(0, 1)),
    st.tuples(st.just("soc"), st.sampled_from([60.0, 74.0, 80.0])),
    st.tuples(st.just("override"), _names, st.sampled_from([*OverrideKind]), st.sampled_from([20, 120])),
    st.tuples(st.just("emergency"), st.booleans()),
    st.tuples(st.just("restart")),
)
HISTORIES = st.lists(EVENTS, min_size=4, max_size=16)


@dataclass
class Eyes:
    """Looks at each tick with the eyes of the world, which knows who really works."""

    farm: WatchedFarm = field(default_factory=lambda: WatchedFarm(RULES))
    soc: float = 80.0
    tries: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    cleared_at: dict[str, datetime] = field(default_factory=dict)
    working_since: dict[str, datetime | None] = field(default_factory=dict)

    def wait(self, minutes: float) -> None:
        for _ in range(round(minutes * 2)):
            self.farm.run.soc(self.soc)
            self.farm.tick()
            self._look()

    def _look(self) -> None:
        now = self.farm.now
        for name, rig in self.farm.rigs.items():
            since = self.working_since.get(name)
            self.working_since[name] = (since or now) if rig.works else None
            command = self.farm.run.commands[name]
            tries = () if command.care is None else command.care.tries
            if tries[-1:] == (now,):
                assert not any(limit.ceiling_w == 0 for limit in command.limits), command.sentence
                assert not command.point.is_pause or command.code in {"no_ladder", "not_read"}
                assert command.action is Action.APPLY or command.code == "not_read"
                self._look_at_try(name, now, tries)
            outlet = self.farm.run.farm.miners[name].outlet
            assert outlet is None or outlet.cycle_at is None or outlet.on
            if rig.watch.is_plug and outlet is not None and outlet.action is Action.APPLY:
                assert outlet.on is not command.point.is_pause

    def _look_at_try(self, name: str, now: datetime, tries: tuple[datetime, ...]) -> None:
        working_since = self.working_since[name]
        assert working_since is None or now - working_since < timedelta(minutes=10), "it works"
        before = self.tries.get(name, ())
        assert not before or now - before[-1] >= RULES.miners[name].watch.cooldown, "two for one cause"
        today = [date for date in (*before, now) if now - date < timedelta(days=1)]
        fresh = [date for date in today if date > self.cleared_at.get(name, date - timedelta(1))]
        assert len(fresh) <= RULES.starts_per_day, "above the budget"
        self.tries[name] = (*before, now)

    def play(self, event: tuple[Any, ...]) -> None:
        kind, rest = event[0], event[1:]
        if kind == "wait":
            self.wait(*rest)
        elif kind == "ill":
            name, ill, value = rest
            setattr(self.farm.rigs[name], ill, value)
        elif kind == "pool":
            (self.farm.pool_answers,) = rest
        elif kind == "others":
            (self.farm.others,) = rest
        elif kind == "soc":
            (self.soc,) = rest
        elif kind == "override":
            name, wish, minutes = rest
            self.farm.run.override(name, wish, until=self.farm.now + timedelta(minutes=minutes))
            if wish is OverrideKind.AUTOMATIC:
                self.cleared_at[name] = self.farm.now
        elif kind == "emergency":
            self.farm.run.emergency(active=rest[0])
        else:
            self.farm.restart_engine()
        self.wait(0.5)


@PROPERTY
@given(HISTORIES)
def test_only_what_has_failed_is_touched_and_never_too_often(events: list[tuple[Any, ...]]) -> None:
    eyes = Eyes()
    for event in events:
        eyes.play(event)
    done = {name: len(rig.cycles) + len(rig.restarts) for name, rig in eyes.farm.rigs.items()}
    assert {name: count for name, count in done.items() if count > len(eyes.tries.get(name, ()))} == {}
    assert eyes.farm.rigs["watched"].cycles == []


@PROPERTY
@given(HISTORIES)
@example(
    [("wait", 1), ("ill", "asic", "hangs_again", True), ("ill", "asic", "hung", True), ("wait", 11)]
)  # a person said "automatic" three minutes after a try, and it was tried once more
def test_what_hangs_comes_back_once_nothing_is_in_the_way(events: list[tuple[Any, ...]]) -> None:
    eyes = Eyes()
    for event in events:
        eyes.play(event)
    eyes.farm.others, eyes.farm.pool_answers, eyes.soc = 1, True, 80.0
    eyes.play(("emergency", False))
    for name, rig in eyes.farm.rigs.items():
        rig.stubborn = rig.hangs_again = rig.faulty = rig.meter = False
        rig.plug_alive = rig.agent_alive = True
        eyes.play(("override", name, OverrideKind.AUTOMATIC, 20))
    eyes.wait(180)
    assert [name for name, rig in eyes.farm.rigs.items() if not rig.works and name != "watched"] == []
