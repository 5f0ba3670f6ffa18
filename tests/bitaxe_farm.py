"""Bitaxes in one thread: stand-ins without sockets, and the agent that tends them on a virtual clock."""

import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from itertools import pairwise
from types import MappingProxyType

from services.bitaxe_agent.client import AxeClient
from services.bitaxe_agent.driver import BitaxeDriver, Manners
from services.bitaxe_agent.ladder import Wishes
from services.bitaxe_agent.wiring import POLL_SECONDS_MIN, READINGS_APART_SECONDS
from services.simulator.axeos import AxeOsStandIn
from services.simulator.http import Request, Response, json_response
from shared.bus import MemoryBroker
from shared.clock import Clock, VirtualClock
from shared.device import Device
from shared.messages import MinerCommand, MinerTelemetry, OperatingPoint
from shared.miner_role import Failsafe, MinerRole
from shared.settings import Address
from shared.tender import Manner
from tests.farm import AgentRig, session_to

BITAXE_MANNER = Manner(POLL_SECONDS_MIN, apart_seconds=READINGS_APART_SECONDS)


class Saying(AxeOsStandIn):
    """A stand-in whose `/info` says what a test puts into its mouth."""

    says: Mapping[str, object] = MappingProxyType({})

    def handle(self, request: Request) -> Response:
        answer = super().handle(request)
        if not self.says or not request.path.endswith("/info") or answer.status != HTTPStatus.OK:
            return answer
        return json_response(json.loads(answer.body) | dict(self.says))


def bitaxe_driver(stand_in: AxeOsStandIn, clock: Clock, manners: Manners | None = None) -> BitaxeDriver:
    """A driver that talks to the stand-in without a socket."""
    session = session_to({"bitaxe.test:80": stand_in.handle}, clock)
    return BitaxeDriver(AxeClient(Address("bitaxe.test"), clock, session), clock, manners)


def set_to(voltage_mv: int, frequency_mhz: float, power_w: float = 15.0) -> OperatingPoint:
    """An exact point, as a schedule asks for it."""
    return OperatingPoint(
        name=f"{frequency_mhz:g} MHz {voltage_mv} mV",
        power_w=power_w,
        voltage_mv=voltage_mv,
        frequency_mhz=frequency_mhz,
    )


def wishing(**wishes: object) -> Manners:
    """Manners with these wishes."""
    return replace(Manners(), wishes=Wishes(**wishes))  # type: ignore[arg-type]  # as the fields are named


class BitaxeRig(AgentRig):
    """The agent of some Bitaxes, with the cadence of production."""

    def __init__(
        self,
        stand_ins: Mapping[str, AxeOsStandIn],
        clock: VirtualClock,
        *,
        broker: MemoryBroker | None = None,
        manners: Manners | None = None,
        failsafe: Failsafe = "safe_point",
        manner: Manner = BITAXE_MANNER,
    ) -> None:
        self._manners, self._failsafe = manners, failsafe
        super().__init__(stand_ins, clock, broker=broker, manner=manner)

    def driver_of(self, name: str) -> Device[MinerTelemetry, MinerCommand]:
        stand_in = self.stand_ins[name]
        assert isinstance(stand_in, AxeOsStandIn)
        return bitaxe_driver(stand_in, self.clock, self._manners)

    def role_of(self, name: str) -> MinerRole:
        assert name in self.stand_ins
        return MinerRole("bitaxe", self._failsafe, failed_stands_still=False)


def runs_at(stand_in: AxeOsStandIn) -> tuple[float, float]:
    """Voltage in mV and frequency in MHz of its chips."""
    return stand_in.point


def patches(stand_in: AxeOsStandIn) -> list[dict[str, object]]:
    """The settings that were sent, in order."""
    return [heard.body for heard in stand_in.controls() if heard.method == "PATCH"]


def orders(stand_in: AxeOsStandIn) -> list[str]:
    """The last parts of the paths of all other requests that were to change something."""
    return [heard.path.rsplit("/", 1)[-1] for heard in stand_in.controls() if heard.method == "POST"]


def closest_requests_seconds(stand_in: AxeOsStandIn) -> float:
    """How close together two readings came."""
    at = [heard.at_seconds for heard in stand_in.heard if heard.path.endswith("/info")]
    return min((later - earlier for earlier, later in pairwise(at)), default=float("inf"))
