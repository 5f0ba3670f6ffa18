"""What one poll asks for: one request while nothing moves, all three when anything might have."""

from typing import Any

import pytest

from services.simulator.http import Request, Response, json_response
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import StandInPreset
from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from services.vnish_agent.look import WHOLE_SECONDS
from shared.clock import VirtualClock
from shared.device import UnreachableError
from shared.ladder import point_named
from shared.messages import PAUSE, MinerState, OperatingPoint
from shared.settings import Address
from tests.farm import miner_command, session_to, vnish_driver

ALL = ["/summary", "/status", "/perf-summary"]
TUNED = (StandInPreset(1500), StandInPreset(2300), StandInPreset(2620))


@pytest.fixture
def stand_in(clock: VirtualClock) -> VnishStandIn:
    return VnishStandIn("1.3.4", clock=clock)


@pytest.fixture
def driver(stand_in: VnishStandIn, clock: VirtualClock) -> VnishDriver:
    """One that has read its miner twice, so that what is read rarely has been read."""
    made = vnish_driver(stand_in, clock, nominal_w=3250)
    made.read()
    clock.advance(5)
    made.read()
    return made


def asked_by_a_reading(driver: VnishDriver, stand_in: VnishStandIn) -> list[str]:
    stand_in.heard.clear()
    driver.read()
    return [heard.path for heard in stand_in.heard]


def test_while_nothing_moves_a_poll_is_one_request_and_now_and_then_three(
    driver: VnishDriver, stand_in: VnishStandIn, clock: VirtualClock
) -> None:
    asked = []
    for _ in range(12):
        clock.advance(5)
        asked.append(asked_by_a_reading(driver, stand_in))
    assert [one for one in asked if one != ["/summary"]] == [ALL, ALL]
    assert 2 * WHOLE_SECONDS == 12 * 5, "one whole look in each such time"


def test_a_state_that_changes_is_looked_at_wholly(
    driver: VnishDriver, stand_in: VnishStandIn, clock: VirtualClock
) -> None:
    clock.advance(5)
    stand_in.stop()
    assert asked_by_a_reading(driver, stand_in) == ALL
    clock.advance(5)
    assert driver.read().state is MinerState.PAUSED


def test_a_throttle_that_somebody_else_changes_is_seen_at_once(
    driver: VnishDriver, stand_in: VnishStandIn, clock: VirtualClock
) -> None:
    clock.advance(5)
    stand_in.throttled_percent = 60
    assert asked_by_a_reading(driver, stand_in) == ALL
    assert driver.read().point == "60 %"


def test_what_moves_by_itself_is_looked_at_wholly_each_time(
    driver: VnishDriver, stand_in: VnishStandIn, clock: VirtualClock
) -> None:
    for word in ("initializing", "shutting-down", "failure"):
        stand_in.force_state(word)
        for _ in range(3):
            clock.advance(1)
            assert asked_by_a_reading(driver, stand_in) == ALL


def test_after_a_gap_and_after_each_step_all_is_asked(
    driver: VnishDriver, stand_in: VnishStandIn, clock: VirtualClock
) -> None:
    reading = driver.read()
    driver.apply(miner_command(PAUSE, clock), reading)
    assert stand_in.controls() == ["/mining/stop"]
    assert asked_by_a_reading(driver, stand_in) == ALL
    clock.advance(5)
    assert asked_by_a_reading(driver, stand_in) == ALL
    clock.advance(5)
    assert asked_by_a_reading(driver, stand_in) == ["/summary"]
    stand_in.cut_power()
    with pytest.raises(UnreachableError):
        driver.read()
    stand_in.restore_power()
    clock.advance(10)
    assert set(ALL) < set(asked_by_a_reading(driver, stand_in)), "and what is read rarely, too"


def test_a_stop_is_one_request_and_anything_else_looks_before_it_acts(
    driver: VnishDriver, stand_in: VnishStandIn, clock: VirtualClock
) -> None:
    clock.advance(5)
    reading = driver.read()
    stand_in.heard.clear()
    assert reading.ladder is not None
    lower = point_named(reading.ladder, "60 %")
    assert lower is not None
    driver.apply(miner_command(lower, clock), reading)
    assert [heard.path for heard in stand_in.heard][-1] == "/mining/throttle"
    assert set(ALL) < {heard.path for heard in stand_in.heard}
    driver.read()
    clock.advance(5)
    reading = driver.read()
    stand_in.heard.clear()
    driver.apply(miner_command(PAUSE, clock), reading)
    assert [heard.path for heard in stand_in.heard] == ["/mining/stop"]


def test_a_preset_that_changes_without_a_standstill_is_seen_in_time_and_not_undone_by_guess(
    clock: VirtualClock,
) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    driver = vnish_driver(stand_in, clock)
    driver.read()
    clock.advance(5)
    assert driver.read().point == "2620 W"
    stand_in.settings["miner"]["overclock"]["preset"] = stand_in.live_preset = "2300"
    clock.advance(5)
    reading = driver.read()
    assert reading.point == "2620 W", "not seen yet"
    # The engine wants what the miner has meanwhile come to by itself: nothing is sent.
    driver.apply(miner_command(OperatingPoint(name="2300 W", power_w=2300, preset="2300"), clock), reading)
    assert stand_in.controls() == []
    clock.advance(WHOLE_SECONDS)
    assert driver.read().point == "2300 W"


def test_a_summary_that_lags_behind_the_status_is_not_trusted_alone(clock: VirtualClock) -> None:
    stand_in, asked = VnishStandIn(clock=clock), list[str]()

    def handle(request: Request) -> Response:
        asked.append(request.path.removeprefix("/api/v1"))
        if asked[-1] == "/status":
            said: dict[str, Any] = {"miner_state": "stopped", "restart_required": False}
            return json_response(said)
        return stand_in.handle(request)

    client = VnishClient(Address("miner.test"), "admin", clock, session_to({"miner.test:80": handle}, clock))
    driver = VnishDriver(client, clock)
    driver.read()
    asked.clear()
    for _ in range(3):
        clock.advance(5)
        assert driver.read().state is MinerState.PAUSED
    assert asked == 3 * ALL


def test_what_status_alone_tells_is_kept_until_the_next_whole_look(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)

    def handle(request: Request) -> Response:
        if request.path.endswith("/status"):
            return json_response({"miner_state": "mining", "reboot_required": True})
        return stand_in.handle(request)

    client = VnishClient(Address("miner.test"), "admin", clock, session_to({"miner.test:80": handle}, clock))
    driver = VnishDriver(client, clock)
    driver.read()
    clock.advance(5)
    driver.restart(driver.read())
    assert stand_in.controls() == ["/system/reboot"]
