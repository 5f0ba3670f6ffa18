"""`multi_scheduler_config.json` of the Bitaxe scheduler, key by key."""

import re
from typing import Any

import pytest

from tests.unit.deploy.script_files import SCHEDULER, gathered, lost, wrong


def test_a_schedule_key_by_key() -> None:
    farm = gathered(SCHEDULER)
    common = {"max_chip_celsius": 68, "max_w": 15, "steps": 4, "delay": "20 s"}
    assert farm.miners == {
        "bitaxe-1": {"driver": "bitaxe", "host": "192.168.1.100", **common, "schedule": "day-and-night"},
        "bitaxe-2": {
            "driver": "bitaxe",
            "host": "192.168.1.101",
            "enabled": False,
            **common,
            "schedule": "day-and-night",
        },
        "bitaxe-3": {"driver": "bitaxe", "host": "192.168.1.102", **common, "schedule": "day-and-night-of-bitaxe-3"},
    }
    assert farm.schedules == {
        "day-and-night": [
            {"from": "07:30", "to": "20:00", "voltage_mv": 1150, "frequency_mhz": 450},
            {"from": "20:00", "to": "07:30", "voltage_mv": 1250, "frequency_mhz": 550},
        ],
        "day-and-night-of-bitaxe-3": [
            {"from": "07:30", "to": "20:00", "voltage_mv": 1100, "frequency_mhz": 425},
            {"from": "20:00", "to": "07:30", "voltage_mv": 1200, "frequency_mhz": 525},
        ],
    }
    assert set(lost(farm)) == {
        *("check_interval", "temp_check_interval", "log_stats_interval", "parallel_operations", "max_workers"),
        *("retry_attempts", "retry_delay"),
    }
    # Every value of the file is spoken of.
    named = {line.key.split(".")[0] for line in farm.lines}
    keys = set(re.findall(r'"(\w+)":', SCHEDULER)) - {"miners", "global_day_settings", "global_night_settings", "name"}
    assert keys <= named | {line.key.split(".")[-1] for line in farm.lines}


BITAXE = {"name": "b", "ip": "10.0.0.1"}


@pytest.mark.parametrize(
    ("change", "place", "became"),
    [
        ({"max_voltage": 1250}, "max_voltage_mv", 1250),
        ({"max_frequency": "575"}, "max_frequency_mhz", 575),
        ({"max_temp": 70}, "max_chip_celsius", None),
        ({"max_power": 25.5}, "max_w", 25.5),
        ({"max_power": None}, "max_w", 15),
        ({}, "max_w", 15),
        ({"smooth_transition": False, "transition_steps": 9}, "steps", 1),
        ({"smooth_transition": False, "transition_delay": 9}, "delay", None),
        ({"transition_steps": 0}, "steps", 1),
        ({"transition_steps": 500}, "steps", 100),
        ({"transition_delay": 0}, "delay", "1 s"),
        ({"transition_delay": 10}, "delay", None),
        ({"colour": "red"}, "colour", None),
    ],
)
def test_each_limit_and_ramp_of_the_scheduler(change: dict[str, Any], place: str, became: Any) -> None:
    farm = gathered({"miners": [BITAXE], **change})
    assert farm.miners["b"].get(place) == became
    assert set(change) <= {line.key for line in farm.lines}


def test_defaults_of_the_script_count_where_its_file_is_silent() -> None:
    farm = gathered({"miners": [BITAXE], "global_day_settings": {"end_time": "8:00:00", "start_time": "6:05"}})
    assert farm.schedules["day-and-night"] == [
        {"from": "06:05", "to": "08:00", "voltage_mv": 1150, "frequency_mhz": 450},
        {"from": "08:00", "to": "06:05", "voltage_mv": 1250, "frequency_mhz": 550},
    ]
    # The night is what the day leaves, whatever its own times say: so did the script have it.
    assert lost(farm)["start_time"] == "the script read it nowhere: 08:00 counts"


def test_a_day_of_no_length_is_all_night() -> None:
    farm = gathered({"miners": [BITAXE], "global_day_settings": {"start_time": "06:00", "end_time": "06:00"}})
    assert farm.schedules["day-and-night"] == [
        {"from": "00:00", "to": "24:00", "voltage_mv": 1250, "frequency_mhz": 550}
    ]


def test_settings_above_the_limit_are_held_to_it_as_the_script_did() -> None:
    own = {"voltage": 1400, "frequency": 650, "start_time": "09:00"}
    farm = gathered(
        {"miners": [{**BITAXE, "night_settings": own, "day_settings": {"voltage": 1000}}], "max_voltage": 1290}
    )
    day, night = farm.schedules["day-and-night"]
    assert (night["voltage_mv"], night["frequency_mhz"]) == (1290, 600)
    assert (day["voltage_mv"], day["frequency_mhz"]) == (1000, 450)
    told = lost(farm)
    assert (told["voltage"], told["frequency"]) == ("1290, the limit of that file", "600, the limit of that file")
    assert told["night_settings.start_time"] == "the script read it nowhere for a single miner"
    assert told["day_settings.frequency"] == "450, as for all"


def test_a_miner_that_stands_twice_is_one() -> None:
    farm = gathered({"miners": [BITAXE, {"name": "again", "ip": "http://10.0.0.1/"}]})
    assert list(farm.miners) == ["b"]
    assert lost(farm)["ip"] == "is the address of b already"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"miners": [{"name": "b", "ip": "not an ip"}]}, "b: 'not an ip' is not a host. Fix: correct ip in that file."),
        ({"miners": [{"name": "b", "ip": "https://10.0.0.1"}]}, "only http is spoken here. Fix: correct ip"),
        ({"miners": ["b"]}, "entry 1: this is no miner. Fix: write it as { ... }."),
        ({"max_temp": "hot"}, "all miners: max_temp is 'hot', which is no limit. Fix: correct it in that file."),
        ({"max_power": 0}, "all miners: max_power is 0, which is no limit. Fix: correct it in that file."),
        ({"transition_steps": "few"}, "all miners: transition_steps is 'few', which is no number. Fix: "),
        ({"global_day_settings": 7}, "all miners: global_day_settings is no section. Fix: "),
        ({"global_day_settings": {"start_time": "dawn"}}, "start_time is 'dawn', which is no time of day. Fix: "),
        ({"global_day_settings": {"voltage": "x"}}, "b: voltage is 'x', which is no voltage. Fix: correct it"),
        ({"miners": [{**BITAXE, "day_settings": 7}]}, "b: day_settings is no section. Fix: "),
    ],
)
def test_a_schedule_that_cannot_be_taken_is_refused(change: dict[str, Any], said: str) -> None:
    assert any(said in sentence for sentence in wrong({"miners": [BITAXE], **change}))
