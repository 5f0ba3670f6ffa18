"""The law of all drivers: within N rounds of read and apply, the reading is settled."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import GENERATIONS, StandInPreset
from services.vnish_agent.driver import VnishDriver
from shared.clock import VirtualClock
from shared.device import DeviceError
from shared.messages import PAUSE, MinerState, MinerTelemetry, OperatingPoint
from tests.farm import miner_command, vnish_driver

ROUNDS = 40
TUNED = (StandInPreset(1500), StandInPreset(2300), StandInPreset(2620), StandInPreset(3100, tuned=False))
STATES = (
    "mining",
    "auto-tuning",
    "initializing",
    "starting",
    "restarting",
    "shutting-down",
    "stopped",
    "failure",
)


def settle(driver: VnishDriver, clock: VirtualClock, point: OperatingPoint, rounds: int = ROUNDS) -> MinerTelemetry:
    """Reads and applies until settled. A try that fails is only another round."""
    reading = driver.read()
    for _ in range(rounds):
        command = miner_command(point, clock)
        if driver.settled(reading, command):
            return reading
        try:
            clock.advance(driver.apply(command, reading).look_again_seconds)
        except DeviceError as error:
            clock.advance(error.retry_seconds or 1.0)
        reading = driver.read()
    pytest.fail(f"not settled at {point.name} after {rounds} rounds: {reading}")


def begin(stand_in: VnishStandIn, state: str) -> None:
    """Puts it into a state that goes on by itself where the real one would."""
    following = {"initializing": stand_in.restart, "restarting": stand_in.restart, "shutting-down": stand_in.stop}
    if state == "starting":
        stand_in.force_state("stopped")
        stand_in.start()
    elif state in following:
        following[state]()
        if state == "initializing":
            stand_in.clock.advance(stand_in.pace.restarting_seconds)  # type: ignore[attr-defined]  # virtual here
    else:
        stand_in.force_state(state)
    assert stand_in.state == state


@pytest.mark.parametrize("presets", [(), TUNED], ids=["untuned", "tuned"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_goal_is_reached_from_every_state(
    generation: str, state: str, presets: tuple[StandInPreset, ...], clock: VirtualClock
) -> None:
    stand_in = VnishStandIn(generation, clock=clock, nominal_w=2620, presets=presets)
    begin(stand_in, state)
    stand_in.failure_w = 0 if state == "failure" else 10
    driver = vnish_driver(stand_in, clock)
    ladder = driver.read().ladder
    assert ladder is not None
    assert ladder.points[0] == PAUSE
    for point in (*ladder.points, PAUSE, *reversed(ladder.points)):
        reading = settle(driver, clock, point)
        assert stand_in.power_w <= max(point.power_w, 12)
        assert stand_in.hashing is not point.is_pause or reading.state is MinerState.FAULT


@given(
    generation=st.sampled_from(GENERATIONS),
    walk=st.lists(st.tuples(st.integers(0, 20), st.sampled_from([None, *STATES])), min_size=1, max_size=6),
    unauthorized=st.integers(0, 3),
    switching=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_walk_over_the_ladder_with_interference_settles(
    generation: str, walk: list[tuple[int, str | None]], unauthorized: int, switching: bool
) -> None:
    clock = VirtualClock()
    stand_in = VnishStandIn(generation, clock=clock, nominal_w=2620, presets=TUNED)
    stand_in.settings["miner"]["overclock"]["preset_switcher"] |= {"enabled": switching, "top_preset": "2620"}
    driver = vnish_driver(stand_in, clock)
    ladder = driver.read().ladder
    assert ladder is not None
    pools = list(stand_in.settings["miner"]["pools"])
    for number, state in walk:
        stand_in.expire_tokens()
        stand_in.faults.unauthorized = unauthorized
        if state is not None:
            stand_in.force_state(state if state in {"stopped", "failure", "auto-tuning"} else "mining")
        settle(driver, clock, ladder.points[number % len(ladder.points)])
    assert stand_in.settings["miner"]["pools"] == pools
