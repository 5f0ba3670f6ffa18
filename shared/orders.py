"""What holds for all devices of a site: the emergency stop, and the epoch of the engine in charge."""

import logging
from collections.abc import Callable
from datetime import datetime

from shared.bus import Received
from shared.latch import UNDATED, LatchFile
from shared.messages import EmergencyStop, EngineEpoch
from shared.service import Service
from shared.station import Undo
from shared.topics import EMERGENCY_STOP, ENGINE_EPOCH

log = logging.getLogger(__name__)

FILE_LOOK_SECONDS = 1.0


class SiteOrders:
    """Heard once for each service, however many devices it tends. In the service's thread, but for `stopped`.

    The stop is set while either says so: the topic, or the latch file of this machine (docs/decisions/0035).
    """

    def __init__(self, service: Service, site: str, latch: LatchFile | None = None) -> None:
        """`latch`: the file; by default the one that the environment names, if any."""
        self._service = service
        self._stop: EmergencyStop | None = None
        self._resume: EmergencyStop | None = None
        self._latch_file = latch or LatchFile.of_process()
        self._filed: EmergencyStop | None = None
        """What stands in the file, unless a resume has lifted that very stop."""
        self._file_lifted: EmergencyStop | None = None
        self._epoch: tuple[int, datetime] | None = None
        self._on_stop: dict[object, Callable[[], None]] = {}
        self._on_epoch: dict[object, Callable[[int, datetime], None]] = {}
        service.on(EMERGENCY_STOP, self._emergency_stop, site)
        service.on(ENGINE_EPOCH, self._engine_epoch, site)
        if self._latch_file is not None:
            self._look_at_file()
            service.every(FILE_LOOK_SECONDS, self._look_at_file)

    def stopped(self) -> bool:
        """Whether the emergency stop is set. Callable from any thread."""
        return self._is_latched() or self._has_fresh_file()

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
        if message is None:
            return
        if not message.active:
            self._lift_file(message, retained=received.retained)
        if not self._is_overtaken(message, retained=received.retained):
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
        was_stopped = self._is_latched()
        self._stop, self._resume = (message, self._resume) if message.active else (None, message)
        self._tell(message.by, was_stopped=was_stopped)

    def _tell(self, by: str, *, was_stopped: bool) -> None:
        if self._is_latched() == was_stopped:
            return
        log.warning("emergency stop %s by %s", "lifted" if was_stopped else "set", by)
        for told in list(self._on_stop.values()):
            told()

    def _is_latched(self) -> bool:
        """As far as everybody has been told."""
        return self._stop is not None or self._filed is not None

    # --- the file

    def _has_fresh_file(self) -> bool:
        """Whether a file has come since the last look.

        Whoever writes it stops the devices next: what a reading shows then must not be taken for a pause by somebody.
        """
        return self._latch_file is not None and self._file_lifted is None and self._latch_file.is_there()

    def _look_at_file(self) -> None:
        """What stands there now. Nothing that the broker remembers speaks for a file that says otherwise."""
        stop = None if self._latch_file is None else self._latch_file.read()
        before, was_stopped = self._filed, self._is_latched()
        if stop != self._file_lifted:
            self._file_lifted = None
        self._filed = stop if self._file_lifted is None else None
        by = (self._filed or before or EmergencyStop(at=self._service.clock.now(), active=False)).by
        self._tell(by, was_stopped=was_stopped)

    def _lift_file(self, resume: EmergencyStop, *, retained: bool) -> None:
        """A resume that names this stop lifts it, whenever it comes; one that names none only while it is being said.

        What a broker remembers of an earlier resume may be dated later by another machine's clock.
        """
        self._look_at_file()
        stop, was_stopped = self._filed, self._is_latched()
        if stop is None or self._latch_file is None:
            return
        is_meant = resume.ends(stop) and (resume.lifts is not None or not retained)
        if stop.at == UNDATED or not is_meant:
            log.warning("a resume by %s does not lift the stop in %s", resume.by, self._latch_file.path)
            return
        self._filed, self._file_lifted = None, stop
        self._remove_file(stop)
        self._tell(resume.by, was_stopped=was_stopped)

    def _remove_file(self, stop: EmergencyStop) -> None:
        """So that no restart finds again what has been lifted. Not needed where it may not be removed."""
        if self._latch_file is None or self._latch_file.read() != stop:
            return
        try:
            self._latch_file.remove()
        except OSError as error:
            log.warning("%s stays: %s. Fix: sunherd resume", self._latch_file.path, error.strerror)

    def _engine_epoch(self, received: Received[EngineEpoch]) -> None:
        if received.message is not None:
            self._epoch = (received.message.epoch, received.received_at)
            for told in list(self._on_epoch.values()):
                told(*self._epoch)
