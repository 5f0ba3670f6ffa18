"""How an agent tends a miner: the failsafe, the emergency stop, and pauses made by others."""

from datetime import datetime, timedelta
from typing import Literal

from shared.device import DeviceError
from shared.ladder import can_pause, lowest_point, safe_point
from shared.messages import (
    PAUSE,
    Following,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
)
from shared.topics import MINER_COMMAND, MINER_TELEMETRY

Failsafe = Literal["pause", "safe_point", "hold"]

TOO_HOT = "too_hot"
"""The problem of a device that is well above its owner's heat limit: nobody's silence leaves it as it is."""

_IDLE = {MinerState.PAUSED, MinerState.STOPPING}
_BUSY = {MinerState.HASHING, MinerState.RAMPING}
_LED = {Following.COMMAND, Following.GRACE}
_ALONE = {Following.FAILSAFE, Following.EMERGENCY_STOP}
_RESTARTABLE = {*_BUSY, MinerState.FAULT}
"""Not what is unknown either: it may stand paused, and a restart would start it."""
RESTART_TAKES = timedelta(minutes=15)
"""A start may be put off by up to 300 s by a setting of the miner, and then takes minutes."""


class MinerRole:
    """One miner's part; remembers the last reading to tell a pause made by a person from one of ours."""

    telemetry = MINER_TELEMETRY
    command = MINER_COMMAND

    def __init__(self, driver: str, failsafe: Failsafe = "pause", *, failed_stands_still: bool = True) -> None:
        """`failed_stands_still`: whether a miner in FAULT draws nothing, so that to go on is a start."""
        self._failed_stands_still = failed_stands_still
        self._driver = driver
        self._failsafe = failsafe
        self._last: MinerTelemetry | None = None
        self._outside_pause_since: datetime | None = None
        self._mac: str | None = None
        self._stopped = False
        """Whether we have stopped it, and no command to hash has yet shown that the engine knew."""
        self._stopped_at: datetime | None = None
        """The first reading after that; None until it has been taken."""
        self.last_restart_at: datetime | None = None
        self._restarting_since: datetime | None = None
        """Since when what it shows may be a restart that we asked for."""
        self._was_away = False

    def unread(self, error: DeviceError, now: datetime) -> MinerTelemetry:
        # A gap in the readings may hide a reboot or a mains outage: what comes after it is not a person's pause.
        self._last, self._was_away = None, True
        return MinerTelemetry(
            at=now,
            driver=self._driver,
            reachable=False,
            state=MinerState.UNKNOWN,
            problem=error.code,
            detail=error.sentence,
            outside_pause_since=self._outside_pause_since,
            stopped_at=self._stopped_at,
            mac=self._mac,
            last_restart_at=self.last_restart_at,
        )

    def recall(self, previous: MinerTelemetry) -> None:
        self._outside_pause_since = previous.outside_pause_since
        alone = previous.following in _ALONE and previous.desired == PAUSE.name
        self._stopped = alone or previous.stopped_at is not None
        self._stopped_at = previous.stopped_at
        self._mac = previous.mac
        self.last_restart_at = self._restarting_since = previous.last_restart_at

    def regard(
        self, reading: MinerTelemetry, following: Following, command: MinerCommand | None, *, settled_before: bool
    ) -> MinerTelemetry:
        restarting = self._is_restarting(reading)
        was_left_hashing = (
            self._last is not None
            and self._last.state in _BUSY
            and settled_before
            and following in _LED
            and command is not None
            and not command.point.is_pause
            and not restarting
        )
        if reading.state in _BUSY:
            self._outside_pause_since = None
        elif was_left_hashing and reading.state in _IDLE:
            self._outside_pause_since = reading.at
        has_failed = reading.state is MinerState.FAULT and (self._last is None or self._last.state is not reading.state)
        if has_failed and self._failed_stands_still:
            # It stands still without a word from us: to start it again is a start like any other, with all its gates.
            self._stopped, self._stopped_at = True, None
        self._last = reading
        self._mac = reading.mac or self._mac
        alone = following in _ALONE and not (following is Following.FAILSAFE and self._failsafe != "pause")
        self._stopped = self._stopped or alone
        if alone or (self._stopped and self._stopped_at is None):
            self._stopped_at = reading.at
        if _never_pauses(reading):
            # It was only lowered: to raise it again is no start, and no word of the engine comes too early for it.
            self._stopped, self._stopped_at = False, None
        update = {
            "outside_pause_since": self._outside_pause_since,
            "stopped_at": self._stopped_at,
            "last_restart_at": self.last_restart_at,
        }
        return reading.model_copy(update=update)

    def goal(
        self, following: Following, command: MinerCommand | None, reading: MinerTelemetry, now: datetime
    ) -> MinerCommand | None:
        if following is Following.EMERGENCY_STOP:
            return own_command(PAUSE, "emergency_stop", "emergency stop", now)
        if following is Following.FAILSAFE:
            return self._failsafe_goal(reading, now)
        if command is None or self._respects_outside_pause(command) or self._is_unaware(command):
            return None
        # What runs may go on for the time of grace. Nothing is started on the word of an engine that has fallen silent.
        starts = not command.point.is_pause and reading.state not in _BUSY
        return None if starts and following is Following.GRACE else command

    def only_lowers(self, goal: MinerCommand, reading: MinerTelemetry) -> bool:
        # Not a lower point: it may take a restart, which would start a miner that somebody has stopped meanwhile.
        return goal.point.is_pause and reading.state in _BUSY

    def insists(self, goal: MinerCommand) -> bool:  # noqa: ARG002 - nothing is ever left half done
        return False

    def acts(self, goal: MinerCommand) -> None:
        if goal.point.is_pause:
            self._stopped, self._stopped_at = True, None

    def undone(self, reading: MinerTelemetry) -> None:
        if reading.state in _IDLE:
            self._stopped, self._stopped_at = True, None

    def restart_at(self, command: MinerCommand, reading: MinerTelemetry) -> datetime | None:
        """The restart that a live command orders. None where it could start a paused miner, or undo a protection."""
        unfit = command.point.is_pause or reading.state not in _RESTARTABLE or reading.protected_since is not None
        return None if unfit else command.restart_at

    def restarted(self, restart_at: datetime, now: datetime) -> None:
        self.last_restart_at = restart_at
        self._restarting_since, self._was_away = now, False

    def name(self, goal: MinerCommand) -> str:
        return goal.point.name

    def faulty(self, reading: MinerTelemetry, goal: MinerCommand) -> MinerTelemetry:
        update = {
            "state": MinerState.FAULT,
            "problem": "command_without_effect",
            "detail": f"reports {reading.state}, wanted {goal.point.name}",
        }
        return reading.model_copy(update=update)

    def _is_restarting(self, reading: MinerTelemetry) -> bool:
        """Whether a standstill in this reading may be our own restart: until it hashes again, or for so long."""
        since = self._restarting_since
        hashes = reading.state is MinerState.HASHING
        if since is None or reading.at - since >= RESTART_TAKES or (hashes and self._was_away):
            self._restarting_since = None
            return False
        self._was_away = self._was_away or not hashes
        return True

    def _respects_outside_pause(self, command: MinerCommand) -> bool:
        """A pause by a person stands until the engine, having seen this very pause, says that it is over."""
        since = self._outside_pause_since
        return since is not None and not command.point.is_pause and command.outside_pause_over != since

    def _is_unaware(self, command: MinerCommand) -> bool:
        """Whether a start was decided before the engine could know that we have stopped it.

        It would pass by all gates: the pause would last for seconds, and a whole farm would start at once.
        """
        if not self._stopped or command.point.is_pause:
            return False
        known = command.answers is None or (self._stopped_at is not None and command.answers >= self._stopped_at)
        if known:
            self._stopped, self._stopped_at = False, None
        return not known

    def _failsafe_goal(self, reading: MinerTelemetry, now: datetime) -> MinerCommand | None:
        if self._failsafe == "hold" and reading.problem != TOO_HOT:
            return None
        point = PAUSE
        if self._failsafe == "hold" and reading.ladder is not None:
            point = lowest_point(reading.ladder)
        # What stands paused stays so: nobody can tell any more whether battery, heat or a person wanted it.
        if self._failsafe == "safe_point" and reading.ladder is not None and reading.state not in _IDLE:
            point = safe_point(reading.ladder)
        return own_command(point, "failsafe", "no live command: failsafe", now)


def _never_pauses(reading: MinerTelemetry) -> bool:
    return reading.ladder is not None and not can_pause(reading.ladder) and reading.state is not MinerState.PAUSED


def own_command(point: OperatingPoint, code: str, sentence: str, now: datetime) -> MinerCommand:
    """A goal that the agent sets itself; it never travels."""
    return MinerCommand(
        at=now,
        engine="agent",
        epoch=0,
        expires_at=now + timedelta(seconds=1),
        point=point,
        code=code,
        sentence=sentence,
        since=now,
    )
