"""What one driver makes of one miner, over several readings."""

import pytest

from services.simulator.http import Request, Response, Wire
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import StandInPreset
from services.vnish_agent.client import VnishClient
from services.vnish_agent.driver import VnishDriver
from shared.clock import VirtualClock
from shared.device import NonsenseError, RefusedError, UnauthorizedError
from shared.ladder import normal_point, point_named
from shared.messages import MinerState, MinerTelemetry, OperatingPoint
from shared.settings import Address
from tests.farm import NORMAL, miner_command, session_to, vnish_driver

TUNED = (StandInPreset(1500), StandInPreset(2300), StandInPreset(2620), StandInPreset(3100, tuned=False))


def pursue(driver: VnishDriver, clock: VirtualClock, point: OperatingPoint, rounds: int = 30) -> MinerTelemetry:
    """Reads and applies until settled, at most so many rounds."""
    reading = driver.read()
    for _ in range(rounds):
        command = miner_command(point, clock)
        if driver.settled(reading, command):
            break
        clock.advance(driver.apply(command, reading).look_again_seconds)
        reading = driver.read()
    return reading


def test_slow_things_are_read_once_and_a_poll_asks_for_three(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, presets=TUNED)
    driver = vnish_driver(stand_in, clock)
    driver.read()
    stand_in.heard.clear()
    for _ in range(10):
        clock.advance(10)
        driver.read()
    assert {heard.path for heard in stand_in.heard} == {"/status", "/summary", "/perf-summary"}
    assert not any(heard.authorized for heard in stand_in.heard)
    clock.advance(600)
    driver.read()
    assert {"/info", "/settings", "/autotune/presets"} <= {heard.path for heard in stand_in.heard}


def test_a_missing_status_is_asked_for_once(clock: VirtualClock) -> None:
    stand_in = VnishStandIn("1.2.0-rc5", clock=clock)
    driver = vnish_driver(stand_in, clock)
    for _ in range(3):
        driver.read()
    assert [heard.path for heard in stand_in.heard].count("/status") == 1


def test_nominal_power_is_assumed_until_it_is_measured(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=3204)
    driver = vnish_driver(stand_in, clock)
    ladder = driver.read().ladder
    assert ladder is not None
    assert (ladder.assumed, normal_point(ladder).power_w) == (True, 3600)
    clock.advance(60)
    ladder = driver.read().ladder
    assert ladder is not None
    assert (ladder.assumed, normal_point(ladder).power_w) == (False, 3210)
    configured = vnish_driver(stand_in, clock, nominal_w=3250).read().ladder
    assert configured is not None
    assert (configured.assumed, normal_point(configured).power_w) == (False, 3250)


