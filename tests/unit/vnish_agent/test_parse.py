"""Readings of every generation, and of what no generation should send."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vnish_agent.parse import STATES, HashUnit, read_out
from shared.messages import MinerState

GHS = HashUnit("GH/s", "sha256d")

S19_BETA10_MINING: dict[str, Any] = {
    "system": {"network_status": {"mac": "02:00:00:00:00:19"}},
    "miner": {
        "miner_status": {"miner_state": "mining", "miner_state_time": 77},
        "miner_type": "Antminer S19 (Vnish 1.2.0-beta10)",
        "average_hashrate": 92.1,
        "instant_hashrate": 91.5,
        "chip_temp": {"min": 31, "max": 62},
        "power_usage": 3105.0,
    },
}
S19JPRO_RC5_INITIALIZING: dict[str, Any] = {
    "miner": {
        "miner_status": {"miner_state": "initializing", "miner_state_time": 12},
        "miner_type": "Antminer S19j Pro (Vnish 1.2.0-rc5)",
        "instant_hashrate": 0.0,
        "hr_realtime": 0.0,
        "chip_temp": {"min": 30, "max": 41},
        "power_consumption": 131,
        "power_usage": 131,
    },
}
S21_134_THROTTLED: dict[str, Any] = {
    "miner": {
        "miner_status": {"miner_state": "mining", "miner_state_time": 900, "throttled": 60},
        "miner_type": "Antminer S21 (Vnish 1.3.4)",
        "instant_hashrate": 119.8,
        "hr_realtime": 119_812.5,
        "chip_temp": {"min": 50, "max": 58},
        "power_consumption": 2100,
        "power_usage": 17.5,
    },
}


def test_s19_beta10_mining() -> None:
    found = read_out(None, S19_BETA10_MINING, HashUnit())
    assert (found.state, found.power_w, found.hashrate_ths) == (MinerState.HASHING, 3105, 91.5)
    assert (found.chip_temperature_celsius, found.model, found.firmware) == (62, "Antminer S19", "1.2.0-beta10")


def test_s19jpro_rc5_initializing_draws_power_and_does_not_hash() -> None:
    found = read_out(None, S19JPRO_RC5_INITIALIZING, GHS)
    assert (found.state, found.power_w, found.hashrate_ths) == (MinerState.RAMPING, 131, 0)


def test_s21_134_throttled() -> None:
    found = read_out(None, S21_134_THROTTLED, GHS)
    assert (found.throttled_percent, found.power_w) == (60, 2100)
    assert found.hashrate_ths == pytest.approx(119.8125)


def test_power_usage_never_wins_over_power_consumption() -> None:
    assert read_out(None, {"miner": {"power_usage": 17.5, "power_consumption": 2100}}, GHS).power_w == 2100


@pytest.mark.parametrize(("word", "state"), STATES.items())
def test_the_closed_set_nested_and_at_the_top(word: str, state: MinerState) -> None:
    assert read_out({"miner_state": word}, None, GHS).state is state
    assert read_out(None, {"miner": {"miner_status": {"miner_state": word}}}, GHS).state is state
    assert read_out(None, {"miner_state": word}, GHS).state is state


def test_status_goes_before_summary() -> None:
    found = read_out({"miner_state": "stopped"}, S19_BETA10_MINING, HashUnit())
    assert (found.state, found.power_w) == (MinerState.PAUSED, 3105)


def test_failure_says_code_and_words_from_either_answer() -> None:
    failed = {"miner_status": {"miner_state": "failure", "failure_code": 47, "description": "No boards"}}
    found = read_out({"miner_state": "failure"}, {"miner": failed}, GHS)
    assert (found.state, found.detail) == (MinerState.FAULT, "failure 47: No boards")


@pytest.mark.parametrize(
    ("flat", "state"),
    [
        ({"is_mining": True}, MinerState.HASHING),
        ({"is_mining": "true"}, MinerState.HASHING),
        ({"mining": 1}, MinerState.HASHING),
        ({"mining": "false"}, MinerState.PAUSED),
        ({"is_mining": 0}, MinerState.PAUSED),
        ({"is_mining": False, "power_consumption": 900}, MinerState.RAMPING),
        ({"mining": "perhaps"}, MinerState.UNKNOWN),
        ({"miner_state": "running"}, MinerState.HASHING),
        ({"hr_realtime": 95_000.0}, MinerState.HASHING),
        ({"hashrate": 95}, MinerState.HASHING),
        ({"hashrate": 0}, MinerState.UNKNOWN),
        ({"hashrate": True}, MinerState.UNKNOWN),
        ({}, MinerState.UNKNOWN),
    ],
)
def test_flat_legacy_forms(flat: dict[str, Any], state: MinerState) -> None:
    assert read_out(None, flat, HashUnit()).state is state
    assert read_out(flat, None, HashUnit()).state is state or "power_consumption" in flat


def test_a_null_miner_is_unknown_and_says_why() -> None:
    found = read_out(None, {"miner": None, "is_mining": True}, GHS)
    assert (found.state, found.power_w, found.hashrate_ths) == (MinerState.UNKNOWN, None, None)
    assert found.detail == "its mining process does not answer"


@pytest.mark.parametrize(
    ("chip", "celsius"),
    [
        ({"min": 0, "max": 0}, None),
        ({"max": 0}, None),
        ({"min": -3, "max": 0}, 0),
        ({"min": 13, "max": 14}, 14),
        ({"min": 1, "max": 4000}, None),
        ({"min": 1, "max": "60"}, None),
        (None, None),
    ],
)
def test_a_missing_sensor_is_unknown_never_cool(chip: Any, celsius: float | None) -> None:
    assert read_out(None, {"miner": {"chip_temp": chip}}, GHS).chip_temperature_celsius == celsius


@pytest.mark.parametrize("watts", [-1, 1e9, "3000", True, None, [], float("nan"), 10**400])
def test_watts_that_cannot_be_are_unknown(watts: Any) -> None:
    assert read_out(None, {"miner": {"power_consumption": watts}}, GHS).power_w is None


@pytest.mark.parametrize(
    ("miner", "unit", "ths"),
    [
        ({"hr_realtime": 9500.0, "instant_hashrate": 9.5}, HashUnit("MH/s", "scrypt"), 0.0095),
        ({"instant_hashrate": 9.5}, HashUnit("MH/s", "scrypt"), 0.0095),
        ({"hr_realtime": 9500.0}, HashUnit("N/A", "unknown"), None),
        ({"hr_realtime": 95_000.0}, HashUnit(), None),
        ({"hr_realtime": 95_000.0, "instant_hashrate": 95.0}, HashUnit(), 95.0),
        ({"hr_realtime": -1}, GHS, None),
    ],
)
def test_hashrates_by_the_unit_that_info_tells(miner: dict[str, Any], unit: HashUnit, ths: float | None) -> None:
    assert read_out(None, {"miner": miner}, unit).hashrate_ths == (None if ths is None else pytest.approx(ths))


KEYS = ("miner", "miner_status", "miner_state", "throttled", "power_consumption", "chip_temp", "is_mining", "max")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*STATES, "true", "", "N/A"]) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=5),
    max_leaves=12,
)


@given(status=JSON, summary=JSON)
def test_no_answer_whatever_raises(status: Any, summary: Any) -> None:
    found = read_out(status, summary, GHS)
    assert found.power_w is None or found.power_w >= 0
    assert found.throttled_percent is None or 0 <= found.throttled_percent <= 100
