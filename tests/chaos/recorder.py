"""An ear on the broker that writes down everything, with its own monotonic times."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from shared.bus import BrokerAddress, Bus, MqttLink, Received
from shared.clock import SystemClock
from shared.messages import EngineEpoch, Message, MinerCommand, MinerTelemetry, Presence
from shared.topics import ENGINE_EPOCH, MINER_COMMAND, MINER_TELEMETRY, SERVICE_PRESENCE
from tests.chaos.history import Beat, History, Ordered, Proclaimed, Told

M = TypeVar("M", bound=Message)

_NEVER = ("handler_failed", "loop_failed", "invariant_broken")


class Recorder:
    """Writes into a history, in the link's thread alone. The last word of each is kept for looks."""

    def __init__(self, address: BrokerAddress, history: History, origin: float) -> None:
        self._history = history
        self._origin = origin
        self._lock = threading.Lock()
        self._clock = SystemClock()
        self.bus = Bus(MqttLink(address, "chaos-recorder"), self._clock, instance="chaos-recorder")
        self.told: dict[str, Told] = {}
        self.online: dict[str, bool] = {}
        self.active: tuple[int, str] = (-1, "")
        self.bus.subscribe(MINER_TELEMETRY, self._whole(self._telemetry))
        self.bus.subscribe(MINER_COMMAND, self._whole(self._command))
        self.bus.subscribe(ENGINE_EPOCH, self._whole(self._epoch))
        self.bus.subscribe(SERVICE_PRESENCE, self._whole(self._presence))
        self.bus.start()

    def begin(self, origin: float) -> None:
        """The chaos begins at this monotonic time: everything is told from there."""
        with self._lock:
            self._history.count_from(origin - self._origin)
            self._origin = origin

    def _now(self) -> float:
        return time.monotonic() - self._origin

    def _telemetry(self, received: Received[MinerTelemetry]) -> None:
        message = received.message
        if message is None:
            return
        told = Told(
            at=self._now(),
            device=received.identifier,
            by=message.by or "",
            epoch=message.epoch,
            following=str(message.following),
            state=str(message.state),
            desired=message.desired,
            settled=message.settled,
            reachable=message.reachable,
            age=(self._clock.now() - message.at).total_seconds(),
            retained=received.retained,
            outside_pause=message.outside_pause_since is not None,
        )
        self._history.told.append(told)
        self.told[told.device] = told

    def _command(self, received: Received[MinerCommand]) -> None:
        message = received.message
        if message is not None:
            pauses, retained = message.point.is_pause, received.retained
            ordered = Ordered(self._now(), received.identifier, message.engine, message.epoch, pauses, retained)
            self._history.ordered.append(ordered)

    def _epoch(self, received: Received[EngineEpoch]) -> None:
        message = received.message
        if message is not None:
            proclaimed = Proclaimed(self._now(), message.engine, message.epoch, received.retained)
            self._history.proclaimed.append(proclaimed)
            self.active = max(self.active, (message.epoch, message.engine))

    def _presence(self, received: Received[Presence]) -> None:
        message = received.message
        if message is None:
            return
        beat = Beat(
            at=self._now(),
            service=message.service,
            instance=message.instance,
            online=message.status == "online",
            tends=message.tends,
            holds=tuple(message.holds),
            leaving=message.leaving,
            dropped=_counted(message.counts, lambda name: name.endswith("_dropped")),
            broken=_counted(message.counts, lambda name: name in _NEVER),
            retained=received.retained,
        )
        self._history.beats.append(beat)
        self.online[beat.instance] = beat.online

    def _whole(self, handler: Callable[[Received[M]], None]) -> Callable[[Received[M]], None]:
        """A record takes its time and its place in the list before or after the origin moves, never half of each."""

        def locked(received: Received[M]) -> None:
            with self._lock:
                handler(received)

        return locked

    def stop(self) -> None:
        self.bus.stop()


def _counted(counts: dict[str, int], wanted: Callable[[Any], bool]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count and wanted(name)}
