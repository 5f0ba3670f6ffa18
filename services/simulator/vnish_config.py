"""A VNish stand-in's settings and presets, as its routes show them. Pure."""

from copy import deepcopy
from typing import Any

from services.simulator.vnish_firmware import Firmware, StandInPreset

JOULES_PER_TH = 29.5


def perf_summary(live_preset: str, whole: dict[str, Any], presets: tuple[StandInPreset, ...]) -> dict[str, Any]:
    """`/perf-summary`."""
    live = next((preset for preset in presets if preset.name == live_preset), None)
    return {
        "current_preset": disabled_preset() if live is None else preset_head(live),
        "preset_switcher": whole["miner"]["overclock"]["preset_switcher"],
    }


def preset_list(presets: tuple[StandInPreset, ...]) -> list[dict[str, Any]]:
    """`/autotune/presets`."""
    lines = [disabled_preset()]
    for preset in presets:
        tuned = {"hashrate": _ghs(preset), "volt": 13_800, "freq": 545, "chains": [], "modified": False}
        lines.append({**preset_head(preset), "tune_settings": tuned} if preset.tuned else preset_head(preset))
    return lines


def preset_head(preset: StandInPreset) -> dict[str, Any]:
    """A preset without its tuning."""
    return {
        "name": preset.name,
        "pretty": f"{preset.name} watt ~ {_ghs(preset) // 1000} TH",
        "status": "tuned" if preset.tuned else "untuned",
        "modded_psu_required": preset.modded_psu_required,
    }


def disabled_preset() -> dict[str, Any]:
    """The entry that stands for no preset."""
    return {"name": "disabled", "pretty": "Disabled", "status": "untuned", "modded_psu_required": False}


def settings(firmware: Firmware, preset: str) -> dict[str, Any]:
    """`/settings` as they are at the factory but for the pools and the preset."""
    misc: dict[str, Any] = {"asic_boost": True, "restart_temp": 90, "max_startup_delay_time": 0}
    misc |= {"automatic_pause_on_boot": False} if firmware.boards else {"remain_stopped_on_reboot": False}
    switcher = {"enabled": False, "top_preset": None, "min_preset": None, "check_time": 300, "decrease_temp": 75}
    return {
        "miner": {
            "cooling": {"mode": {"name": "auto", "param": 65}, "fan_min_duty": 10, "fan_max_duty": 100},
            "misc": misc,
            "overclock": {
                "modded_psu": False,
                "preset": preset,
                "globals": {"volt": 1380, "freq": 545},
                "preset_switcher": switcher,
            },
            "pools": [
                {"url": "stratum+tcp://pool.example:3333", "user": "owner.rig", "pass": "x"},
                {"url": "stratum+tcp://spare.example:3333", "user": "owner.rig", "pass": "x"},
            ],
        },
        "network": {
            "hostname": "antminer",
            "dhcp": True,
            "ipaddress": "192.0.2.20",
            "netmask": "255.255.255.0",
            "gateway": "192.0.2.1",
            "dnsservers": ["192.0.2.1"],
        },
        "regional": {"timezone": {"current": "GMT"}},
        "ui": {"theme": "auto", "locale": "en"},
    }


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The settings after a write: posted keys replace their own kind and leave the rest."""
    result = deepcopy(old)
    for key, value in new.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def _ghs(preset: StandInPreset) -> int:
    return round(preset.power_w / JOULES_PER_TH * 1000)
