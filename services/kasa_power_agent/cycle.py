"""A power cycle as a state machine: told, cut, read off, kept off, given back. Pure.

It is begun at most once for each order: whoever takes over after a crash finds in the last telemetry how far it came.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.messages import CYCLE_YOUNG_SECONDS, PlugCommand, PlugTelemetry

CUT_PATIENCE_SECONDS = 120.0
"""An outlet that is not read off within that time is given up on: the cycle ends as it began, with power."""
RESUMED_WITHIN = timedelta(seconds=60)
"""Only so soon after its last word a cycle that had not yet cut anything is gone on with by the next process."""


class Phase(StrEnum):
    """How far a cycle has come."""

    TOLD = "told"
    """Announced; the broker has not yet shown that it knows."""
    CUTTING = "cutting"
    """To be switched off, not yet read off."""
    OFF = "off"
    """Read off; kept so for a while."""
    RETURNING = "returning"
    """To be switched on, not yet read on."""


@dataclass(frozen=True)
class Cycle:
    """A power cycle under way. `since_seconds`: when its phase began, in real seconds."""

    ordered_at: datetime
    told_at: datetime
    off_seconds: float
    phase: Phase
    since_seconds: float

    def enter(self, phase: Phase, seconds: float) -> "Cycle":
        """The same cycle in its next phase."""
        return replace(self, phase=phase, since_seconds=seconds)

    def left_seconds(self, seconds: float) -> float:
        """How long the outlet has still to be kept off."""
        return self.since_seconds + self.off_seconds - seconds

    def acknowledged_by(self, echo: PlugTelemetry | None) -> bool:
        """Whether this telemetry, which has come back from the broker, announces the cycle."""
        return echo is not None and (echo.last_cycle_at, echo.cycle_off_since) == (self.ordered_at, self.told_at)


@dataclass(frozen=True)
class Order:
    """A command as it was heard. `age_seconds`: how old it was then; `heard_at`: in real seconds."""

    command: PlugCommand
    heard_at: float
    age_seconds: float = 0.0

    def is_due(self, last_cycle_at: datetime | None, seconds: float) -> bool:
        """Whether it orders a cycle that is young and was not begun before."""
        ordered_at = self.command.cycle_at
        if ordered_at is None or not self.command.on or (last_cycle_at is not None and ordered_at <= last_cycle_at):
            return False
        # By the engine's own dates, so that two clocks that differ make no order older or younger.
        waited = (self.command.at - ordered_at).total_seconds()
        return waited + self.age_seconds + seconds - self.heard_at <= CYCLE_YOUNG_SECONDS


def begun(command: PlugCommand, now: datetime, seconds: float) -> Cycle | None:
    """The cycle that a command orders, announced now."""
    if command.cycle_at is None:
        return None
    return Cycle(command.cycle_at, now, command.off_seconds, Phase.TOLD, seconds)


def looked(cycle: Cycle, *, on: bool | None, seconds: float, acknowledged: bool) -> Cycle | None:
    """The cycle after one reading of its outlet; None: it is over."""
    waited = seconds - cycle.since_seconds
    if cycle.phase is Phase.TOLD:
        # Also an outlet that is off already is switched off: only the reading after that counts.
        return cycle.enter(Phase.CUTTING, seconds) if acknowledged else cycle
    if cycle.phase is Phase.CUTTING:
        if on is False:
            return cycle.enter(Phase.OFF, seconds)
        return cycle.enter(Phase.RETURNING, seconds) if waited > CUT_PATIENCE_SECONDS else cycle
    if on is True:
        return None
    if cycle.phase is Phase.OFF and waited >= cycle.off_seconds:
        return cycle.enter(Phase.RETURNING, seconds)
    return cycle


def given_back(cycle: Cycle, seconds: float) -> Cycle | None:
    """The cycle when nobody may cut power any more: what was not touched stays, what may be off is given power."""
    if cycle.phase is Phase.TOLD:
        return None
    return cycle.enter(Phase.RETURNING, seconds) if cycle.phase is Phase.CUTTING else cycle


def resumed(
    previous: PlugTelemetry, order: PlugCommand | None, *, on: bool | None, now: datetime, seconds: float
) -> Cycle | None:
    """The cycle that another process left, from its last telemetry and a new reading; None: it is over.

    `order`: the last known command. If the outlet has power, either nothing was cut yet or all is done. Before power
    was given back, the outlet had been told off: so a last word of "on" means the former, and the cycle goes on, if
    that word is young. In every doubt it is over: there are never two cuts.
    """
    ordered_at, told_at = previous.last_cycle_at, previous.cycle_off_since
    if ordered_at is None or told_at is None:
        return None
    off_seconds = order.off_seconds if order is not None else PlugCommand.model_fields["off_seconds"].default
    cycle = Cycle(ordered_at, told_at, off_seconds, Phase.OFF, seconds)
    if on is False:
        return cycle
    if on is None:
        return cycle.enter(Phase.RETURNING, seconds)
    untouched = previous.on is True and timedelta() <= now - previous.at <= RESUMED_WITHIN
    same = order is not None and order.cycle_at == ordered_at
    return cycle.enter(Phase.CUTTING, seconds) if untouched and same else None
