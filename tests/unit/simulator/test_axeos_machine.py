"""The machine behind the AxeOS stand-in: set-points, pause, protection from heat, faults, boots, and its warmth."""

import json
import random
from dataclasses import replace

import pytest

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_board import BOARDS
from services.simulator.axeos_firmware import GENERATIONS, Pace
from services.simulator.axeos_ills import Ill
from services.simulator.axeos_loop import HOT_CHIP_CELSIUS, Phase
from services.simulator.http import Request
from shared.clock import VirtualClock

PACE = Pace(warming_seconds=40, starting_seconds=4, booting_seconds=6, resting_seconds=30)
OLD, NEW = ["2.4", "2.10"], ["2.12", "2.15"]


def warm(generation: str, clock: VirtualClock, board: str = "gamma") -> AxeOsStandIn:
    stand_in = AxeOsStandIn(generation, board, clock=clock, pace=PACE)
    clock.advance(1000)
    return stand_in


def told(stand_in: AxeOsStandIn) -> dict[str, object]:
    found = json.loads(stand_in.handle(Request("GET", "/api/system/info")).body)
    assert isinstance(found, dict)
    return found


# --- set-points


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_setting_is_told_at_once_and_taken_up_by_the_loop_voltage_first(generation: str, clock: VirtualClock) -> None:
    stand_in = warm(generation, clock)
    normal_mv, normal_mhz = stand_in.point
    clock.advance(stand_in.firmware.loop_seconds / 2)
    stand_in.write({"frequency": 400, "coreVoltage": 1000})
    assert told(stand_in)["coreVoltage"] == 1000
    points_seen = [stand_in.point]
    clock.advance(stand_in.firmware.loop_seconds)
    assert [*points_seen, stand_in.point] == [(normal_mv, normal_mhz), (1000, 400)]
    points = [(applied.voltage_mv, applied.frequency_mhz) for applied in stand_in.applied]
    assert points[-2:] == [(1000, normal_mhz), (1000, 400)]
    assert stand_in.undervolted == 1, "for a moment the old frequency had too little voltage"


def test_who_lowers_the_frequency_first_and_waits_undervolts_nothing(clock: VirtualClock) -> None:
    stand_in = warm("2.10", clock)
    stand_in.write({"frequency": 400})
    clock.advance(4)
    stand_in.write({"coreVoltage": 1000})
    clock.advance(4)
    assert (stand_in.point, stand_in.undervolted) == ((1000, 400), 0)


def test_too_little_voltage_costs_hashrate_and_brings_a_brittle_chip_the_flatline(clock: VirtualClock) -> None:
    stand_in = warm("2.12", clock)
    full_ghs = stand_in.body.real_ghs
    stand_in.write({"coreVoltage": 1030})
    clock.advance(4)
    assert 0 < stand_in.body.real_ghs < 0.7 * full_ghs
    stand_in.write({"coreVoltage": 1150})
    stand_in.begin(Ill.BRITTLE)
    clock.advance(4)
    assert stand_in.hashing
    stand_in.write({"coreVoltage": 1000})
    clock.advance(4)
    assert not stand_in.hashing


# --- pause


def test_a_pause_takes_effect_within_the_loop_and_a_resume_takes_seconds(clock: VirtualClock) -> None:
    stand_in = warm("2.15", clock)
    hashing_w = stand_in.power_w
    stand_in.handle(Request("POST", "/api/system/pause"))
    clock.advance(0.2)
    assert (stand_in.phase, stand_in.point, stand_in.hashing) == (Phase.PAUSED, (0, 0), False)
    now = told(stand_in)
    wanted = {"miningPaused": True, "temp": -1, "expectedHashrate": 0, "actualFrequency": 50, "coreVoltageActual": 0}
    assert wanted.items() <= now.items()
    assert (now["frequency"], now["coreVoltage"], now["fanspeed"], now["hashRate"]) == (525, 1150, 30, 0)
    assert stand_in.power_w < 0.25 * hashing_w
    stand_in.handle(Request("POST", "/api/system/resume"))
    clock.advance(2)
    assert (told(stand_in)["miningPaused"], stand_in.hashing) == (False, False)
    clock.advance(4)
    assert (stand_in.point, stand_in.hashing) == ((1150, 525), True)


def test_a_pause_does_not_outlast_a_reboot(clock: VirtualClock) -> None:
    stand_in = warm("2.15", clock)
    stand_in.pause(paused=True)
    clock.advance(60)
    stand_in.reboot()
    clock.advance(60)
    assert (told(stand_in)["miningPaused"], stand_in.hashing) == (False, True)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_nothing_is_computed_while_it_boots(generation: str, clock: VirtualClock) -> None:
    stand_in = warm(generation, clock)
    stand_in.reboot()
    assert (stand_in.phase, stand_in.hashing, stand_in.point) == (Phase.BOOTING, False, (0, 0))
    clock.advance(9.9)
    assert (stand_in.phase, stand_in.body.shares) == (Phase.STARTING, 0)
    assert stand_in.power_w < 0.3 * stand_in.nominal_w


