"""No sequence of commands and faults puts a Bitaxe above its limits, or takes away voltage before frequency."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services.bitaxe_agent.boards import OwnLimits
from services.bitaxe_agent.driver import BitaxeDriver, Manners
from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import GENERATIONS, Pace
from services.simulator.axeos_ills import Ill
from services.simulator.http import Request, Response
from shared.clock import VirtualClock
from shared.device import DeviceError
from shared.messages import PAUSE, OperatingPoint
from tests.bitaxe_farm import bitaxe_driver, set_to
from tests.farm import miner_command

SLACK_MHZ = 1.0
ENDURING = Pace(burst_requests=1e9)
"""How many requests its web server bears is another test's concern."""
PASSING = [ill for ill in Ill if ill not in {Ill.SLOW, Ill.STUBBORN, Ill.DEAD, Ill.HOT}]
ills = st.sampled_from(PASSING)
rounds = st.integers(1, 12)
wild_points = st.builds(set_to, st.integers(500, 2500), st.floats(10, 2000, allow_nan=False))


class Watched(AxeOsStandIn):
    """Notes what is sent against what the chip runs at in that very moment."""

    def watch(self) -> None:
        self.aim_mhz = float("inf")
        self.sent: list[tuple[str, float]] = []
        self.too_early: list[str] = []

    def handle(self, request: Request) -> Response:
        body = request.json() if request.method == "PATCH" else None
        changes: dict[str, float] = body if isinstance(body, dict) else {}
        millivolts, megahertz = self.point
        self.sent += changes.items()
        if "coreVoltage" in changes and len(changes) > 1:
            self.too_early.append(f"{changes}: the firmware would take the voltage first")
        falls = 0 < changes.get("coreVoltage", millivolts) < millivolts
        if falls and megahertz > self.aim_mhz + SLACK_MHZ:
            self.too_early.append(f"{changes} at {megahertz} MHz, on the way to {self.aim_mhz} MHz")
        return super().handle(request)


@dataclass
class Story:
    """A device, its driver, and what happens to them."""

    generation: str
    manners: Manners = field(default_factory=Manners)
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self.stand_in = Watched(self.generation, clock=self.clock, pace=ENDURING)
        self.stand_in.watch()
        self.clock.advance(60)
        self.driver: BitaxeDriver = bitaxe_driver(self.stand_in, self.clock, self.manners)
        reading = self.driver.read()
        assert reading.ladder is not None
        self.points = reading.ladder.points

    def command(self, point: OperatingPoint, times: int) -> None:
        """The rounds of an agent that follows one command."""
        lowest = min(each.frequency_mhz for each in self.points if each.frequency_mhz is not None)
        self.stand_in.aim_mhz = lowest if point.is_pause else point.frequency_mhz or 0.0
        for _ in range(times):
            wait_seconds = 10.0
            try:
                reading = self.driver.read()
                command = miner_command(point, self.clock)
                if not self.driver.settled(reading, command):
                    wait_seconds = self.driver.apply(command, reading).look_again_seconds
            except DeviceError as error:
                wait_seconds = error.retry_seconds or 1.0
            self.clock.advance(wait_seconds)

    def most(self, key: str) -> float:
        """The most that was ever sent."""
        return max((value for name, value in self.stand_in.sent if name == key), default=0.0)


@given(
    generation=st.sampled_from(GENERATIONS),
    own=st.tuples(st.none() | st.integers(1000, 1400), st.none() | st.floats(420, 700)),
    story=st.lists(st.tuples(wild_points | st.just(PAUSE), rounds, ills, st.booleans()), min_size=1, max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_nothing_is_ever_set_above_the_limits_and_no_voltage_falls_too_early(
    generation: str,
    own: tuple[int | None, float | None],
    story: list[tuple[OperatingPoint, int, Ill, bool]],
) -> None:
    told = Story(generation, Manners(limits=OwnLimits(*own)))
    offered = told.stand_in.board.chip
    has_options = told.stand_in.firmware.number >= (2, 7)
    most_mv = min(own[0] or 1300, max(offered.options_mv) if has_options else 1300)
    most_mhz = min(own[1] or 600, max(offered.options_mhz) if has_options else 625)
    for point, times, ill, ill_first in story:
        if ill_first:
            told.stand_in.begin(ill)
        told.command(point, times)
        told.stand_in.begin(ill)
        told.command(point, 2)
        told.stand_in.mend()
    assert told.most("coreVoltage") <= most_mv
    assert told.most("frequency") <= most_mhz
    assert told.stand_in.too_early == []


@given(
    generation=st.sampled_from(GENERATIONS),
    story=st.lists(st.tuples(st.integers(0, 30), rounds, ills), min_size=1, max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_on_its_own_ladder_the_chip_never_has_too_little_voltage(
    generation: str, story: list[tuple[int, int, Ill]]
) -> None:
    told = Story(generation)
    for number, times, ill in story:
        told.command(told.points[number % len(told.points)], times)
        told.stand_in.begin(ill)
        told.command(told.points[number % len(told.points)], 2)
        told.stand_in.mend()
    assert told.stand_in.undervolted == 0
