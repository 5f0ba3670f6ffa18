"""A Bitaxe in the farm file, right and wrong."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.settings import Address, FarmFileError, MinerSettings, Secrets, load_farm


def load(directory: Path, *lines: str) -> MinerSettings:
    file = directory / "farm.yaml"
    file.write_text("miners:\n  b1:\n" + "".join(f"    {line}\n" for line in lines), encoding="utf-8")
    return load_farm(file, Secrets({}, {}, directory)).miners["b1"]


def test_two_keys_are_enough(tmp_path: Path) -> None:
    miner = load(tmp_path, "driver: bitaxe", "host: http://192.168.1.100")
    assert miner.host == Address("192.168.1.100", 80), "a URL is taken for what it means"
    assert (miner.max_voltage_mv, miner.max_frequency_mhz) == (1300, 600)
    assert (miner.max_chip_celsius, miner.max_regulator_celsius) == (70, 100)
    assert (miner.steps, miner.delay) == (5, timedelta(seconds=10))
    assert (miner.profile, miner.profiles, miner.when_alone) == (None, {}, "safe_point")


def test_a_failsafe_that_is_written_down_stands(tmp_path: Path) -> None:
    assert load(tmp_path, "driver: bitaxe", "host: a", "failsafe: hold").when_alone == "hold"
    assert load(tmp_path, "driver: vnish", "host: a").when_alone == "pause"


@pytest.mark.parametrize("profile", ["quiet", "performance", "night"])
def test_a_profile_is_built_in_or_ones_own(profile: str, tmp_path: Path) -> None:
    own = "profiles: {night: {voltage_mv: 1250, frequency_mhz: 550, power_w: 20}}"
    assert load(tmp_path, "driver: bitaxe", "host: a", own, f"profile: {profile}").profile == profile


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["profiles: {night: {voltage_mv: 1350, frequency_mhz: 550}}"],
            "5: miners.b1.profiles.night.voltage_mv: 1350 mV is above this miner's max_voltage_mv of 1300 mV. Fix: low",
        ),
        (
            ["max_frequency_mhz: 500", "profiles: {night: {voltage_mv: 1250, frequency_mhz: 550}}"],
            "6: miners.b1.profiles.night.frequency_mhz: 550 MHz is above this miner's max_frequency_mhz of 500 MHz.",
        ),
        (
            ["profiles: {night: {voltage_mv: 1.25, frequency_mhz: 550}}"],
            "5: miners.b1.profiles.night.voltage_mv: Input should be a valid integer",
        ),
        (
            ["profiles: {night: {voltage_mv: 12500, frequency_mhz: 550}}"],
            "5: miners.b1.profiles.night.voltage_mv: Input should be less than or equal to 1600",
        ),
        (
            ["profiles: {night: {voltage_mv: 1250}}"],
            "5: miners.b1.profiles.night.frequency_mhz: this key is missing.",
        ),
        (
            ["profiles: {pause: {voltage_mv: 1250, frequency_mhz: 550}}"],
            "5: miners.b1.profiles.pause: 'pause' cannot be the name of a profile. Fix: give it another one.",
        ),
        (
            ["profile: qiet"],
            "5: miners.b1.profile: no profile is called 'qiet' (did you mean \"quiet\"?). Fix: use one of: quiet, eff",
        ),
        (["max_voltage_mv: 2400"], "5: miners.b1.max_voltage_mv: Input should be less than or equal to 1600"),
        (["max_chip_celsius: 0"], "5: miners.b1.max_chip_celsius: Input should be greater than 0 (found 0)."),
        (["steps: 0"], "5: miners.b1.steps: Input should be greater than or equal to 1 (found 0)."),
        (["delay: 100 ms"], "5: miners.b1.delay: 0.1 s is too short. Fix: give at least 1 s."),
        (
            ["preset: '1500'"],
            "5: miners.b1.preset: this key is for miners with driver: vnish, and this one has bitaxe. Fix: remove it,",
        ),
    ],
)
def test_one_mistake_has_one_message(lines: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(FarmFileError) as caught:
        load(tmp_path, "driver: bitaxe", "host: a", *lines)
    (found,) = str(caught.value).replace(f"{tmp_path}/farm.yaml:", "").splitlines()[:-1]
    assert found.startswith(said), found


@pytest.mark.parametrize("line", ["steps: 3", "profile: quiet", "max_voltage_mv: 1200", "delay: 20 s"])
def test_a_key_of_a_bitaxe_is_none_of_an_antminer(line: str, tmp_path: Path) -> None:
    with pytest.raises(FarmFileError, match="this key is for miners with driver: bitaxe, and this one has vnish"):
        load(tmp_path, "driver: vnish", "host: a", line)
