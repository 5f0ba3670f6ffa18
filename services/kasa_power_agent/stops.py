"""What is told of a machine without an API that its agent has stopped: only an engine that knew starts it again."""

from datetime import datetime

from shared.messages import MinerCommand


class Stops:
    """The part of `shared/miner_role.py` that remembers stops, for a miner whose only switch is its outlet."""

    def __init__(self) -> None:
        self.told: datetime | None = None
        """The `stopped_at` of the telemetry that was last made."""
        self._stopped = False
        self._stopped_at: datetime | None = None
        self._newest: MinerCommand | None = None

    def recall(self, stopped_at: datetime | None) -> None:
        """What was last told of this miner, perhaps by another process."""
        if stopped_at is not None and not self._stopped:
            self._stopped, self._stopped_at = True, stopped_at

    def hear(self, command: MinerCommand) -> None:
        """The engine's word about the miner itself; called by the service's thread."""
        self._newest = command

    def acted(self) -> None:
        """It is being switched off; the next reading dates that."""
        self._stopped, self._stopped_at = True, None

    def regard(self, at: datetime, *, alone: bool) -> None:
        """A reading. `alone`: by a failsafe or an emergency stop it is off, or soon will be."""
        self._stopped = self._stopped or alone
        if alone or (self._stopped and self._stopped_at is None):
            self._stopped_at = at
        self.told = self._stopped_at

    def is_unaware(self) -> bool:
        """Whether a command to switch on was decided before the engine could know of the stop."""
        if not self._stopped:
            return False
        newest = self._newest
        if newest is not None and newest.point.is_pause:
            return True
        answers = None if newest is None else newest.answers
        if answers is not None and (self._stopped_at is None or answers < self._stopped_at):
            return True
        self._stopped, self._stopped_at = False, None
        return False
