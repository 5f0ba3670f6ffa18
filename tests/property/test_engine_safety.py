"""On every history: nothing starts blind, stale ends in a pause, and dwell times, budgets and caps hold."""

from datetime import timedelta
from typing import Any

from hypothesis import given

from shared.messages import MinerCommand
from tests.engine_core import CoreRun
from tests.engine_history import CAP_W, HISTORIES, PROPERTY, RULES, History

GOVERNED = ("a", "b", "c")


class Watch:
    """Plays a history and looks at every tick."""

    def __init__(self) -> None:
        self.history = History(CoreRun(RULES))
        self.before: dict[str, MinerCommand] = {}
        self.confirmed_at = self.history.run.now

    def play(self, events: list[tuple[Any, ...]]) -> None:
        tick = self.history.tick

        def watched_tick() -> dict[str, MinerCommand]:
            commands = tick()
            self._look(commands)
            self.before = commands
            return commands

        self.history.tick = watched_tick  # type: ignore[method-assign] # every tick is looked at
        for event in events:
            self.history.play(event)

    def _look(self, commands: dict[str, MinerCommand]) -> None:
        now = self.history.run.now
        known = self.history.bridge and self.history.soc is not None
        if known:
            self.confirmed_at = now
        for name, command in commands.items():
            if command.starts[-1:] == (now,):
                self._look_at_start(name, command, known=known)
            if name in GOVERNED and now - self.confirmed_at >= RULES.stale_pause:
                assert command.point.is_pause, (name, command.sentence)
        self._look_at_cap(commands)

    def _look_at_start(self, name: str, command: MinerCommand, *, known: bool) -> None:
        now = self.history.run.now
        assert not command.point.is_pause
        assert len([start for start in command.starts if now - start < timedelta(days=1)]) <= RULES.starts_per_day
        if name in GOVERNED:
            assert known or now - self.confirmed_at < RULES.stale_no_start
            assert self.history.soc is not None or not self.history.bridge
        before = self.before.get(name)
        assert before is not None
        assert before.paused_since is not None
        assert now - before.paused_since >= RULES.minimum_off

    def _look_at_cap(self, commands: dict[str, MinerCommand]) -> None:
        drawing = [max(self.history.machines[name].power_w, commands[name].point.power_w) for name in GOVERNED]
        assert sum(drawing) <= CAP_W, {name: command.sentence for name, command in commands.items()}


@PROPERTY
@given(HISTORIES)
def test_every_tick_is_safe(events: list[tuple[Any, ...]]) -> None:
    Watch().play(events)
