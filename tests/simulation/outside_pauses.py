"""Until when a pause that somebody made at a miner's own web page is to be respected, whatever the engine thinks."""

from datetime import datetime

from services.policy_engine.rules import Rules
from services.policy_engine.sunrise import next_sunrise
from shared.messages import MinerTelemetry


class OutsidePauses:
    """Of one miner. A pause counts from the moment when its agent has noticed it, for as long as the agent tells it."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._until: datetime | None = None

    def see(self, telemetry: MinerTelemetry, rules: Rules) -> None:
        if telemetry.outside_pause_since == self._since:
            return
        self._since = telemetry.outside_pause_since
        self._until = None if self._since is None else _end(self._since, rules)

    def until(self, ended_by_person_at: datetime | None) -> datetime | None:
        if self._since is None or (ended_by_person_at is not None and ended_by_person_at > self._since):
            return None
        return self._until


def _end(since: datetime, rules: Rules) -> datetime:
    sunrise = None
    if rules.latitude is not None and rules.longitude is not None:
        sunrise = next_sunrise(since, rules.latitude, rules.longitude)
    return sunrise or since + rules.outside_pause
