"""A yard whose miner can be restarted."""

from datetime import datetime

from shared.clock import VirtualClock
from shared.messages import MinerTelemetry, OperatingPoint
from tests.unit.shared.commands import FULL
from tests.unit.shared.yard import ScriptedMiner, Yard


class Restartable(ScriptedMiner):
    """Counts the restarts that it is asked for; what it shows is up to the test."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.restarts: list[datetime | None] = []
        """The last order that was told with each."""
        self.denies: Exception | None = None
        self.protected_since: datetime | None = None

    def read(self) -> MinerTelemetry:
        return super().read().model_copy(update={"protected_since": self.protected_since})

    def restart(self, reading: MinerTelemetry) -> None:
        self.asked.append("restart")
        self.restarts.append(reading.last_restart_at)
        if self.denies is not None:
            raise self.denies


class Orchard(Yard):
    """A yard whose miner can be restarted, with an order that stands in every command until it is done."""

    miner: Restartable

    def __init__(self, clock: VirtualClock, **manner: object) -> None:
        super().__init__(clock, Restartable(clock), **manner)
        self.start()
        self.pass_seconds(1)

    def order(self, point: OperatingPoint = FULL, **changed: object) -> datetime:
        """Orders a restart now, once."""
        at = self.clock.now()
        self.wants(point, **{"restart_at": at, "answers": at} | changed)
        self.turn()
        return at

    def keep_ordering(self, restart_at: datetime, seconds: float, point: OperatingPoint = FULL) -> None:
        def renew() -> None:
            self.wants(point, restart_at=restart_at, answers=self.clock.now())

        self.pass_seconds(seconds, renew)
