"""What a VNish stand-in answers, generation by generation. Pure: from a snapshot to JSON."""

from dataclasses import dataclass
from typing import Any

from services.simulator.vnish_firmware import Firmware

_BOARDS = 3


@dataclass(frozen=True)
class Snapshot:
    """A stand-in at one moment."""

    firmware: Firmware
    word: str
    """The firmware's word for the state."""
    seconds_in_state: int
    power_w: int
    hashrate_ths: float
    nominal_ths: float
    chip_celsius: int
    throttled_percent: int
    failure_code: int
    failure_text: str
    restart_required: bool
    unlocked: bool
    settings: dict[str, Any]
    shares: int
    mac: str
    serial: str
    model: str


def status(now: Snapshot) -> dict[str, Any]:
    """`/status`."""
    return {
        **_miner_status(now),
        "restart_required": now.restart_required,
        "reboot_required": False,
        "find_miner": False,
        "unlocked": now.unlocked,
        "unlock_timeout": 3600,
        "warranty": "inactive",
    }


def summary(now: Snapshot) -> dict[str, Any]:
    """`/summary`."""
    miner: dict[str, Any] = {
        "miner_status": _miner_status(now),
        "miner_type": f"{now.model} (Vnish {now.firmware.version})",
        "average_hashrate": round(now.hashrate_ths, 4),
        "instant_hashrate": round(now.hashrate_ths, 4),
        **_hashrates(now),
        "pcb_temp": {"min": max(now.chip_celsius - 30, 0), "max": max(now.chip_celsius - 15, 0)},
        "chip_temp": {"min": max(now.chip_celsius - 8, 0), "max": now.chip_celsius},
        **_powers(now),
        "power_efficiency": round(now.power_w / now.hashrate_ths, 2) if now.hashrate_ths else 0.0,
        "hw_errors_percent": 0.0,
        "hr_error": 0.0,
        "hw_errors": 0,
        "devfee_percent": 2.8,
        "devfee": 0.0,
        "pools": [_pool(number, pool, now.shares) for number, pool in enumerate(now.settings["miner"]["pools"])],
        "cooling": _cooling(now),
        "chains": [_chain(number, now) for number in range(1, _BOARDS + 1)],
        "found_blocks": 0,
        "best_share": 0,
    }
    if now.firmware.boards:
        miner["restart_count"] = 0
    if now.firmware.hr_nominal:
        miner["psu"] = None
    answer: dict[str, Any] = {"miner": miner}
    if now.firmware.network_in_summary:
        answer["system"] = _system(now)
    return answer


def flat_summary(now: Snapshot) -> dict[str, Any]:
    """A form without nesting and without a state, as wild builds were reported to have."""
    return {
        "is_mining": "true" if now.word in {"mining", "auto-tuning"} else "false",
        "instant_hashrate": round(now.hashrate_ths, 4),
        "power_consumption": now.power_w,
        "chip_temp": {"min": 0, "max": now.chip_celsius},
    }


def info(now: Snapshot) -> dict[str, Any]:
    """`/info`."""
    return {
        "miner": now.model,
        "model": now.model.removeprefix("Antminer ").replace(" ", "").lower(),
        "fw_name": "Vnish",
        "fw_version": now.firmware.version,
        "build_time": "2025-05-29 19:22:26+00:00",
        "platform": "aml",
        "install_type": "nand",
        "algorithm": "sha256d",
        "hr_measure": "GH/s",
        "serial": now.serial,
        "system": _system(now),
    }


# --- parts ------------------------------------------------------------------------------------------------------------


def _miner_status(now: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = {"miner_state": now.word, "miner_state_time": now.seconds_in_state}
    if now.firmware.throttle:
        found["throttled"] = now.throttled_percent
    if now.word == "failure":
        found |= {"description": now.failure_text, "failure_code": now.failure_code}
    return found


def _hashrates(now: Snapshot) -> dict[str, Any]:
    ghs = round(now.hashrate_ths * 1000, 1)
    found: dict[str, Any] = {"hr_realtime": ghs, "hr_average": ghs} if now.firmware.hr_fields else {}
    if now.firmware.hr_nominal:
        found |= {"hr_nominal": round(now.nominal_ths * 1000, 1), "hr_stock": round(now.nominal_ths * 1000)}
    return found


def _powers(now: Snapshot) -> dict[str, Any]:
    if not now.firmware.power_consumption:
        return {"power_usage": float(now.power_w)}
    return {"power_consumption": now.power_w, "power_usage": now.power_w}


def _pool(number: int, pool: dict[str, Any], shares: int) -> dict[str, Any]:
    return {
        "id": number,
        "url": pool["url"],
        "pool_type": "UserPool",
        "user": pool["user"],
        "status": "active" if number == 0 else "working",
        "asic_boost": True,
        "diff": "262K",
        "accepted": shares if number == 0 else 0,
        "rejected": 1,
        "stale": 0,
        "ls_diff": 262_144.0,
        "ls_time": "0:00:40",
        "diffa": 31_850_496.0,
        "ping": 31,
    }


def _cooling(now: Snapshot) -> dict[str, Any]:
    fans = [{"id": number, "rpm": 5_100, "max_rpm": 6_000, "status": "ok"} for number in range(4)]
    mode = {"name": "auto", "param": 65} if now.firmware.boards else {"name": "auto"}
    return {"fan_num": 4, "fans": fans, "settings": {"mode": mode}, "fan_duty": 60 if now.hashrate_ths else 10}


def _chain(number: int, now: Snapshot) -> dict[str, Any]:
    chip = {"min": max(now.chip_celsius - 8, 0), "max": now.chip_celsius}
    state = {"mining": "mining", "auto-tuning": "mining", "stopped": "stopped", "failure": "failure"}
    watts = "power_consumption" if now.firmware.power_consumption else "power_usage"
    return {
        "id": number,
        "frequency": 545.0 if now.hashrate_ths else 0.0,
        "voltage": 13_800,
        watts: now.power_w // _BOARDS,
        "hashrate_ideal": round(now.nominal_ths * 1000 / _BOARDS, 1),
        "hashrate_rt": round(now.hashrate_ths * 1000 / _BOARDS, 1),
        "hashrate_percentage": 100.0 if now.hashrate_ths else 0.0,
        "hr_error": 0.0,
        "hw_errors": 0,
        "pcb_temp": chip,
        "chip_temp": chip,
        "chip_statuses": {"red": 0, "orange": 0, "grey": 0},
        "status": {"state": state.get(now.word, "initializing")},
    }


def _system(now: Snapshot) -> dict[str, Any]:
    return {
        "os": "GNU/Linux",
        "miner_name": "antminer",
        "file_system_version": "",
        "mem_total": 233_712,
        "mem_free": 173_956,
        "mem_free_percent": 74,
        "mem_buf": 31_928,
        "mem_buf_percent": 13,
        "network_status": {
            "mac": now.mac,
            "dhcp": True,
            "ip": "192.0.2.20",
            "netmask": "255.255.255.0",
            "gateway": "192.0.2.1",
            "dns": ["192.0.2.1"],
            "hostname": "antminer",
        },
        "uptime": "9 days,  3:58",
    }
