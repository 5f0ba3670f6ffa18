"""`miners.json` of the state-of-charge controller, key by key."""

from typing import Any

import pytest

from deploy.console.importing.of_soc_controller import SocOptions
from tests.unit.deploy.script_files import SOC, gathered, lost, wrong


def test_a_state_of_charge_miner_key_by_key() -> None:
    farm = gathered(SOC, options=SocOptions("http://ha:8123", "sensor.soc", 600))
    assert farm.miners == {
        "s19-20": {"driver": "vnish", "host": "192.168.88.20", "stop_soc": 73, "resume_soc": 75},
        "s19-21": {"driver": "vnish", "host": "192.168.88.21", "stop_soc": 95, "resume_soc": 99.5},
    }
    assert farm.passwords["s19-20"] == "admin"
    assert farm.battery is not None
    assert farm.battery["home_assistant"]["poll"] == "150 s"
    assert farm.time_zone is None


def test_two_rules_for_one_miner_leave_the_more_careful() -> None:
    row = {"ip": "10.0.0.1", "stop_soc": 70, "resume_soc": 90}
    farm = gathered([row, {**row, "stop_soc": 80, "resume_soc": 85}])
    assert farm.miners == {"s19-1": {"driver": "vnish", "host": "10.0.0.1", "stop_soc": 80, "resume_soc": 90}}
    assert lost(farm) == {
        "stop_soc": "stands twice; the more careful 80 counts",
        "resume_soc": "stands twice; the more careful 90 counts",
    }


@pytest.mark.parametrize("password", [None, ""])
def test_no_password_is_no_password(password: str | None) -> None:
    farm = gathered([{"ip": "10.0.0.1", "password": password, "stop_soc": 70, "resume_soc": 90}])
    assert (farm.passwords, set(lost(farm))) == ({}, {"password"})


def test_two_machines_with_one_last_octet_have_two_names() -> None:
    row = {"stop_soc": 70, "resume_soc": 90}
    assert list(gathered([{"ip": "10.0.0.1", **row}, {"ip": "10.0.1.1", **row}]).miners) == ["s19-1", "s19-1-2"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"ip": "10.0.0.1", "stop_soc": 80, "resume_soc": 70}, "stop_soc 80 must be below resume_soc 70. Fix: correct"),
        ({"ip": "10.0.0.1", "stop_soc": 80}, "resume_soc is missing. Fix: add it in that file"),
        ({"ip": "10.0.0.1", "stop_soc": "low", "resume_soc": 70}, "stop_soc is 'low', which is no number. Fix: "),
        ({"ip": "10.0.0.1", "stop_soc": True, "resume_soc": 70}, "stop_soc is True, which is no number. Fix: "),
        ({"ip": "a b", "stop_soc": 60, "resume_soc": 70}, "'a b' is not a host. Fix: correct ip in that file."),
        ("10.0.0.1", "this is no miner. Fix: write it as { ... }."),
    ],
)
def test_what_cannot_be_taken_safely_is_refused(row: Any, said: str) -> None:
    good = {"ip": "10.0.0.9", "stop_soc": 60, "resume_soc": 70}
    (sentence,) = wrong([good, row])
    assert said in sentence
