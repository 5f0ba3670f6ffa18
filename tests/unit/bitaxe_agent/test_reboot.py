"""A reboot that is asked for, and what is told of one that has just booted."""

import pytest

from services.bitaxe_agent.driver import STARTING_SECONDS
from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import GENERATIONS
from services.simulator.axeos_ills import Ill
from services.simulator.http import Wire
from shared.clock import VirtualClock
from shared.device import RefusedError, UnreachableError
from shared.messages import MinerState
from tests.bitaxe_farm import Saying, bitaxe_driver, orders


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_restart_is_one_request(generation: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    reading = driver.read()
    driver.restart(reading)
    assert orders(stand_in) == ["restart"]
    clock.advance(60)
    assert stand_in.boots == 1
    after = driver.read()
    assert (after.point, after.state) == (reading.point, MinerState.HASHING)


def test_one_that_refuses_says_so(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    driver = bitaxe_driver(stand_in, clock)
    reading = driver.read()
    stand_in.begin(Ill.REFUSES)
    with pytest.raises(RefusedError, match="500"):
        driver.restart(reading)


def test_firmware_without_the_route_has_refused(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    del stand_in._known["POST", "/api/system/restart"]  # no generation lacks it
    driver = bitaxe_driver(stand_in, clock)
    with pytest.raises(RefusedError, match="has no"):
        driver.restart(driver.read())


def test_one_that_hangs_up_may_have_heard(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    driver = bitaxe_driver(stand_in, clock)
    reading = driver.read()
    stand_in.faults = type(stand_in.faults)(wire=Wire.RESET)
    with pytest.raises(UnreachableError):
        driver.restart(reading)


def test_after_a_boot_it_has_time_to_begin_again(clock: VirtualClock) -> None:
    """However long it did not hash before: that is why it was restarted."""
    stand_in = Saying("2.12", clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    stand_in.says = {"hashRate": 0}
    driver.read()
    clock.advance(STARTING_SECONDS)
    reading = driver.read()
    assert reading.state is MinerState.FAULT
    driver.restart(reading)
    clock.advance(30)
    assert driver.read().state is MinerState.RAMPING
    clock.advance(STARTING_SECONDS - 1)
    assert driver.read().state is MinerState.RAMPING
    clock.advance(1)
    assert driver.read().state is MinerState.FAULT, "and no more than that"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_difficulty_of_its_shares_is_told(generation: str, clock: VirtualClock) -> None:
    assert bitaxe_driver(AxeOsStandIn(generation, clock=clock), clock).read().share_difficulty == 1000


def test_a_difficulty_of_nothing_is_unknown(clock: VirtualClock) -> None:
    stand_in = Saying("2.12", clock=clock)
    stand_in.says = {"poolDifficulty": 0, "stratumDiff": 0}
    assert bitaxe_driver(stand_in, clock).read().share_difficulty is None
