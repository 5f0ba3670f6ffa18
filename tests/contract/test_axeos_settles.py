"""The law of all drivers: within N rounds of read and apply, the reading is settled."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.bitaxe_agent.driver import BitaxeDriver
from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import GENERATIONS
from services.simulator.http import Wire
from shared.clock import VirtualClock
from shared.device import DeviceError
from shared.ladder import normal_point
from shared.messages import PAUSE, Ladder, MinerState, MinerTelemetry, OperatingPoint
from tests.bitaxe_farm import bitaxe_driver
from tests.farm import miner_command

ROUNDS = 80
BOARDS = ("gamma", "supra", "ultra", "hex", "gt")
POLL_SECONDS = 10.0
REST_SECONDS = 120.0
"""Its web server would not outlive ramp after ramp without a pause between."""


def settle(driver: BitaxeDriver, clock: VirtualClock, point: OperatingPoint, rounds: int = ROUNDS) -> MinerTelemetry:
    """Reads and applies until settled. A try that fails is only another round."""
    reading: MinerTelemetry | None = None
    for _ in range(rounds):
        try:
            reading = driver.read()
            command = miner_command(point, clock)
            if driver.settled(reading, command):
                clock.advance(REST_SECONDS)
                return reading
            clock.advance(driver.apply(command, reading).look_again_seconds)
        except DeviceError as error:
            clock.advance(error.retry_seconds or 1.0)
    pytest.fail(f"not settled at {point.name} after {rounds} rounds: {reading}")


def ladder_of(driver: BitaxeDriver) -> Ladder:
    ladder = driver.read().ladder
    assert ladder is not None
    return ladder


def begin(stand_in: AxeOsStandIn, state: str) -> None:
    """Puts it into a state from which the driver has to find its way."""
    if state == "paused" and stand_in.firmware.pauses:
        stand_in.pause(paused=True)
    elif state == "booting":
        stand_in.reboot()
    elif state == "changed":
        stand_in.write({"frequency": 625, "coreVoltage": 1300})


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("generation", [generation for generation in GENERATIONS if generation != "nerd"])
def test_every_point_of_the_ladder_is_reached(generation: str, board: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, board, clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    ladder = ladder_of(driver)
    assert (ladder.points[0] == PAUSE) == stand_in.firmware.pauses
    for point in (ladder.points[-1], ladder.points[0], *ladder.points[::2], *reversed(ladder.points[1::2])):
        reading = settle(driver, clock, point)
        assert reading.state is (MinerState.PAUSED if point.is_pause else MinerState.HASHING)
        assert stand_in.hashing is not point.is_pause
        assert reading.point == point.name
        if point.frequency_mhz is not None:
            millivolts, megahertz = stand_in.point
            assert millivolts == point.voltage_mv
            assert abs(megahertz - point.frequency_mhz) < 1
    assert stand_in.undervolted == 0


@pytest.mark.parametrize("state", ["paused", "booting", "changed"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_goal_is_reached_from_every_state(generation: str, state: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    ladder = ladder_of(driver)
    for point in (PAUSE, normal_point(ladder), ladder.points[-1]):
        begin(stand_in, state)
        clock.advance(POLL_SECONDS)
        reading = settle(driver, clock, point)
        if point.is_pause and not stand_in.firmware.pauses:
            floor = ladder.points[0]
            assert stand_in.point == (float(floor.voltage_mv or 0), floor.frequency_mhz)
            assert reading.state is MinerState.HASHING
        else:
            assert stand_in.hashing is not point.is_pause


@given(
    generation=st.sampled_from(GENERATIONS),
    walk=st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from([None, "paused", "booting", "changed"])), min_size=1, max_size=5
    ),
    wire=st.sampled_from(list(Wire)),
)
@settings(max_examples=40, deadline=None)
def test_a_walk_over_the_ladder_with_interference_settles(
    generation: str, walk: list[tuple[int, str | None]], wire: Wire
) -> None:
    clock = VirtualClock()
    stand_in = AxeOsStandIn(generation, clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    ladder = ladder_of(driver)
    for number, state in walk:
        begin(stand_in, state or "")
        stand_in.faults = type(stand_in.faults)(wire=wire)
        with suppress(DeviceError):
            driver.read()
        stand_in.faults = type(stand_in.faults)()
        settle(driver, clock, ladder.points[number % len(ladder.points)])
