"""What holds for all devices of a site: the emergency stop, and the epoch of the engine in charge."""

import logging
from collections.abc import Callable
from datetime import datetime

from shared.bus import Received
from shared.messages import EmergencyStop, EngineEpoch
from shared.service import Service
from shared.station import Undo
from shared.topics import EMERGENCY_STOP, ENGINE_EPOCH

log = logging.getLogger(__name__)


class SiteOrders:
    """Heard once for each service, however many devices it tends. In the service's thread, but for `stopped`."""

    def __init__(self, service: Service, site: str) -> None:
        self._service = service
        self._stop: EmergencyStop | None = None
        self._resume: EmergencyStop | None = None
        self._epoch: tuple[int, datetime] | None = None
        self._on_stop: dict[object, Callable[[], None]] = {}
        self._on_epoch: dict[object, Callable[[int, datetime], None]] = {}
        service.on(EMERGENCY_STOP, self._emergency_stop, site)
        service.on(ENGINE_EPOCH, self._engine_epoch, site)

    def stopped(self) -> bool:
        """Whether the emergency stop is set. Callable from any thread."""
        return self._stop is not None

    def follow(self, on_stop: Callable[[], None], on_epoch: Callable[[int, datetime], None]) -> Undo:
        """Calls these when the stop is set or lifted, and for each epoch, the present one first."""
        key = object()
        self._on_stop[key], self._on_epoch[key] = on_stop, on_epoch
        if self._epoch is not None:
            on_epoch(*self._epoch)

        def undo() -> None:
            del self._on_stop[key], self._on_epoch[key]

        return undo

    # --- inside

    def _emergency_stop(self, received: Received[EmergencyStop]) -> None:
        # A cleared topic is not a resume: only an explicit message ends the latch.
        message = received.message
        if message is not None and not self._is_overtaken(message, retained=received.retained):
            self._latch(message)

    def _is_overtaken(self, message: EmergencyStop, *, retained: bool) -> bool:
        """Whether it comes too late: a resume of an older stop, or, from a broker's old memory, a stop long lifted."""
        if message.active:
            return retained and self._resume is not None and self._resume.ends(message)
        if message.ends(self._stop):
            return False
        self._service.counts.add("late_resume_refused")
        log.warning("refused a resume by %s: it is older than the stop", message.by)
        return True

    def _latch(self, message: EmergencyStop) -> None:
        was_stopped = self._stop is not None
        self._stop, self._resume = (message, self._resume) if message.active else (None, message)
        if was_stopped == message.active:
            return
        log.warning("emergency stop %s by %s", "set" if message.active else "lifted", message.by)
        for told in list(self._on_stop.values()):
            told()

    def _engine_epoch(self, received: Received[EngineEpoch]) -> None:
        if received.message is not None:
            self._epoch = (received.message.epoch, received.received_at)
            for told in list(self._on_epoch.values()):
                told(*self._epoch)