# --- protection


@pytest.mark.parametrize("generation", OLD)
def test_older_firmware_goes_to_the_bottom_and_stays_there(generation: str, clock: VirtualClock) -> None:
    stand_in = warm(generation, clock)
    shares = stand_in.body.shares
    stand_in.heat_to(78)
    clock.advance(300)
    now = told(stand_in)
    wanted = {"overheat_mode": 1, "frequency": 50, "coreVoltage": 1000, "autofanspeed": 0, "fanspeed": 100}
    assert wanted.items() <= now.items()
    assert (stand_in.protections, stand_in.boots, stand_in.flash.writes) == (1, 1, 5)
    assert stand_in.body.shares < shares, "it has booted"
    stand_in.set_ambient(80)
    clock.advance(86_400)
    assert (stand_in.protections, stand_in.point) == (1, (1000, 50)), "also in the heat"
    stand_in.set_ambient(25)
    clock.advance(600)
    stand_in.write({"frequency": 400, "coreVoltage": 1100})
    clock.advance(4)
    assert stand_in.point == (1100, 400), "who writes undoes the protection"


@pytest.mark.parametrize("generation", NEW)
def test_newer_firmware_rests_and_goes_on_a_hundred_lower(generation: str, clock: VirtualClock) -> None:
    stand_in = warm(generation, clock)
    stand_in.write({"frequency": 600, "coreVoltage": 1250})
    clock.advance(10)
    stand_in.overheat()
    clock.advance(3)
    resting = told(stand_in)
    wanted = {"overheat_mode": 1, "temp": -1, "frequency": 600, "coreVoltage": 1250, "autofanspeed": 0, "hashRate": 0}
    assert wanted.items() <= resting.items()
    clock.advance(25)
    assert stand_in.phase is Phase.RESTING
    clock.advance(10)
    assert (stand_in.phase, stand_in.point) == (Phase.RUNNING, (1150, 500))
    wanted = {"overheat_mode": 0, "frequency": 500, "coreVoltage": 1150, "autofanspeed": 0, "fanspeed": 100}
    assert wanted.items() <= told(stand_in).items()
    assert stand_in.boots == 0


@pytest.mark.parametrize("generation", NEW)
def test_in_lasting_heat_newer_firmware_goes_down_step_by_step(generation: str, clock: VirtualClock) -> None:
    stand_in = warm(generation, clock)
    stand_in.set_ambient(72)
    clock.advance(3600)
    assert (stand_in.protections, stand_in.point) == (4, (1000, 125))
    assert 70 < stand_in.chip_celsius < HOT_CHIP_CELSIUS


def test_a_regulator_that_is_too_hot_is_enough(clock: VirtualClock) -> None:
    board = replace(BOARDS["hex"], regulator_kelvin_per_watt=1.0)
    stand_in = AxeOsStandIn("2.10", board, clock=clock)
    clock.advance(600)
    assert stand_in.protections == 1


# --- warmth


@pytest.mark.parametrize("board", list(BOARDS))
def test_every_board_bears_its_factory_settings(board: str, clock: VirtualClock) -> None:
    stand_in = warm("nerd" if board == "nerdqaxe" else "2.12", clock, board)
    clock.advance(86_400)
    assert stand_in.protections == 0
    assert 35 < stand_in.chip_celsius < 70
    assert stand_in.chip_celsius <= stand_in.regulator_celsius < 100


def test_more_voltage_more_frequency_a_warmer_room_and_a_standing_fan_each_make_it_warmer(clock: VirtualClock) -> None:
    def settled(mv: float, mhz: float, room_celsius: float = 25, *, fan: bool = True) -> float:
        stand_in = AxeOsStandIn("2.12", clock=clock)
        stand_in.write({"coreVoltage": mv, "frequency": mhz, "autofanspeed": 0, "manualFanSpeed": 60})
        stand_in.set_ambient(room_celsius)
        if not fan:
            stand_in.begin(Ill.STALLED)
        clock.advance(3)
        return stand_in.body.chip.target

    normal = settled(1150, 450)
    assert settled(1200, 450) > normal
    assert settled(1150, 500) > normal
    assert settled(1150, 450, 30) == pytest.approx(normal + 5)
    assert settled(1150, 450, fan=False) > normal + 5
    by_volts = (settled(1200, 450) - 25) / (normal - 25)
    assert by_volts == pytest.approx((1200 / 1150) ** 2), "heat goes with the square of the voltage"


