"""Engines that are away for a while: what they find when they come back counts for no more and no less than it should.

Counted here by what was published, not by what the engine remembers of it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from shared.messages import MinerCommand
from tests.engine_core import CoreRun
from tests.engine_history import PROPERTY, RULES, History

SCARCE = replace(RULES, starts_per_day=2)
LASTS = SCARCE.memory_lasts.total_seconds()
GOVERNED = ("a", "b", "c")

_socs = st.sampled_from([60.0, 74.0, 100.0])
EVENTS = st.one_of(
    st.tuples(st.just("soc"), _socs),
    st.tuples(st.just("wait"), st.sampled_from([60, 330])),
    st.tuples(st.just("away"), st.sampled_from([60.0, LASTS, LASTS + 1, 3600.0, 80000.0])),
)
# Up and down once, so that the day's starts are soon spent.
_BEGINNING: list[tuple[Any, ...]] = [("grid", True), ("soc", 100.0), ("wait", 330), ("soc", 60.0), ("wait", 330)]
HISTORIES = st.builds(lambda rest: [*_BEGINNING, *rest], st.lists(EVENTS, min_size=3, max_size=12))


@dataclass
class Told:
    """What one miner has been told so far."""

    point_is_pause: bool = True
    paused_at: datetime | None = None
    starts: list[datetime] = field(default_factory=list)


class Outages(History):
    """A history in which the engine dies and comes back with nothing but what the broker retained."""

    def __post_init__(self) -> None:
        self.told = {name: Told() for name in self.run.rules.miners}
        self.seen = 0
        # Whether the battery has been seen above the miner's band, and nothing has happened that voids it.
        self.risen = dict.fromkeys(GOVERNED, False)
        super().__post_init__()

    def tick(self) -> dict[str, MinerCommand]:
        for name in GOVERNED:
            band = self.run.rules.miners[name]
            if self.soc is not None and band.stop_percent and band.resume_percent:
                above = self.soc > band.resume_percent
                self.risen[name] = above or (self.risen[name] and self.soc >= band.stop_percent)
        commands = super().tick()
        self._look()
        return commands

    def _away(self, seconds: float) -> None:
        self.run.wait(seconds)
        for name, machine in self.machines.items():
            command = self.run.farm.miners[name].command
            assert command is not None
            if self.run.now - command.at > SCARCE.memory_lasts:
                self.risen.update({name: False} if name in GOVERNED else {})
                if machine.doing != "pause":
                    machine.doing = "pause"  # the agent's failsafe: whoever lets it hash again starts it
                    paused_at = command.at + SCARCE.memory_lasts  # then, and not when the engine comes back
                    self.told[name] = replace(self.told[name], point_is_pause=True, paused_at=paused_at)
            machine.report(self.run, command)
        self.run.restart()

    def _look(self) -> None:
        fresh, self.seen = self.run.published[self.seen :], len(self.run.published)
        for name, command in fresh:
            told = self.told[name]
            if told.point_is_pause and not command.point.is_pause:
                self._look_at_start(name, command, told)
                told.starts.append(command.at)
            elif command.point.is_pause and not told.point_is_pause:
                told.paused_at = command.at
            told.point_is_pause = command.point.is_pause

    def _look_at_start(self, name: str, command: MinerCommand, told: Told) -> None:
        lately = [start for start in told.starts if command.at - start < timedelta(hours=24)]
        assert len(lately) < SCARCE.starts_per_day, (name, command.at, told.starts)
        assert command.starts == (*lately, command.at), name
        assert told.paused_at is None or command.at - told.paused_at >= SCARCE.minimum_off, name
        assert self.risen.get(name, True), (name, command.sentence)


@PROPERTY
@given(HISTORIES)
@example([*_BEGINNING, ("soc", 100.0), ("away", 80000.0), ("soc", 60.0), ("away", 80000.0), ("soc", 100.0)])
def test_an_engine_that_was_away_keeps_to_budget_dwell_and_band(history: list[tuple[Any, ...]]) -> None:
    played = Outages(CoreRun(SCARCE))
    for event in history:
        played.play(event)
