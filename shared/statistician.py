"""Keeps the statistics of an agent's own miners: whoever reads a miner counts it, so that nobody counts twice."""

from collections.abc import Mapping
from datetime import timedelta

from shared.bus import Received
from shared.messages import MinerStatistics, MinerTelemetry
from shared.schedule import Timetable
from shared.station import Station
from shared.statistics import LONGEST_GAP, Tally
from shared.topics import MINER_STATISTICS, MINER_TELEMETRY

PUBLISHED_EVERY = timedelta(minutes=1)


class Statistician:
    """Counts what its own service publishes, and publishes each minute, at each edge of a window, and at the end.

    The retained topic is the memory: a service that is killed loses a minute.
    """

    def __init__(
        self, service: Station, timetables: Mapping[str, Timetable], longest_gap: timedelta = LONGEST_GAP
    ) -> None:
        self._service = service
        self._tallies = {name: Tally(timetable, longest_gap=longest_gap) for name, timetable in timetables.items()}
        self._told: dict[str, MinerStatistics] = {}
        self._memory_open = True
        if not timetables:
            return
        for name in timetables:
            service.on(MINER_STATISTICS, self._remembered, name)
            service.on_published(MINER_TELEMETRY, self._read, name)
        service.on_ready(self._memory_arrived)
        service.on_stop(self._tell_all)

    def _remembered(self, received: Received[MinerStatistics]) -> None:
        if self._memory_open and received.retained and received.message is not None:
            self._tallies[received.identifier] = self._tallies[received.identifier].recalled(received.message)

    def _memory_arrived(self) -> None:
        # What a later connection brings back is our own, and older than what we know.
        self._memory_open = False

    def _read(self, name: str, telemetry: MinerTelemetry) -> None:
        # Nothing is counted before the memory is there: it would be written over.
        if self._memory_open:
            return
        self._tallies[name] = self._tallies[name].heard(telemetry)
        told, message = self._told.get(name), self._tallies[name].message(telemetry.at)
        if told is None or told.now != message.now or message.at - told.at >= PUBLISHED_EVERY:
            self._tell(name, message)

    def _tell_all(self) -> None:
        for name, tally in self._tallies.items():
            if tally.last is not None:
                self._tell(name, tally.message(tally.last.at))

    def _tell(self, name: str, message: MinerStatistics) -> None:
        self._told[name] = message
        self._service.publish(MINER_STATISTICS, name, message)
