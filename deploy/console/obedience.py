"""What the agents' own words prove of a stop. Pure but for what the line has heard."""

from datetime import datetime

from deploy.console.line import Line
from shared.bus import Received
from shared.membership import BEATS_TOLERATED
from shared.messages import PAUSE, Following, MinerTelemetry
from shared.topics import MINER_TELEMETRY, SERVICE_PRESENCE

PROOF_SECONDS = 2.5
"""An agent stops at once, reads back after a second, and tells what it has read."""
_LED = {Following.COMMAND, Following.GRACE}


class Obedience:
    """Of each miner: whether somebody tends it, and whether whoever does obeys."""

    def __init__(self, line: Line, *, everything: bool, since: datetime) -> None:
        """`everything`: an emergency stop; else a pause of single miners. `since`: when it was said."""
        self._line = line
        self._everything = everything
        self._since = since

    def is_tended(self, name: str) -> bool:
        """Whether its agent is known to live: heard, or remembered by the broker for less than three beats."""
        telemetry = self._line.word(MINER_TELEMETRY, name)
        if telemetry is None or telemetry.by is None:
            return False
        received = self._line.latest.get((SERVICE_PRESENCE, telemetry.by))
        if received is None or received.message is None or received.message.status != "online":
            return False
        clock = self._line.clock
        age_seconds = (clock.now() - received.message.at).total_seconds() / clock.rate
        return not received.retained or abs(age_seconds) <= BEATS_TOLERATED * received.message.beat_seconds

    def reading(self, name: str) -> MinerTelemetry | None:
        """The newest word of an agent that obeys; None while that is not proven."""
        received: Received[MinerTelemetry] | None = self._line.latest.get((MINER_TELEMETRY, name))
        if received is None or received.message is None:
            return None
        telemetry = received.message
        if self._everything:
            obeys = telemetry.following is Following.EMERGENCY_STOP
        else:
            obeys = telemetry.following in _LED and telemetry.desired == PAUSE.name
        fresh = not received.retained and received.received_at >= self._since
        # Stopped before already: nothing new is to be expected, as long as somebody sees to it.
        stands = telemetry.settled is True and self.is_tended(name)
        return telemetry if obeys and telemetry.reachable and (fresh or stands) else None
