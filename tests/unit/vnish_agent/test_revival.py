"""How a miner is brought back, and by what its coming back is known."""

from datetime import timedelta
from typing import Any

import pytest

from services.simulator.http import Request, Response, Wire, json_response
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import StandInPreset
from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from shared.clock import VirtualClock
from shared.device import RefusedError, UnreachableError
from shared.messages import MinerTelemetry, OperatingPoint
from shared.settings import Address
from tests.farm import NORMAL, miner_command, session_to, vnish_driver

RESTART, REBOOT = "/mining/restart", "/system/reboot"


def read(driver: VnishDriver, asked_seconds_ago: float | None = None) -> MinerTelemetry:
    """A reading, with what the agent knows of the last restart."""
    reading = driver.read()
    at = None if asked_seconds_ago is None else reading.at - timedelta(seconds=asked_seconds_ago)
    return reading.model_copy(update={"last_restart_at": at})


@pytest.fixture
def stand_in(clock: VirtualClock) -> VnishStandIn:
    return VnishStandIn(clock=clock)


@pytest.mark.parametrize("word", ["failure", "mining"])
def test_at_first_its_mining_process_is_restarted(word: str, stand_in: VnishStandIn, clock: VirtualClock) -> None:
    stand_in.force_state(word)
    driver = vnish_driver(stand_in, clock)
    driver.restart(read(driver))
    assert stand_in.controls() == [RESTART]
    clock.advance(5)
    assert stand_in.hashing


@pytest.mark.parametrize(("asked_seconds_ago", "path"), [(3599, REBOOT), (3601, RESTART)])
def test_what_has_not_come_back_within_the_hour_is_rebooted(
    asked_seconds_ago: float, path: str, stand_in: VnishStandIn, clock: VirtualClock
) -> None:
    stand_in.force_state("failure")
    driver = vnish_driver(stand_in, clock)
    driver.restart(read(driver, asked_seconds_ago))
    assert stand_in.controls() == [path]


def test_what_found_shares_since_has_come_back(stand_in: VnishStandIn, clock: VirtualClock) -> None:
    driver = vnish_driver(stand_in, clock)
    driver.restart(read(driver))
    for _ in range(6):
        clock.advance(60)
        driver.read()
    stand_in.force_state("failure")
    driver.restart(read(driver, 400))
    assert stand_in.controls() == [RESTART, RESTART]
    driver.restart(read(driver, 60))
    assert stand_in.controls()[2:] == [REBOOT], "it has not come back from the second"


def test_what_hashes_again_without_shares_has_not_come_back(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=0)
    driver = vnish_driver(stand_in, clock)
    driver.restart(read(driver))
    for _ in range(6):
        clock.advance(60)
        driver.read()
    assert stand_in.state == "mining"
    driver.restart(read(driver, 400))
    assert stand_in.controls() == [RESTART, REBOOT]


def test_where_shares_are_not_told_hashing_again_is_coming_back(clock: VirtualClock) -> None:
    stand_in = VnishStandIn("1.2.0-beta10", clock=clock)
    stand_in.faults.flat = True
    driver = vnish_driver(stand_in, clock)
    driver.restart(read(driver))
    driver.restart(read(driver, 1))
    assert stand_in.controls() == [RESTART, REBOOT], "the state lags behind"
    stand_in.faults.wire = Wire.RESET
    with pytest.raises(UnreachableError):
        driver.read()
    stand_in.faults.wire = Wire.WHOLE
    clock.advance(30)
    driver.restart(read(driver, 30))
    assert stand_in.controls()[2:] == [RESTART]


def test_one_that_asks_for_a_reboot_gets_it(stand_in: VnishStandIn, clock: VirtualClock) -> None:
    def handle(request: Request) -> Response:
        answer = stand_in.handle(request)
        if not request.path.endswith("/status"):
            return answer
        said: dict[str, Any] = {"miner_state": "failure", "reboot_required": True}
        return json_response(said)

    client = VnishClient(Address("miner.test"), "admin", clock, session_to({"miner.test:80": handle}, clock))
    driver = VnishDriver(client, clock)
    driver.restart(read(driver))
    assert stand_in.controls() == [REBOOT]


def test_a_refused_restart_becomes_a_reboot(stand_in: VnishStandIn, clock: VirtualClock) -> None:
    """A miner that has failed answers 500 to whatever is asked of its mining process."""
    stand_in.force_state("failure")
    stand_in.faults.server_error = True
    driver = vnish_driver(stand_in, clock)
    with pytest.raises(RefusedError, match="500"):
        driver.restart(read(driver))
    driver.restart(read(driver))
    assert stand_in.controls() == [RESTART, REBOOT]


def test_a_restart_that_could_not_be_sent_was_surely_not_done(stand_in: VnishStandIn, clock: VirtualClock) -> None:
    driver = vnish_driver(stand_in, clock)
    reading = read(driver)
    stand_in.expire_tokens()
    driver = vnish_driver(stand_in, clock)  # another process: it has no token yet
    stand_in.faults.wire = Wire.RESET
    with pytest.raises(RefusedError, match="reset"):
        driver.restart(reading)
    stand_in.faults.wire = Wire.WHOLE
    assert stand_in.controls() == []


def test_a_restart_without_an_answer_may_have_been_heard(stand_in: VnishStandIn, clock: VirtualClock) -> None:
    driver = vnish_driver(stand_in, clock)
    reading = read(driver)
    stand_in.faults.wire = Wire.RESET
    with pytest.raises(UnreachableError):
        driver.restart(reading)


def test_firmware_without_the_route_has_refused(stand_in: VnishStandIn, clock: VirtualClock) -> None:
    def handle(request: Request) -> Response:
        return Response(404) if request.path.endswith(RESTART) else stand_in.handle(request)

    client = VnishClient(Address("miner.test"), "admin", clock, session_to({"miner.test:80": handle}, clock))
    driver = VnishDriver(client, clock)
    with pytest.raises(RefusedError, match="has no"):
        driver.restart(read(driver))


def test_it_is_not_started_as_well_while_its_state_lags_behind(stand_in: VnishStandIn, clock: VirtualClock) -> None:
    stand_in.force_state("failure")
    driver = vnish_driver(stand_in, clock)
    driver.restart(read(driver))
    stand_in.force_state("failure")  # still
    step = driver.apply(miner_command(NORMAL, clock), driver.read())
    assert (stand_in.controls(), step.on_the_way) == ([RESTART], True)
    driver.apply(miner_command(OperatingPoint(name="pause", power_w=0), clock), driver.read())
    assert stand_in.controls() == [RESTART], "a failed one that draws nothing is paused enough"
    stand_in.force_state("mining")
    driver.apply(miner_command(OperatingPoint(name="pause", power_w=0), clock), driver.read())
    assert stand_in.controls() == [RESTART, "/mining/stop"], "a stop does not wait"


def test_a_change_of_preset_needs_no_second_restart(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=(StandInPreset(2300), StandInPreset(2620)))
    driver = vnish_driver(stand_in, clock)
    command = miner_command(OperatingPoint(name="2300 W", power_w=2300, preset="2300"), clock)
    driver.apply(command, driver.read())
    driver.restart(read(driver))
    for _ in range(10):
        clock.advance(2)
        reading = driver.read()
        if not driver.settled(reading, command):
            driver.apply(command, reading)
    assert stand_in.controls() == ["/settings", RESTART]
    assert driver.settled(driver.read(), command)
