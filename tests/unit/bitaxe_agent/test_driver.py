"""What one driver makes of one Bitaxe, over several readings."""

from typing import Any

import pytest

from services.bitaxe_agent.boards import OwnLimits
from services.bitaxe_agent.book import AnotherDeviceError
from services.bitaxe_agent.controls import Pace
from services.bitaxe_agent.driver import BitaxeDriver, Manners
from services.bitaxe_agent.ladder import Profile
from services.bitaxe_agent.setting import Setting
from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from shared.clock import VirtualClock
from shared.device import NonsenseError, RefusedError, Step, UnauthorizedError
from shared.ladder import normal_point, point_named
from shared.messages import PAUSE, Action, Ladder, MinerState, MinerTelemetry, OperatingPoint
from tests.bitaxe_farm import Saying, bitaxe_driver, orders, patches, runs_at, set_to, wishing
from tests.farm import miner_command


def ladder_of(reading: MinerTelemetry) -> Ladder:
    assert reading.ladder is not None
    return reading.ladder


def pursue(driver: BitaxeDriver, clock: VirtualClock, point: OperatingPoint, rounds: int = 60) -> list[Step]:
    """Reads and applies until settled, at most so many rounds; the steps that it took."""
    steps: list[Step] = []
    for _ in range(rounds):
        command = miner_command(point, clock)
        reading = driver.read()
        if driver.settled(reading, command):
            break
        steps.append(driver.apply(command, reading))
        clock.advance(steps[-1].look_again_seconds)
    return steps


@pytest.fixture
def stand_in(clock: VirtualClock) -> Saying:
    stand_in = Saying("2.12", clock=clock)
    clock.advance(60)
    return stand_in


