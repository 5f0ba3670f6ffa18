"""The law of all drivers: within N rounds of read and apply, the reading is settled. Here for outlets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kasa_power_agent.choose import Wishes
from services.kasa_power_agent.driver import OutletDriver
from services.kasa_power_agent.unit import STATE_APART_SECONDS, Unit
from services.simulator.kasa_machine import MODELS, KasaMachine
from services.simulator.mains import PlainRig
from shared.clock import VirtualClock
from shared.device import DeviceError
from tests.kasa_in_process import InProcessStrip
from tests.plug_farm import plug_command

ROUNDS = 12


def driver_of(machine: KasaMachine, outlet: int | None, clock: VirtualClock) -> OutletDriver:
    unit = Unit(InProcessStrip(machine, clock.advance), clock, Wishes({"m": outlet}))
    return OutletDriver("m", unit, clock)


def settle(driver: OutletDriver, clock: VirtualClock, *, on: bool) -> None:
    """Reads and applies until settled. A try that fails is only another round."""
    for _ in range(ROUNDS):
        try:
            reading = driver.read()
            command = plug_command(clock, on=on)
            if driver.settled(reading, command):
                assert reading.on is on
                return
            clock.advance(driver.apply(command, reading).look_again_seconds)
        except DeviceError as error:
            clock.advance(error.retry_seconds or 10.0)
    pytest.fail(f"not settled after {ROUNDS} rounds")


@pytest.mark.parametrize("model", MODELS)
@given(
    goals=st.lists(st.booleans(), max_size=6), presses=st.lists(st.booleans(), max_size=6), refused=st.integers(0, 5)
)
@settings(max_examples=15, deadline=None)
def test_every_goal_is_reached_whatever_happened_before(
    model: str, goals: list[bool], presses: list[bool], refused: int
) -> None:
    clock = VirtualClock()
    machine = KasaMachine(model, clock=clock)
    number = 2 if machine.is_strip else None
    machine.plug_in(PlainRig(1100, clock=clock), number or 1)
    driver = driver_of(machine, number, clock)
    machine.faults.refuses_on = refused
    for goal, press in zip(goals, [*presses, *goals], strict=False):
        machine.press(number or 1, on=press)
        clock.advance(STATE_APART_SECONDS)
        settle(driver, clock, on=goal)
        assert machine.outlet(number or 1).on is goal
    assert all(outlet.on for outlet in machine.outlets if outlet is not machine.outlet(number or 1))


def test_a_reading_never_comes_from_before_a_switch(clock: VirtualClock) -> None:
    machine = KasaMachine("KP115", clock=clock)
    driver = driver_of(machine, None, clock)
    assert driver.read().on is True
    driver.apply(plug_command(clock, on=False), driver.read())
    assert driver.read().on is False
