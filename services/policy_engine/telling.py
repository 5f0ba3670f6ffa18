"""What people are told: one log line per change, events for what is worth a message."""

import logging
from collections.abc import Iterable
from datetime import datetime

from services.policy_engine.memory import NOT_READ
from services.policy_engine.rules import MinerId
from services.policy_engine.view import AHEAD_TOLERATED
from services.policy_engine.watchdog.finding import Finding
from shared.messages import Action, Care, Event, MinerCommand, MinerTelemetry, Severity, SiteTelemetry
from shared.station import Station
from shared.topics import MINER_EVENT

log = logging.getLogger("services.policy_engine")

_NOTABLE = {
    "emergency_stop": Severity.ERROR,
    "soc_stale_pause": Severity.WARNING,
    "grid_unknown_pause": Severity.WARNING,
    "starts_per_day": Severity.WARNING,
    "cannot_pause": Severity.WARNING,
    "too_hot": Severity.WARNING,
    "too_hot_pause": Severity.ERROR,
    "protected": Severity.WARNING,
    "temperature_unknown": Severity.WARNING,
    "schedule_point_missing": Severity.WARNING,
}

_CARE_NOTABLE = {
    "restarting": Severity.WARNING,
    "power_cycling": Severity.WARNING,
    "unstable": Severity.ERROR,
    "no_remedy": Severity.ERROR,
    "watched_only": Severity.WARNING,
    "offline_unconfirmed": Severity.WARNING,
    "plug_silent": Severity.ERROR,
    "cycle_not_taken": Severity.WARNING,
    "pool_disagrees": Severity.WARNING,
}
"""What is done to a miner that has failed, and where a person must act."""

_TELLS_NOTHING = {NOT_READ, "no_ladder", "heat_unread", "schedule_unknown_ladder"}
"""While it cannot be read nothing is over."""

Change = tuple[MinerId, MinerCommand | None, MinerCommand]
"""A miner's command before, and the one that has been published."""


class Teller:
    """Says each thing once."""

    def __init__(self, service: Station) -> None:
        self._service = service
        self._future_said = False

    def tell(self, changes: Iterable[Change]) -> None:
        """What has become of these miners."""
        for miner, before, command in changes:
            self._tell_one(miner, before, command)

    def _tell_one(self, miner: MinerId, before: MinerCommand | None, command: MinerCommand) -> None:
        """One line when point, reason or action changed; an event when the reason is a notable one, or is over."""
        self._tell_care(miner, None if before is None else before.care, command)
        if before is not None and _gist(before) == _gist(command):
            return
        self._service.counts.add("decisions_changed")
        log.info("[%s] %s → %s%s", miner, command.sentence, command.point.name, _MANNER[command.action])
        old_code = None if before is None else before.code
        if command.code != old_code and command.code in _NOTABLE:
            self._event(miner, command, command.code, _NOTABLE[command.code])
        elif command.code != old_code and old_code in _NOTABLE and command.code not in _TELLS_NOTHING:
            self._event(miner, command, f"{old_code}_over", Severity.INFO)

    def _tell_care(self, miner: MinerId, before: Care | None, command: MinerCommand) -> None:
        """What the watchdog does, and what it cannot do; its return, once tries had been made."""
        care, known = command.care, () if before is None else before.tries
        if care is not None and (before is None or before.code != care.code) and care.code in _CARE_NOTABLE:
            sentence = f"{care.sentence}; {care.changes_when}" if care.changes_when else care.sentence
            log.warning("[%s] %s: %s", miner, care.code, sentence)
            self._event(miner, command, care.code, _CARE_NOTABLE[care.code], sentence)
        returned_at = None if care is None else care.returned_at
        if care is None or care.code != Finding.AT_WORK.value:
            return  # a person has said to begin anew: that is no return
        if known and returned_at is not None and before is not None and before.returned_at != returned_at:
            log.info("[%s] at work again", miner)
            self._event(miner, command, "returned", Severity.INFO, "at work again")

    def refused_future(self, message: SiteTelemetry, received_at: datetime) -> None:
        """A sender whose clock is ahead: counted always, said once."""
        self._service.counts.add("refused_from_the_future")
        if not self._future_said:
            self._future_said = True
            ahead = (message.at - received_at).total_seconds()
            tolerated = AHEAD_TOLERATED.total_seconds()
            log.warning(
                "refused site telemetry of %s: its clock is %.0f s ahead, %.0f s tolerated; said once",
                message.source,
                ahead,
                tolerated,
            )

    def _event(
        self, miner: str, command: MinerCommand, code: str, severity: Severity, sentence: str | None = None
    ) -> None:
        event = Event(at=command.at, code=code, severity=severity, sentence=sentence or command.sentence)
        self._service.publish(MINER_EVENT, miner, event)


def has_news(before: MinerTelemetry | None, after: MinerTelemetry | None) -> bool:
    """Whether a reading may change a decision; of measured figures only one that is missing, or too hot."""
    return _facts(before) != _facts(after)


def _facts(telemetry: MinerTelemetry | None) -> tuple[object, ...] | None:
    if telemetry is None:
        return None
    return (
        telemetry.reachable,
        telemetry.state,
        telemetry.point,
        telemetry.desired,
        telemetry.outside_pause_since,
        telemetry.ladder,
        telemetry.protected_since,
        telemetry.chip_temperature_celsius is None,
    )


def _gist(command: MinerCommand) -> tuple[object, ...]:
    return command.point, command.code, command.action


_MANNER = {Action.APPLY: "", Action.OBSERVE: " (only watching)", Action.MAINTENANCE: " (maintenance)"}