def test_the_fan_holds_its_target_as_long_as_it_can(clock: VirtualClock) -> None:
    stand_in = warm("2.12", clock)
    stand_in.set_ambient(40)
    clock.advance(1000)
    assert told(stand_in)["temp"] == pytest.approx(60, abs=0.2)
    stand_in.heat_to(70)
    clock.advance(1000)
    assert (told(stand_in)["temp"], told(stand_in)["fanspeed"]) == (pytest.approx(70, abs=0.2), 100)
    stand_in.write({"frequency": 400, "coreVoltage": 1060})
    clock.advance(1000)
    assert stand_in.chip_celsius < 66, "a lower point is cooler in the same room"


def test_it_is_found_warm_and_hashing_as_it_would_be_in_a_farm(clock: VirtualClock) -> None:
    now = told(AxeOsStandIn("2.12", clock=clock))
    assert now["temp"] == pytest.approx(54.3, abs=0.2)
    assert [now["hashRate"], now["hashRate_1h"]] == pytest.approx([1060, 1060], rel=0.03)


def test_warmth_takes_its_time(clock: VirtualClock) -> None:
    stand_in = warm("2.12", clock)
    stand_in.heat_to(73)
    seen = []
    for _ in range(12):
        clock.advance(20)
        seen.append(stand_in.chip_celsius)
    assert seen == sorted(seen)
    assert [seen[0], seen[-1]] == pytest.approx([61.5, 73], abs=1)


# --- faults and boots


def test_the_flatline_freezes_the_hashrate_and_the_shares(clock: VirtualClock) -> None:
    stand_in = warm("2.12", clock)
    stand_in.begin(Ill.FLAT)
    before = told(stand_in)
    clock.advance(3600)
    after = told(stand_in)
    assert (after["hashRate"], after["sharesAccepted"]) == (before["hashRate"], before["sharesAccepted"])
    assert after["hashRate"] == pytest.approx(1060, rel=0.05)
    assert not stand_in.hashing
    stand_in.reboot()
    clock.advance(600)
    assert (stand_in.hashing, told(stand_in)["sharesAccepted"]) == (True, pytest.approx(145, abs=5))


@pytest.mark.parametrize("ill", [Ill.STUBBORN, Ill.DEAD])
def test_some_chips_come_back_with_a_power_cycle_only(ill: Ill, clock: VirtualClock) -> None:
    stand_in = warm("2.12", clock)
    stand_in.begin(ill)
    stand_in.reboot()
    clock.advance(60)
    assert not stand_in.hashing
    stand_in.cut_power()
    clock.advance(10)
    assert stand_in.power_w == 0
    stand_in.restore_power()
    clock.advance(60)
    assert stand_in.hashing


def test_a_sagging_supply_is_a_fault_until_it_boots(clock: VirtualClock) -> None:
    stand_in = warm("2.12", clock)
    stand_in.begin(Ill.SAGS)
    assert (told(stand_in)["power_fault"], told(stand_in)["hashRate"]) == ("VIN under voltage", 0)
    clock.advance(3600)
    hashed = [stand_in.hashing]
    stand_in.end(Ill.SAGS)
    clock.advance(60)
    assert [*hashed, stand_in.hashing] == [False, True]
    assert "power_fault" not in told(stand_in)


def test_shares_come_at_the_rate_of_the_hashrate(clock: VirtualClock) -> None:
    stand_in = warm("2.12", clock)
    before = stand_in.body.shares
    clock.advance(86_400)
    found = stand_in.body.shares - before
    assert found == pytest.approx(1060e9 * 86_400 / (1000 * 2**32), rel=0.01)
    now = told(stand_in)
    assert now["sharesRejected"] == stand_in.body.shares // 200


# --- the same again


def played(seed: int, looks_every: float) -> tuple[object, ...]:
    """An eventful hour, looked at now and then."""
    clock, chance = VirtualClock(), random.Random(seed)
    stand_in = AxeOsStandIn(chance.choice(["2.4", "2.10", "2.12", "2.15"]), clock=clock, name="x")
    for _ in range(40):
        end = clock.seconds() + chance.uniform(5, 120)
        stand_in.write({"frequency": chance.choice([400, 525, 600]), "coreVoltage": chance.choice([1000, 1150, 1250])})
        stand_in.set_ambient(chance.uniform(20, 65))
        if chance.random() < 0.2:
            stand_in.reboot()
        while clock.seconds() < end - looks_every:
            clock.advance(looks_every)
            assert stand_in.phase
        clock.advance(end - clock.seconds())
    numbers = [stand_in.chip_celsius, stand_in.regulator_celsius, stand_in.power_w]
    counts = [stand_in.protections, stand_in.boots, stand_in.flash.writes, stand_in.undervolted, len(stand_in.applied)]
    return stand_in.phase, stand_in.point, stand_in.body.shares, counts, [round(number, 5) for number in numbers]


@pytest.mark.parametrize("seed", range(12))
def test_looking_changes_nothing(seed: int) -> None:
    assert played(seed, 1e9) == played(seed, 7.0) == played(seed, 0.9)
