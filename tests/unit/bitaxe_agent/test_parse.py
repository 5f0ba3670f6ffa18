"""What is made of an answer: numbers and texts, sensors that say nothing, and hashrates too good to be true."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.bitaxe_agent.parse import Identity, is_axe_os, read_out
from services.bitaxe_agent.setting import Setting

ANSWER: dict[str, Any] = {
    "power": 17.4,
    "voltage": 5047,
    "current": 11800,
    "temp": 58.5,
    "temp2": -1,
    "vrTemp": 66,
    "hashRate": 1064.25,
    "expectedHashrate": 1071,
    "coreVoltage": 1150,
    "coreVoltageActual": 1143,
    "frequency": 525,
    "actualFrequency": 525,
    "macAddr": "02:00:00:ab:CD:ef",
    "sharesAccepted": 812,
    "sharesRejected": 3,
    "uptimeSeconds": 4210,
    "smallCoreCount": 2040,
    "ASICModel": "BM1370",
    "boardVersion": "601",
    "version": "v2.15.0",
    "overheat_mode": 0,
    "autofanspeed": 1,
    "fanspeed": 41.5,
    "miningPaused": False,
    "poolDifficulty": 1024,
}


def test_a_whole_answer() -> None:
    found = read_out(ANSWER)
    assert found.identity == Identity("02:00:00:AB:CD:EF", "BM1370", "601", None, "v2.15.0")
    assert found.setting == Setting(1150, 525)
    assert (found.power_w, found.hashrate_ghs, found.actual_mhz) == (17.4, 1064.25, 525)
    assert (found.chip_celsius, found.regulator_celsius, found.fan_percent) == (58.5, 66, 41.5)
    assert (found.shares_accepted, found.shares_rejected, found.uptime_seconds) == (812, 3, 4210)
    assert (found.paused, found.overheat_mode, found.automatic_fan, found.fault) == (False, False, True, "")
    assert found.difficulty == 1024


def test_numbers_that_come_as_texts_are_the_same() -> None:
    texts = {key: str(value) if isinstance(value, int | float) else value for key, value in ANSWER.items()}
    assert read_out(texts) == read_out(ANSWER)


@pytest.mark.parametrize("value", [None, -1, 0, "-1", "", "nan", float("inf"), True, [], {}, 999])
def test_a_sensor_that_says_nothing_is_unknown_and_never_cool(value: object) -> None:
    found = read_out(ANSWER | {"temp": value, "temp2": value, "vrTemp": value})
    assert (found.chip_celsius, found.regulator_celsius) == (None, None)


def test_the_hotter_of_two_chips_counts() -> None:
    assert read_out(ANSWER | {"temp": -1, "temp2": 61.25}).chip_celsius == 61.25
    assert read_out(ANSWER | {"temp": 60.5, "temp2": 61.25}).chip_celsius == 61.25


@pytest.mark.parametrize(("rate", "told", "absurd"), [(200_000, None, True), (1500, 1500, False), (0, 0, False)])
def test_a_hashrate_too_good_to_be_true_is_no_measurement(rate: float, told: float | None, *, absurd: bool) -> None:
    found = read_out(ANSWER | {"hashRate": rate})
    assert (found.hashrate_ghs, found.implausible_hashrate) == (told, absurd)
    many = {"expectedHashrate": None, "asicCount": 6, "smallCoreCount": 894, "frequency": 525, "hashRate": rate}
    assert read_out(ANSWER | many).implausible_hashrate is absurd


@pytest.mark.parametrize(
    ("key", "value", "mac"),
    [("macAddr", "C0-00-38-6a-6E-B2", "C0:00:38:6A:6E:B2"), ("macAddr", "", None), ("macAddr", "not one", None)],
)
def test_the_mac_has_many_forms(key: str, value: str, mac: str | None) -> None:
    assert read_out(ANSWER | {key: value}).identity.mac == mac


def test_a_board_version_may_be_a_number() -> None:
    assert read_out(ANSWER | {"boardVersion": 601}).identity.board == "601"


@pytest.mark.parametrize("key", ["power_fault", "hardware_fault"])
def test_a_fault_is_there_only_when_it_is_told(key: str) -> None:
    assert read_out(ANSWER | {key: "VIN under voltage" + "!" * 500}).fault.startswith("VIN under voltage")
    assert len(read_out(ANSWER | {key: "x" * 500}).fault) < 150
    assert read_out(ANSWER | {key: ""}).fault == ""


@pytest.mark.parametrize(("said", "paused"), [(True, True), (1, True), ("1", True), (False, False), (None, None)])
def test_a_pause_is_known_only_where_the_firmware_knows_it(said: object, *, paused: bool | None) -> None:
    assert read_out(ANSWER | {"miningPaused": said}).paused is paused


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ({"macAddr": "02:00:00:00:00:01"}, True),
        ({"boardVersion": "402"}, True),
        ({"ASICModel": "BM1368"}, True),
        ({"version": "v2.16.0"}, False),
        ({"macAddr": "", "boardVersion": None}, False),
    ],
)
def test_another_device_is_told_from_new_firmware(other: dict[str, object], *, differs: bool) -> None:
    assert read_out(ANSWER | other).identity.is_other_than(read_out(ANSWER).identity) is differs


@pytest.mark.parametrize(
    ("version", "is_new"),
    [("v2.14.0", True), ("v2.15.0-TCH-dirty", True), ("2.14.0b1", True), ("v2.4.5-3-gb5d1e36-dirty", False)],
)
def test_versions_have_tails(version: str, *, is_new: bool) -> None:
    assert Identity(version=version).is_at_least(2, 14) is is_new


@given(
    st.dictionaries(
        st.sampled_from([*ANSWER, "hardware_fault", "temp3"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=4,
        ),
    )
)
def test_any_answer_is_read_without_a_fall(answer: dict[str, Any]) -> None:
    found = read_out(answer)
    assert found.chip_celsius is None or 0 < found.chip_celsius < 150
    assert found.power_w is None or found.power_w > 0
    assert found.setting is None or (found.setting.voltage_mv >= 0 and found.setting.frequency_mhz > 0)
    is_axe_os(answer)