def test_a_configured_preset_is_the_normal_one(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    reading = vnish_driver(stand_in, clock, preset="2300").read()
    assert reading.ladder is not None
    assert (reading.ladder.normal, reading.problem, reading.point) == ("2300 W", None, "2620 W")


def test_a_configured_preset_that_is_not_tuned_is_told_and_not_used(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    reading = vnish_driver(stand_in, clock, preset="3100").read()
    assert reading.ladder is not None
    assert (reading.ladder.normal, reading.problem) == ("2620 W", "preset_not_tuned")


def test_an_untuned_preset_is_never_written(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    driver = vnish_driver(stand_in, clock)
    reading = driver.read()
    with pytest.raises(RefusedError, match="3100"):
        driver.apply(miner_command(OperatingPoint(name="x", power_w=3100, preset="3100"), clock), reading)
    assert stand_in.controls() == []


def test_switching_is_lowered_with_the_preset_and_otherwise_left_as_it_is(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    switcher = stand_in.settings["miner"]["overclock"]["preset_switcher"]
    switcher |= {"enabled": True, "top_preset": "2620", "min_preset": "1500", "rise_temp": 55}
    before = dict(switcher)
    driver = vnish_driver(stand_in, clock)
    ladder = driver.read().ladder
    assert ladder is not None
    point = point_named(ladder, "2300 W")
    assert point is not None
    assert pursue(driver, clock, point).point == "2300 W"
    assert stand_in.settings["miner"]["overclock"]["preset_switcher"] == before | {"top_preset": "2300"}
    stand_in.live_preset = "1500"  # the firmware steps down by itself: nothing to undo
    assert driver.settled(driver.read(), miner_command(point, clock))


def test_a_restart_is_sent_when_asked_for_and_not_again_and_again(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    driver = vnish_driver(stand_in, clock)
    driver.read()
    point = OperatingPoint(name="2300 W", power_w=2300, preset="2300")
    pursue(driver, clock, point)
    assert stand_in.controls() == ["/settings", "/mining/restart"]
    stand_in.live_preset = "2620"  # a restart that has not helped
    pursue(driver, clock, point, rounds=60)
    assert stand_in.controls().count("/mining/restart") == 1


def test_where_no_restart_is_needed_none_is_sent(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    stand_in.preset_needs_restart = False
    pursue(vnish_driver(stand_in, clock), clock, OperatingPoint(name="2300 W", power_w=2300, preset="2300"))
    assert stand_in.controls() == ["/settings"]


def test_a_throttled_start_does_not_come_up_at_full_power(clock: VirtualClock) -> None:
    stand_in = VnishStandIn("1.3.4", clock=clock, nominal_w=3000)
    stand_in.force_state("stopped")
    pursue(vnish_driver(stand_in, clock), clock, OperatingPoint(name="40 %", power_w=1200, throttle_percent=40))
    assert stand_in.controls() == ["/mining/throttle", "/mining/start"]
    assert stand_in.power_w == 1200


@pytest.mark.parametrize("percent", [0, 19, 101])
def test_a_throttle_out_of_bounds_is_refused(percent: int, clock: VirtualClock) -> None:
    stand_in = VnishStandIn("1.3.4", clock=clock)
    driver = vnish_driver(stand_in, clock)
    reading = driver.read()
    with pytest.raises(RefusedError):
        driver.apply(miner_command(OperatingPoint(name="x", power_w=1, throttle_percent=percent), clock), reading)
    assert stand_in.controls() == []


def test_a_stop_is_not_repeated_while_its_effect_may_come(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    stand_in.faults.yes_and_nothing = True
    driver = vnish_driver(stand_in, clock)
    pursue(driver, clock, OperatingPoint(name="pause", power_w=0), rounds=4)
    assert stand_in.controls() == ["/mining/stop"]
    pursue(driver, clock, OperatingPoint(name="pause", power_w=0), rounds=2)
    assert stand_in.controls() == ["/mining/stop"] * 2


@pytest.mark.parametrize(
    ("presets", "problem"), [(Response(404), None), (Response(body=b"{}"), "nonsense"), (Response(500), "refused")]
)
def test_without_presets_it_is_on_or_off(presets: Response, problem: str | None, clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)

    def handle(request: Request) -> Response:
        if request.path.endswith("/settings"):
            return Response(404)
        return presets if request.path.endswith("/presets") else stand_in.handle(request)

    client = VnishClient(Address("miner.test"), "admin", clock, session_to({"miner.test:80": handle}, clock))
    driver = VnishDriver(client, clock, nominal_w=3250)
    reading = driver.read()
    assert reading.ladder is not None
    assert [point.name for point in reading.ladder.points] == ["pause", "normal"]
    assert (reading.point, reading.problem) == ("normal", problem)
    assert pursue(driver, clock, OperatingPoint(name="pause", power_w=0)).state is MinerState.PAUSED


def test_flat_answers_are_read_and_obeyed(clock: VirtualClock) -> None:
    stand_in = VnishStandIn("1.2.0-beta10", clock=clock)
    stand_in.faults.flat = True
    driver = vnish_driver(stand_in, clock)
    assert driver.read().state is MinerState.HASHING
    assert pursue(driver, clock, OperatingPoint(name="pause", power_w=0)).state is MinerState.PAUSED
    assert pursue(driver, clock, NORMAL).state is MinerState.HASHING


def test_garbage_is_nonsense_and_not_a_reading(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    driver = vnish_driver(stand_in, clock)
    for garbage in (b"", b"[]", b"not json", b"<html>", b"{", b"null"):
        stand_in.faults.garbage = garbage
        with pytest.raises(NonsenseError):
            driver.read()
    stand_in.faults.garbage = None
    assert driver.read().state is MinerState.HASHING


def test_a_reboot_heals_token_and_reading(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock)
    driver = vnish_driver(stand_in, clock)
    driver.read()
    stand_in.expire_tokens()
    stand_in.faults.wire = Wire.RESET
    with pytest.raises(Exception, match="reset"):
        driver.read()
    stand_in.faults.wire = Wire.WHOLE
    assert pursue(driver, clock, OperatingPoint(name="pause", power_w=0)).state is MinerState.PAUSED


def test_locked_out_it_still_knows_the_ladder_of_before(clock: VirtualClock) -> None:
    stand_in = VnishStandIn(clock=clock, nominal_w=2620, presets=TUNED)
    known = vnish_driver(stand_in, clock).read()
    locked = vnish_driver(stand_in, clock, password="wrong")
    locked.recall(known)
    reading = locked.read()
    assert (reading.ladder, reading.problem) == (known.ladder, "unauthorized")
    with pytest.raises(UnauthorizedError):
        locked.apply(miner_command(OperatingPoint(name="pause", power_w=0), clock), reading)
