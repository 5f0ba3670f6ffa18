"""How an agent tends an outlet: the engine's word, power cycles, stops, and what other people switch."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.kasa_power_agent.cycle import Cycle, Order, Phase, begun, given_back, looked, resumed
from services.kasa_power_agent.stops import Stops
from shared.clock import Clock
from shared.device import DeviceError
from shared.lease import AHEAD_TOLERATED
from shared.messages import Action, Following, PlugCommand, PlugTelemetry
from shared.topics import PLUG_COMMAND, PLUG_TELEMETRY

CYCLE_OFF = "cycle_off"
CYCLE_WAIT = "cycle_wait"
CYCLE_BACK = "cycle_back"
"""Codes of the goals of a power cycle: to cut, to wait, and to give back."""

_LED = {Following.COMMAND, Following.GRACE}


@dataclass(frozen=True)
class Part:
    """What an outlet is to its miner."""

    is_switch: bool = False
    """The miner has no API: its outlet stops and starts it."""
    failsafe_off: bool = False
    """Off when nobody commands it."""
    observed: bool = False
    stops: Stops = field(default_factory=Stops)


class PlugRole:
    """One outlet's part.

    `hear`, `heard_back` and `memory_arrived` are called by the service's thread, all else by the device's. What is
    handed over between the two is immutable.
    """

    telemetry = PLUG_TELEMETRY
    command = PLUG_COMMAND

    def __init__(self, clock: Clock, part: Part | None = None) -> None:
        self.part = part or Part()
        self._clock = clock
        self._last: PlugTelemetry | None = None
        self._outside_off_since: datetime | None = None
        self._mac: str | None = None
        self._last_cycle_at: datetime | None = None
        self._cycle: Cycle | None = None
        self._left: PlugTelemetry | None = None
        """The last word of another process, in the midst of a cycle."""
        self._order: Order | None = None
        self._echo: PlugTelemetry | None = None
        self._knows_memory = False

    # --- in the service's thread

    def hear(self, command: PlugCommand, received_at: datetime, *, retained: bool) -> bool:
        """Takes note of each command, also of one whose lease is over. True: it orders another cycle than before."""
        before = self._order
        if command.at > received_at + AHEAD_TOLERATED:
            return False
        if before is not None and command.at <= before.command.at:
            return False  # overtaken, or delivered once more: it is no younger for that
        age_seconds = max((received_at - command.at).total_seconds(), 0.0) if retained else 0.0
        self._order = Order(command, self._clock.seconds(), age_seconds)
        return command.cycle_at is not None and (before is None or before.command.cycle_at != command.cycle_at)

    def heard_back(self, telemetry: PlugTelemetry) -> bool:
        """Our own telemetry, back from the broker. True: it is the first to announce a power cycle."""
        before, self._echo = self._echo, telemetry
        told_at = telemetry.cycle_off_since
        return told_at is not None and (before is None or before.cycle_off_since != told_at)

    def memory_arrived(self) -> None:
        """Before that nobody knows which cycles have been made, so none is begun."""
        self._knows_memory = True

    # --- in the device's thread

    def unread(self, error: DeviceError, now: datetime) -> PlugTelemetry:
        # A gap in the readings may hide a mains outage: what comes after it is not a person's doing.
        self._last = None
        telemetry = PlugTelemetry(at=now, reachable=False, problem=error.code, detail=error.sentence, mac=self._mac)
        return telemetry.model_copy(update=self._memory())

    def recall(self, previous: PlugTelemetry) -> None:
        self._outside_off_since = previous.outside_off_since
        self._mac = previous.mac
        self._last_cycle_at = max(filter(None, (previous.last_cycle_at, self._last_cycle_at)), default=None)
        if previous.cycle_off_since is not None and self._cycle is None:
            self._left = previous

    def regard(
        self, reading: PlugTelemetry, following: Following, command: PlugCommand | None, *, settled_before: bool
    ) -> PlugTelemetry:
        was_left_on = self._last is not None and self._last.on is True and settled_before and following in _LED
        if reading.on is True:
            self._outside_off_since = None
        elif was_left_on and reading.on is False and self._cycle is None and command is not None and command.on:
            self._outside_off_since = reading.at
        self._last = reading
        self._mac = reading.mac or self._mac
        self._cycle = self._next_cycle(reading, following, command)
        if self._cycle is not None:
            self._last_cycle_at = self._cycle.ordered_at
        self.part.stops.regard(reading.at, alone=self._is_off_alone(following))
        return reading.model_copy(update=self._memory())

    def goal(
        self, following: Following, command: PlugCommand | None, reading: PlugTelemetry, now: datetime
    ) -> PlugCommand | None:
        if self._is_off_alone(following):
            return own_goal(now, following, on=False)
        if self._cycle is not None and (command is None or command.on):
            return self._goal_of_cycle(self._cycle, following, now)
        if command is None or not command.on:
            return command
        if self._respects_outside_off(command) or (self.part.is_switch and self.part.stops.is_unaware()):
            return None
        # What is on may stay so for the time of grace. Nothing is switched on by the word of a silent engine.
        return None if following is Following.GRACE and reading.on is not True else command

    def only_lowers(self, goal: PlugCommand, reading: PlugTelemetry) -> bool:
        return not goal.on and reading.on is True

    def insists(self, goal: PlugCommand) -> bool:
        # Power that we have cut is given back, also to an outlet that is only watched from now on.
        return goal.code in {CYCLE_WAIT, CYCLE_BACK}

    def acts(self, goal: PlugCommand) -> None:
        if not goal.on and goal.code not in {CYCLE_OFF, CYCLE_WAIT}:
            self.part.stops.acted()

    def undone(self, reading: PlugTelemetry) -> None:
        if reading.on is False:
            self.part.stops.acted()

    def name(self, goal: PlugCommand) -> str:
        if goal.code in {CYCLE_OFF, CYCLE_WAIT}:
            return goal.code
        return "on" if goal.on else "off"

    def faulty(self, reading: PlugTelemetry, goal: PlugCommand) -> PlugTelemetry:
        state = {True: "on", False: "off", None: "neither on nor off"}[reading.on]
        detail = f"reads {state}, wanted {'on' if goal.on else 'off'}"
        return reading.model_copy(update={"problem": "command_without_effect", "detail": detail})

    # --- inside

    def _memory(self) -> dict[str, datetime | None]:
        return {
            "last_cycle_at": self._last_cycle_at,
            "cycle_off_since": self._cycle.told_at if self._cycle is not None else self._left_off_since(),
            "outside_off_since": self._outside_off_since,
        }

    def _left_off_since(self) -> datetime | None:
        return None if self._left is None else self._left.cycle_off_since

    def _is_off_alone(self, following: Following) -> bool:
        """Whether a machine without an API is stopped by us alone."""
        if following is Following.EMERGENCY_STOP:
            return self.part.is_switch
        return following is Following.FAILSAFE and self.part.is_switch and self.part.failsafe_off

    def _respects_outside_off(self, command: PlugCommand) -> bool:
        """What a person has switched off stays off until the engine, having seen that, says that it is over."""
        since = self._outside_off_since
        return since is not None and command.on and command.outside_off_over != since

    def _next_cycle(self, reading: PlugTelemetry, following: Following, command: PlugCommand | None) -> Cycle | None:
        seconds, now = self._clock.seconds(), self._clock.now()
        wanted = command or (self._order.command if self._order is not None else None)
        meant_off = self._is_off_alone(following) or (wanted is not None and not wanted.on)
        cycle, left = self._cycle, self._left
        if left is not None:
            self._left = None
            cycle = resumed(left, wanted, on=reading.on, now=now, seconds=seconds)
        elif cycle is not None:
            acknowledged = cycle.acknowledged_by(self._echo)
            cycle = looked(cycle, on=reading.on, seconds=seconds, acknowledged=acknowledged)
        elif not meant_off and command is not None and self._may_begin(following, command, seconds):
            cycle = begun(command, now, seconds)
        if cycle is None or meant_off:
            return None  # what is meant to be off stays off
        return cycle if self._may_cut(following, command) else given_back(cycle, seconds)

    def _may_cut(self, following: Following, command: PlugCommand | None) -> bool:
        if following is not Following.COMMAND or command is None or self.part.observed:
            return False
        return command.on and command.action is Action.APPLY

    def _may_begin(self, following: Following, command: PlugCommand, seconds: float) -> bool:
        if not self._knows_memory or not self._may_cut(following, command) or self._respects_outside_off(command):
            return False
        order = self._order
        if order is None or order.command.at != command.at:
            return False  # another command is on its way in
        return order.is_due(self._last_cycle_at, seconds)

    def _goal_of_cycle(self, cycle: Cycle, following: Following, now: datetime) -> PlugCommand | None:
        if cycle.phase is Phase.TOLD or (cycle.phase is Phase.CUTTING and following is not Following.COMMAND):
            return None  # the next look at it decides
        if cycle.phase is Phase.RETURNING:
            return own_goal(now, following, on=True, code=CYCLE_BACK)
        code = CYCLE_OFF if cycle.phase is Phase.CUTTING else CYCLE_WAIT
        left_seconds = cycle.left_seconds(self._clock.seconds()) if code == CYCLE_WAIT else cycle.off_seconds
        return own_goal(now, following, on=False, code=code, seconds=left_seconds)


def own_goal(
    now: datetime, following: Following, *, on: bool, code: str | None = None, seconds: float = 1.0
) -> PlugCommand:
    """A goal that the agent sets itself; it never travels. `seconds`: how long to wait, of a power cycle."""
    return PlugCommand(
        at=now,
        engine="agent",
        epoch=0,
        expires_at=now + timedelta(seconds=1),
        on=on,
        off_seconds=min(max(seconds, 1.0), 3600.0),
        code=code or str(following),
        sentence="the agent's own",
        since=now,
    )
