"""The bridge: folds what the source says and publishes it, at once on a change and often enough to show its age."""

import logging
from datetime import datetime, timedelta
from functools import partial

from services.soc_bridge.site_state import SiteState, Word, fold, recall, tell
from services.soc_bridge.values import Unknown
from shared.bus import Received
from shared.messages import Event, Severity, SiteTelemetry, UnknownReason
from shared.settings import BatterySettings
from shared.station import Station
from shared.topics import SERVICE_EVENT, SITE_TELEMETRY

log = logging.getLogger(__name__)

TICK_SECONDS = 0.2
HEARTBEAT_SECONDS = 10.0
# On a fast clock ten real seconds are hours: there the age of what was told is kept below this part of its limit.
_PART_OF_LIMIT = 10

_PATIENCE_SECONDS = 2.0  # a source that answers is heard within milliseconds: "starting" is not worth a line before

_AT_ONCE = ("state_of_charge_percent", "unknown", "grid_available")
_SOON = ("detail", "battery_w", "pv_w", "load_w", "grid_w")


class SiteBridge:
    """Lives in the service's thread; only `hear` may be called from any."""

    def __init__(
        self, service: Station, site: str, battery: BatterySettings, source: str, stale_after: timedelta | None = None
    ) -> None:
        """`stale_after`: how old a state of charge may look to the engine before nothing starts any more."""
        self._service = service
        self._site = site
        self._unconfirmed_after = battery.unconfirmed_after
        self._shortest_limit = min(battery.unconfirmed_after, stale_after or battery.unconfirmed_after)
        self._max_unchanged = battery.max_unchanged
        self._state = SiteState(source)
        self._told: SiteTelemetry | None = None
        self._told_at_seconds = 0.0
        self._memory_arrived = False
        self._patient_until_seconds = service.clock.seconds() + _PATIENCE_SECONDS
        self._said = Said()
        service.on(SITE_TELEMETRY, self._remembered, site)
        service.on_ready(self._ready)
        service.every(TICK_SECONDS, self._tick)

    def hear(self, *words: Word) -> None:
        """Takes in what the source says at this moment; the words of one message belong in one call."""
        # Dated here, not when their turn comes: otherwise a word that waited would look newer than an answer to a
        # question that was put after it had been said, and the answer would be dropped.
        self._service.soon(partial(self._fold, words, self._service.clock.now()))

    # --- in the service's thread

    def _fold(self, words: tuple[Word, ...], heard_at: datetime) -> None:
        for word in words:
            self._state = fold(self._state, word, heard_at)
        telemetry = self._tell()
        self._say(telemetry)
        if self._told is None or _differs(telemetry, self._told, _AT_ONCE):
            self._publish(telemetry)

    def _remembered(self, received: Received[SiteTelemetry]) -> None:
        if received.retained and received.message is not None and not self._memory_arrived:
            self._state = recall(self._state, received.message, self._service.clock.now())

    def _ready(self) -> None:
        # After an outage the broker may remember less than we know.
        self._memory_arrived = True
        self._publish(self._tell())

    def _tick(self) -> None:
        telemetry = self._tell()
        self._say(telemetry)
        if self._told is None or _differs(telemetry, self._told, _AT_ONCE + _SOON) or self._is_due(telemetry):
            self._publish(telemetry)

    def _is_due(self, telemetry: SiteTelemetry) -> bool:
        if self._service.clock.seconds() - self._told_at_seconds >= HEARTBEAT_SECONDS:
            return True
        new, old = telemetry.confirmed_at, self._told.confirmed_at if self._told else None
        return new is not None and (old is None or new - old > self._shortest_limit / _PART_OF_LIMIT)

    def _tell(self) -> SiteTelemetry:
        return tell(self._state, self._service.clock.now(), self._unconfirmed_after)

    def _publish(self, telemetry: SiteTelemetry) -> None:
        if telemetry.unknown is not None and not self._memory_arrived:
            # What the broker remembers of us is worth more than that we are just starting.
            return
        if telemetry.unknown is UnknownReason.STARTING and self._service.clock.seconds() < self._patient_until_seconds:
            return
        self._told, self._told_at_seconds = telemetry, self._service.clock.seconds()
        self._service.publish(SITE_TELEMETRY, self._site, telemetry)

    def _say(self, telemetry: SiteTelemetry) -> None:
        for event in self._said.about(telemetry, self._state.trouble, self._max_unchanged):
            level = logging.INFO if event.severity is Severity.INFO else logging.WARNING
            log.log(level, "%s", event.sentence)
            self._service.publish(SERVICE_EVENT, self._service.bus.instance, event)


class Said:
    """What has been said already: everything is said once, when it begins and when it is over."""

    def __init__(self) -> None:
        self._unknown: UnknownReason | None = UnknownReason.STARTING
        self._trouble: UnknownReason | None = None
        self._unchanged = False

    def about(self, telemetry: SiteTelemetry, trouble: Unknown | None, max_unchanged: timedelta) -> list[Event]:
        """What is new to say."""
        return [
            *self._about_source(telemetry, trouble),
            *self._about_knowledge(telemetry),
            *self._about_standstill(telemetry, max_unchanged),
        ]

    def _about_source(self, telemetry: SiteTelemetry, trouble: Unknown | None) -> list[Event]:
        reason = trouble.reason if trouble else None
        if reason is self._trouble:
            return []
        self._trouble = reason
        if trouble is not None:
            return [_event(telemetry, "source_silent", Severity.WARNING, f"{trouble.detail} Said once; trying on.")]
        return [_event(telemetry, "source_answers", Severity.INFO, f"{telemetry.source} answers again.")]

    def _about_knowledge(self, telemetry: SiteTelemetry) -> list[Event]:
        if telemetry.unknown is self._unknown:
            return []
        self._unknown = telemetry.unknown
        if telemetry.unknown is None:
            sentence = f"The state of charge is {telemetry.state_of_charge_percent:g} %."
            return [_event(telemetry, "soc_known", Severity.INFO, sentence)]
        # What the source's silence is about has just been said.
        detail = "" if telemetry.unknown is self._trouble else f": {telemetry.detail}"
        sentence = f"The state of charge is unknown ({telemetry.unknown}){detail}"
        return [_event(telemetry, "soc_unknown", Severity.WARNING, sentence)]

    def _about_standstill(self, telemetry: SiteTelemetry, max_unchanged: timedelta) -> list[Event]:
        still = telemetry.changed_at is not None and telemetry.at - telemetry.changed_at > max_unchanged
        if telemetry.unknown is not None or still == self._unchanged:
            return []
        self._unchanged = still
        if not still:
            return []
        hours = max_unchanged.total_seconds() / 3600
        sentence = (
            f"The state of charge has stood at {telemetry.state_of_charge_percent:g} % for more than {hours:g} h. "
            "It is confirmed and used; look whether the sensor is frozen."
        )
        return [_event(telemetry, "soc_unchanged", Severity.WARNING, sentence)]


def _event(telemetry: SiteTelemetry, code: str, severity: Severity, sentence: str) -> Event:
    return Event(at=telemetry.at, code=code, severity=severity, sentence=sentence)


def _differs(new: SiteTelemetry, old: SiteTelemetry, fields: tuple[str, ...]) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in fields)