def test_a_poll_is_one_request_and_the_board_is_asked_once_a_boot(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    for _ in range(5):
        driver.read()
        clock.advance(10)
    assert [heard.path.rsplit("/", 1)[-1] for heard in stand_in.heard] == ["info", "asic", *["info"] * 4]
    stand_in.reboot()
    clock.advance(10)
    stand_in.heard.clear()
    driver.read()
    assert [heard.path.rsplit("/", 1)[-1] for heard in stand_in.heard] == ["info", "asic"]


def test_a_ramp_takes_the_owners_time_and_no_more_requests_than_steps(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    pursue(driver, clock, set_to(1150, 450))
    before = len(stand_in.controls())
    steps = pursue(driver, clock, set_to(1250, 550))
    assert sum(step.look_again_seconds for step in steps) == 50
    assert len(stand_in.controls()) - before == len(steps) == 10
    assert all(step.on_the_way for step in steps)


def test_what_is_settled_is_sent_nothing(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    assert pursue(driver, clock, set_to(1150, 525)) == []
    assert stand_in.controls() == []


def test_one_whose_own_pace_is_slow_goes_slowly(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock, Manners(pace=Pace(steps=2, delay_seconds=30)))
    assert [step.look_again_seconds for step in pursue(driver, clock, set_to(1250, 550))] == [15, 15, 15, 15]


@pytest.mark.parametrize("generation", ["2.4", "2.10"])
def test_whole_megahertz_for_firmware_that_knows_no_others(generation: str, clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn(generation, clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    pursue(driver, clock, set_to(1150, 487.5))
    assert patches(stand_in)[-1] == {"frequency": 487 if generation == "2.4" else 487.5}
    assert driver.settled(driver.read(), miner_command(set_to(1150, 487.5), clock))


def test_a_stop_where_there_is_no_pause_is_the_floor_and_is_told(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    pursue(driver, clock, PAUSE)
    assert patches(stand_in) == [{"frequency": 400}, {"coreVoltage": 1100}]
    reading = driver.read()
    assert driver.settled(reading, miner_command(PAUSE, clock))
    assert (reading.problem, reading.point, reading.state) == ("cannot_pause", "quiet", MinerState.HASHING)
    assert "400 MHz" not in reading.detail
    assert "quiet" in reading.detail
    only_watched = miner_command(PAUSE, clock).model_copy(update={"action": Action.OBSERVE})
    for other in (only_watched, miner_command(set_to(1150, 450), clock)):
        driver.settled(reading, other)
        assert driver.read().problem is None, "only while it is wanted"


def test_firmware_that_lacks_its_pause_after_all_loses_it(clock: VirtualClock) -> None:
    stand_in = Saying("2.12", clock=clock)
    stand_in.says = {"miningPaused": False}
    driver = bitaxe_driver(stand_in, clock)
    clock.advance(60)
    reading = driver.read()
    assert ladder_of(reading).points[0] == PAUSE
    with pytest.raises(NonsenseError):
        driver.apply(miner_command(PAUSE, clock), reading)
    pursue(driver, clock, PAUSE)
    assert ladder_of(driver.read()).points[0].name == "quiet"
    assert runs_at(stand_in) == (1100, 400)


def test_it_is_resumed_at_a_setting_that_is_not_too_high(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    pursue(driver, clock, PAUSE)
    stand_in.write({"frequency": 625, "coreVoltage": 1300})
    before = len(stand_in.controls())
    pursue(driver, clock, set_to(1200, 500))
    sent = [heard.body or heard.path.rsplit("/", 1)[-1] for heard in stand_in.controls()[before:]]
    assert sent == [{"frequency": 500}, {"coreVoltage": 1200}, "resume"]
    assert runs_at(stand_in) == (1200, 500)


def test_a_resume_without_effect_becomes_a_vain_try(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.15", clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    pursue(driver, clock, PAUSE)
    stand_in.begin(Ill.LIES)
    steps = pursue(driver, clock, set_to(1150, 525), rounds=4)
    assert [step.on_the_way for step in steps] == [True, False, False, False]


def test_a_change_without_effect_becomes_a_vain_try(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    driver.read()
    stand_in.begin(Ill.LIES)
    steps = pursue(driver, clock, set_to(1150, 450), rounds=4)
    assert [step.on_the_way for step in steps] == [True, False, False, False]


def test_the_owners_way_is_adopted_and_recalled(stand_in: Saying, clock: VirtualClock) -> None:
    first = bitaxe_driver(stand_in, clock)
    pursue(first, clock, set_to(1100, 400))
    told = first.read()
    assert ladder_of(told).normal == "525 MHz 1150 mV"
    second = bitaxe_driver(stand_in, clock)
    second.recall(told)
    assert ladder_of(second.read()).normal == "525 MHz 1150 mV", "what is found now is curtailed"
    assert second.read().point == "quiet"


def test_a_configured_profile_is_the_normal_one(stand_in: Saying, clock: VirtualClock) -> None:
    manners = wishing(profiles={"night": Profile(Setting(1200, 540), 19.5)}, profile="night")
    normal = normal_point(ladder_of(bitaxe_driver(stand_in, clock, manners).read()))
    assert (normal.name, normal.power_w, normal.voltage_mv, normal.frequency_mhz) == ("night", 19.5, 1200, 540)
    quiet = ladder_of(bitaxe_driver(stand_in, clock, wishing(profile="quiet")).read())
    assert normal_point(quiet).name == "quiet"


def test_watts_are_assumed_until_they_are_measured(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    stand_in.says = {"power": 19.0}
    before = ladder_of(driver.read())
    clock.advance(60)
    after = ladder_of(driver.read())
    assert (before.assumed, after.assumed) == (True, False)
    assert normal_point(after).power_w == pytest.approx(1.10 * normal_point(before).power_w, abs=0.1)
    second = bitaxe_driver(stand_in, clock)
    second.recall(driver.read())
    assert ladder_of(second.read()) == after


def test_what_is_found_above_the_limits_is_told_and_not_kept(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    stand_in.write({"frequency": 850, "coreVoltage": 1220})
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    reading = driver.read()
    ladder = ladder_of(reading)
    assert (reading.problem, ladder.normal) == ("above_limits", "600 MHz 1220 mV")
    pursue(driver, clock, normal_point(ladder))
    assert runs_at(stand_in) == (1220, 600)


def test_an_unknown_chip_is_not_set_to_anything_else(clock: VirtualClock) -> None:
    stand_in = Saying("2.4", clock=clock)
    stand_in.says = {"ASICModel": "BM4711", "boardVersion": "999"}
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    reading = driver.read()
    assert (reading.problem, [point.name for point in ladder_of(reading).points]) == (
        "unknown_board",
        ["525 MHz 1150 mV"],
    )
    with pytest.raises(RefusedError):
        driver.apply(miner_command(set_to(1150, 500), clock), reading)
    assert not driver.settled(reading, miner_command(set_to(1150, 500), clock))
    assert stand_in.controls() == []
    brave = bitaxe_driver(stand_in, clock, Manners(limits=OwnLimits(1150, 525)))
    assert brave.read().problem is None


@pytest.mark.parametrize("other", [{"macAddr": "02:00:00:00:00:01"}, {"boardVersion": "401"}, {"ASICModel": "BM1368"}])
def test_another_device_at_the_address_is_refused(other: dict[str, Any], stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    driver.read()
    stand_in.says = other
    for _ in range(2):
        with pytest.raises(AnotherDeviceError, match="another device answers"):
            driver.read()
    stand_in.says = {}
    assert driver.read().reachable


@pytest.mark.parametrize("garbage", [b"", b"[]", b"null", b"<html>", b"{", b"{}", b'{"on": true}', b"not json"])
def test_garbage_is_nonsense_and_not_a_reading(garbage: bytes, stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    driver.read()
    stand_in.faults = type(stand_in.faults)(garbage=garbage)
    with pytest.raises(NonsenseError):
        driver.read()


def test_outside_its_network_it_says_so(stand_in: Saying, clock: VirtualClock) -> None:
    stand_in.begin(Ill.OUTSIDER)
    with pytest.raises(UnauthorizedError, match="private network"):
        bitaxe_driver(stand_in, clock).read()


def test_voltage_falls_only_on_what_has_just_been_read(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("2.12", clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    pursue(driver, clock, set_to(1250, 400))
    clock.advance(10)
    reading = driver.read()
    stand_in.write({"frequency": 550})  # a person, after the reading
    clock.advance(10)
    before = len(patches(stand_in))
    step = driver.apply(miner_command(PAUSE, clock), reading)
    assert len(patches(stand_in)) == before
    assert step.look_again_seconds == 1
    pursue(driver, clock, PAUSE)
    assert [next(iter(change)) for change in patches(stand_in)[before:]] == ["frequency", "coreVoltage"]


def test_a_climb_is_given_up_when_it_becomes_too_warm(stand_in: Saying, clock: VirtualClock) -> None:
    driver = bitaxe_driver(stand_in, clock)
    pursue(driver, clock, set_to(1150, 450))
    pursue(driver, clock, set_to(1250, 550), rounds=6)
    stand_in.says = {"temp": 71.0}
    before = len(patches(stand_in))
    pursue(driver, clock, set_to(1250, 550), rounds=5)
    assert len(patches(stand_in)) == before
    assert driver.read().problem == "warm"
    stand_in.says = {}
    pursue(driver, clock, set_to(1250, 550))
    assert runs_at(stand_in) == (1250, 550)


def test_a_fork_is_recognised_and_paused_only_if_it_can(clock: VirtualClock) -> None:
    stand_in = AxeOsStandIn("nerd", clock=clock)
    clock.advance(60)
    driver = bitaxe_driver(stand_in, clock)
    reading = driver.read()
    assert reading.model == "NerdQAxe++ (BM1370)"
    ladder = ladder_of(reading)
    assert point_named(ladder, "pause") is None
    assert normal_point(ladder).power_w > 50, "four chips"
    assert orders(stand_in) == []
