from typing import Any

import pytest

from services.vnish_agent.facts import (
    Identity,
    changed_paths,
    identity,
    live_preset,
    presets,
    settings,
    watts_below,
    watts_of,
)

INFO = {
    "miner": "Antminer S19",
    "fw_version": "1.2.6",
    "hr_measure": "GH/s",
    "algorithm": "sha256d",
    "serial": "N/A",
    "system": {"network_status": {"mac": "02:aa:00:00:00:01"}},
}


def test_identity_from_info_and_from_the_earliest_summary() -> None:
    found = identity(INFO)
    assert (found.mac, found.serial, found.model, found.firmware) == (
        "02:AA:00:00:00:01",
        None,
        "Antminer S19",
        "1.2.6",
    )
    assert identity(None, {"system": INFO["system"]}).mac == "02:AA:00:00:00:01"
    assert identity("nonsense", []) == Identity()


@pytest.mark.parametrize(
    ("before", "after", "other"),
    [
        (Identity(mac="A"), Identity(mac="B"), True),
        (Identity(mac="A", serial="1"), Identity(mac="A", serial="2"), False),
        (Identity(serial="1", model="S19"), Identity(serial="2", model="S19"), True),
        (Identity(model="S19"), Identity(model="S21"), True),
        (Identity(mac="A"), Identity(serial="2"), False),
        (Identity(), Identity(mac="A"), False),
        (Identity(model="S19", firmware="1.2.6"), Identity(model="S19", firmware="1.3.4"), False),
    ],
)
def test_another_device_is_told_by_the_strongest_common_mark(before: Identity, after: Identity, other: bool) -> None:
    assert after.is_other_than(before) is other


def test_only_tuned_presets_for_this_power_supply_are_usable() -> None:
    found = presets(
        [
            {"name": "disabled", "status": "untuned", "modded_psu_required": False},
            {"name": "1500", "status": "tuned", "modded_psu_required": False},
            {"name": 1700, "status": "untuned", "modded_psu_required": False},
            {"name": "3900", "status": "tuned", "modded_psu_required": True},
            {"name": "2300", "status": "tuned"},
            {"name": None},
            "nonsense",
        ]
    )
    assert [(preset.name, preset.usable) for preset in found] == [
        ("disabled", False),
        ("1500", True),
        ("1700", False),
        ("3900", False),
        ("2300", False),
    ]
    assert presets({"name": "1500"}) == ()


@pytest.mark.parametrize(
    ("name", "watts"),
    [("2620", 2620), ("disabled", None), ("0", None), ("-5", None), ("9" * 30, None), ("²", None), ("", None)],
)
def test_a_preset_is_named_by_its_watts(name: str, watts: float | None) -> None:
    assert watts_of(name) == watts


@pytest.mark.parametrize("answer", [None, [], {"current_preset": None}, {"current_preset": {"name": []}}])
def test_no_live_preset_is_unknown(answer: Any) -> None:
    assert live_preset(answer) is None


def test_changes_beside_the_preset_are_named_without_their_values() -> None:
    overclock = {
        "preset": "2620",
        "globals": {"volt": 1380},
        "modded_psu": False,
        "preset_switcher": {"top_preset": None},
    }
    before = settings({"miner": {"overclock": overclock, "pools": [{"pass": "s3cret"}]}, "ui": {"theme": "dark"}})
    changed = {"preset": "1500", "globals": {"volt": 1300}, "preset_switcher": {"top_preset": "1500"}}
    fine = settings(
        {"miner": {"overclock": overclock | changed, "pools": [{"pass": "s3cret"}]}, "ui": {"theme": "dark"}}
    )
    assert changed_paths(before, fine) == ()
    wiped = settings({"miner": {"overclock": overclock | {"modded_psu": True}, "pools": []}})
    assert changed_paths(before, wiped) == ("miner.overclock.modded_psu", "miner.pools", "ui.theme")


def test_the_firmwares_own_range_counts_only_while_it_switches() -> None:
    assert watts_below({"enabled": True, "min_preset": "1500"}) == 1500
    assert watts_below({"enabled": False, "min_preset": "1500"}) == 0
    assert watts_below({"enabled": True, "min_preset": None}) == 0
