"""`rigs.json` of the rig restarter, key by key."""

from typing import Any

import pytest

from tests.unit.deploy.script_files import RIGS, gathered, lost, wrong


def test_a_rig_key_by_key() -> None:
    farm = gathered(RIGS)
    assert farm.miners == {
        "garage-rig": {
            "driver": "plug",
            "nominal_w": 1000,
            "plug": {"host": "192.168.0.9", "outlet": "Garage Rig"},
            "power_cycle_on_delay": "3 s",
            "time_until_offline": "10 min",
            "status_check_frequency": "5 min",
            "status_check_cooldown": "10 min",
            "max_consecutive_restarts": 3,
        }
    }
    assert lost(farm) == {
        "smart_strip_plug_number": "the name says which outlet it is",
        "(watts)": "assumed: nominal_w: 1000; write what it draws",
        "status_api": "no worker can be written so; the rig is watched without its pool",
        "wallet": "counts for nothing without its pool",
        "worker_name": "counts for nothing without its pool",
    }


RIG = {"status_api": "ckpool", "wallet": "bc1q", "worker_name": "r", "kasa_device_ip": "10.0.0.5"}


@pytest.mark.parametrize(
    ("key", "value", "place", "became"),
    [
        ("smart_strip_plug_number", 0, "plug", {"host": "10.0.0.5", "outlet": 1}),
        ("smart_strip_plug_number", "2", "plug", {"host": "10.0.0.5", "outlet": 3}),
        ("smart_strip_plug_number", "Rig 3", "plug", {"host": "10.0.0.5", "outlet": "Rig 3"}),
        ("smart_strip_plug_number", None, "plug", {"host": "10.0.0.5"}),
        ("power_cycle_on_delay", 1, "power_cycle_on_delay", "3 s"),
        ("power_cycle_on_delay", "12.5", "power_cycle_on_delay", "12.5 s"),
        ("time_until_offline", 0, "time_until_offline", None),
        ("time_until_offline", -1, "time_until_offline", None),
        ("time_until_offline", 0.5, "time_until_offline", "1 min"),
        ("time_until_offline", 1.5, "time_until_offline", "90 s"),
        ("status_check_frequency", 0.1, "status_check_frequency", "30 s"),
        ("status_check_cooldown", 0, "status_check_cooldown", "1 min"),
        ("max_consecutive_restarts", -1, "max_consecutive_restarts", 0),
        ("max_consecutive_restarts", 1000, "max_consecutive_restarts", 100),
        ("status_api", "FlexPool", "worker", "flexpool/bc1q/r"),
        ("status_api", "ethermine", "worker", "ethermine/bc1q/r"),
        ("status_api", "nopool", "worker", None),
        ("wallet", "", "worker", None),
        ("coin", "ETH", "worker", "ckpool/bc1q/r"),
        ("endpoint", "v2", "worker", "ckpool/bc1q/r"),
        ("colour", "red", "worker", "ckpool/bc1q/r"),
    ],
)
def test_each_key_of_a_rig(key: str, value: Any, place: str, became: Any) -> None:
    farm = gathered([{**RIG, key: value}], nominal_w=800)
    assert farm.miners["r"].get(place) == became
    assert farm.miners["r"]["nominal_w"] == 800
    if value is not None:
        assert key in {line.key for line in farm.lines}


def test_a_pool_by_coin_keeps_its_coin() -> None:
    farm = gathered([{**RIG, "status_api": "2miners", "coin": "BCH"}])
    assert (farm.pools, farm.miners["r"]["worker"]) == ({"2miners": {"coin": "bch"}}, "2miners/bc1q/r")


def test_rigs_that_share_an_outlet_or_a_worker_are_told() -> None:
    farm = gathered([RIG, {**RIG, "worker_name": "s"}, {**RIG, "kasa_device_ip": "10.0.0.6"}])
    assert list(farm.miners) == ["r", "r-2"]
    assert "worker" not in farm.miners["r-2"]
    assert lost(farm)["kasa_device_ip"] == "r hangs there already"
    assert lost(farm)["worker_name"] == "is the worker of r already"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kasa_device_ip": None}, "kasa_device_ip: None is not a host. Fix: correct it in that file."),
        ({"smart_strip_plug_number": 1.5}, "smart_strip_plug_number is 1.5, which is no outlet. Fix: name the outlet"),
        ({"time_until_offline": "soon"}, "time_until_offline is 'soon', which is no number. Fix: correct it"),
    ],
)
def test_a_rig_that_cannot_be_taken_is_refused(change: dict[str, Any], said: str) -> None:
    (sentence,) = wrong([{**RIG, **change}])
    assert sentence == f"f.json: r: {said}" or sentence.startswith(f"f.json: r: {said}")
