"""An agent: one thread per device, which reads, publishes, compares, applies and reads back."""

import logging
from collections.abc import Mapping
from typing import Generic, TypeVar

from shared.bus import Received
from shared.device import Device
from shared.loops import Turns
from shared.messages import (
    Command,
    EmergencyStop,
    EngineEpoch,
    Event,
    Reported,
)
from shared.pace import Pace
from shared.role import Role
from shared.service import Service
from shared.tender import Manner, Tender
from shared.together import Together
from shared.topics import EMERGENCY_STOP, ENGINE_EPOCH, Topic

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Reported)
C = TypeVar("C", bound=Command)


class Agent(Generic[R, C]):
    """Tends devices on behalf of the engine, and by itself when the engine is gone."""

    def __init__(
        self,
        service: Service,
        devices: Mapping[str, Device[R, C]],
        roles: Mapping[str, Role[R, C]],
        *,
        event: Topic[Event],
        manner: Manner,
        site: str,
        units: Mapping[str, str] | None = None,
    ) -> None:
        """`units`: which physical unit a device is a part of; the parts of one unit share a thread."""
        self._service = service
        self._units = units or {}
        self._manner = manner
        self._stop: EmergencyStop | None = None
        self._resume: EmergencyStop | None = None
        self._refusals_said: set[tuple[str, str]] = set()
        pace = Pace()
        self.tenders = {
            name: Tender(name, service, device, roles[name], event, manner, lambda: self._stop is not None, pace)
            for name, device in devices.items()
        }
        self._turns: dict[str, Turns] = {}
        self._memory_open = True
        service.on_ready(self._memory_arrived)
        for name, role in roles.items():
            service.on(role.command, self._commanded, name)
            service.on(role.telemetry, self._remembered, name)
        service.on(EMERGENCY_STOP, self._emergency_stop, site)
        service.on(ENGINE_EPOCH, self._engine_epoch, site)

    def start(self) -> None:
        """Gives each physical unit its thread, once."""
        if self._turns:
            return
        units: dict[str, dict[str, Tender[R, C]]] = {}
        for name, tender in self.tenders.items():
            units.setdefault(self._units.get(name, name), {})[name] = tender
        for unit, parts in units.items():
            together = Together(parts, self._service.clock)
            turns = self._service.spawn(unit, together if len(parts) > 1 else parts[next(iter(parts))])
            for name in parts:
                self._turns[name] = together.turns_of(name, turns) if len(parts) > 1 else turns

    def start_with_memory(self, patience_seconds: float = 10.0) -> None:
        """Starts when the broker's memory has arrived; without a broker after these real seconds, for the failsafe.

        A device that is read before its memory is there would have its curtailed point taken for the owner's.
        """
        self._service.on_ready(self.start)
        deadline = self._service.clock.seconds() + patience_seconds
        self._service.every(1.0, lambda: self.start() if self._service.clock.seconds() >= deadline else None)

    # --- in the service's thread

    def _commanded(self, received: Received[C]) -> None:
        if received.message is None:
            return
        tender = self.tenders[received.identifier]
        refusal = tender.lease.offer(received.message, received.received_at, retained=received.retained)
        if refusal is None:
            self._refusals_said = {said for said in self._refusals_said if said[0] != received.identifier}
            if tender.is_news(received.message):
                self.wake(received.identifier)
            return
        self._service.counts.add(f"command_{refusal}")
        if (received.identifier, refusal) not in self._refusals_said:
            self._refusals_said.add((received.identifier, refusal))
            log.warning(
                "[%s] refused a command of %s, epoch %d: %s (said once)",
                received.identifier,
                received.message.engine,
                received.message.epoch,
                refusal,
            )

    def _remembered(self, received: Received[R]) -> None:
        if self._memory_open and received.retained and received.message is not None:
            self.tenders[received.identifier].previous = received.message

    def _memory_arrived(self) -> None:
        # What a later connection brings back is our own, and older than what we know.
        self._memory_open = False

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
        for name in self.tenders:
            self.wake(name)

    def _engine_epoch(self, received: Received[EngineEpoch]) -> None:
        if received.message is not None:
            for tender in self.tenders.values():
                tender.lease.raise_fence(received.message.epoch, received.received_at, self._manner.lease)

    def wake(self, name: str) -> None:
        """Looks at a device at once; to be called in the service's thread."""
        self.tenders[name].hurry()
        if name in self._turns:
            self._turns[name].wake()
