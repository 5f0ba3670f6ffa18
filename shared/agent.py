"""An agent: one thread per device, which reads, publishes, compares, applies and reads back."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar

from shared.bus import Received
from shared.device import Device
from shared.loops import Turns
from shared.messages import Command, Event, Reported, Request
from shared.orders import SiteOrders
from shared.pace import Pace
from shared.role import Role
from shared.station import Station, Undo
from shared.tender import Manner, Tender
from shared.together import Together
from shared.topics import MINER_EVENT, MINER_REQUEST, Topic

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Reported)
C = TypeVar("C", bound=Command)


class Agent(Generic[R, C]):
    """Tends devices on behalf of the engine, and by itself when the engine is gone."""

    def __init__(
        self,
        service: Station,
        devices: Mapping[str, Device[R, C]],
        roles: Mapping[str, Role[R, C]],
        *,
        event: Topic[Event],
        manner: Manner,
        orders: SiteOrders,
        units: Mapping[str, str] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`units`: which physical unit a device is a part of; the parts of one unit share a thread.

        `pace`: shared with the other agents of the process.
        """
        self._service = service
        self._units = units or {}
        self._manner = manner
        self._refusals_said: set[tuple[str, str]] = set()
        pace = pace or Pace()
        self.tenders = {
            name: Tender(name, service, device, roles[name], event, manner, orders.stopped, pace)
            for name, device in devices.items()
        }
        self._turns: dict[str, Turns] = {}
        service.on_ready(self._memory_arrived)
        self._memories: list[Undo] = []
        for name, role in roles.items():
            service.on(role.command, self._commanded, name)
            self._memories.append(service.on(role.telemetry, self._remembered, name))
            if event is MINER_EVENT:  # an outlet is asked for nothing by itself
                service.on(MINER_REQUEST, self._requested, name)
        self._unfollow = orders.follow(self._stop_changed, self._engine_epoch)
        service.on_stop(self._leave)

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

    def start_with_memory(self) -> None:
        """Starts when the broker's memory has arrived; without a broker after a while, for the failsafe.

        A device that is read before its memory is there would have its curtailed point taken for the owner's.
        """
        self._service.on_begin(self.start)

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

    def _requested(self, received: Received[Request]) -> None:
        message, introducer = received.message, self.tenders[received.identifier].introducer
        if message is not None and not received.retained and introducer.hear(message):
            self.wake(received.identifier)

    def _remembered(self, received: Received[R]) -> None:
        if received.retained and received.message is not None:
            self.tenders[received.identifier].previous = received.message

    def _memory_arrived(self) -> None:
        # What a later connection brings back is our own, and older than what we know.
        memories, self._memories = self._memories, []
        for forget in memories:
            forget()

    def _leave(self) -> None:
        self._unfollow()

    def _stop_changed(self) -> None:
        for name in self.tenders:
            self.wake(name)

    def _engine_epoch(self, epoch: int, received_at: datetime) -> None:
        for tender in self.tenders.values():
            tender.lease.raise_fence(epoch, received_at, self._manner.lease)

    def wake(self, name: str) -> None:
        """Looks at a device at once; to be called in the service's thread."""
        self.tenders[name].hurry()
        if name in self._turns:
            self._turns[name].wake()
