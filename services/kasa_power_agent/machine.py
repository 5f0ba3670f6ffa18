"""A machine without an API as a miner: what its outlet shows is all that is known of it."""

from services.kasa_power_agent.role import CYCLE_OFF, CYCLE_WAIT, PlugRole
from shared.bus import Received
from shared.identify import Introducer
from shared.messages import (
    PAUSE,
    Ladder,
    MinerCommand,
    MinerState,
    MinerTelemetry,
    OperatingPoint,
    PlugTelemetry,
    Request,
)
from shared.station import Station
from shared.topics import MINER_COMMAND, MINER_EVENT, MINER_REQUEST, MINER_TELEMETRY, PLUG_TELEMETRY

ON = "on"
_STATES = {True: MinerState.HASHING, False: MinerState.PAUSED, None: MinerState.UNKNOWN}
_DESIRED = {"on": ON, "off": PAUSE.name, CYCLE_OFF: ON, CYCLE_WAIT: ON}
"""A power cycle is a way to keep it running: it is no pause."""


class Machines:
    """Publishes the telemetry of miners with `driver: plug` beside that of their outlets. In the service's thread."""

    def __init__(self, service: Station, roles: dict[str, PlugRole], nominal_w: dict[str, float]) -> None:
        self._service = service
        self._roles = roles
        self._ladders = {name: ladder_of(watts) for name, watts in nominal_w.items()}
        # Such a machine can show itself to nobody, which is said when somebody asks.
        self._introducers = {name: Introducer(name, service, None, MINER_EVENT) for name in roles}
        self._memory_open = True
        if not roles:
            return
        service.on_ready(self._memory_arrived)
        for name in roles:
            service.on_published(PLUG_TELEMETRY, self._read, name)
            service.on(MINER_TELEMETRY, self._remembered, name)
            service.on(MINER_COMMAND, self._commanded, name)
            service.on(MINER_REQUEST, self._requested, name)

    def _read(self, name: str, telemetry: PlugTelemetry) -> None:
        stopped_at = self._roles[name].part.stops.told
        miner = as_miner(telemetry, self._ladders[name]).model_copy(update={"stopped_at": stopped_at})
        self._service.publish(MINER_TELEMETRY, name, miner)

    def _remembered(self, received: Received[MinerTelemetry]) -> None:
        if self._memory_open and received.retained and received.message is not None:
            self._roles[received.identifier].part.stops.recall(received.message.stopped_at)

    def _memory_arrived(self) -> None:
        # What a later connection brings back is our own, and older than what we know.
        self._memory_open = False

    def _requested(self, received: Received[Request]) -> None:
        if received.message is not None and not received.retained:
            self._introducers[received.identifier].hear(received.message)

    def _commanded(self, received: Received[MinerCommand]) -> None:
        if received.message is not None:
            self._roles[received.identifier].part.stops.hear(received.message)


def ladder_of(nominal_w: float) -> Ladder:
    """All that an outlet can do."""
    return Ladder(points=(PAUSE, OperatingPoint(name=ON, power_w=nominal_w)), normal=ON)


def as_miner(telemetry: PlugTelemetry, ladder: Ladder) -> MinerTelemetry:
    """What an outlet's telemetry says of the machine on it. Whether it really hashes, only its pool can tell."""
    fault = telemetry.problem == "command_without_effect"
    return MinerTelemetry(
        at=telemetry.at,
        reachable=telemetry.reachable,
        problem=telemetry.problem,
        detail=telemetry.detail,
        following=telemetry.following,
        desired=None if telemetry.desired is None else _DESIRED.get(telemetry.desired, telemetry.desired),
        settled=telemetry.settled,
        epoch=telemetry.epoch,
        by=telemetry.by,
        driver="plug",
        state=MinerState.FAULT if fault else _STATES[telemetry.on],
        power_w=telemetry.power_w,
        point=None if telemetry.on is None else ON if telemetry.on else PAUSE.name,
        ladder=ladder,
        outside_pause_since=telemetry.outside_off_since,
    )
