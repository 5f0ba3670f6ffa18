"""What an AxeOS stand-in answers, generation by generation. Pure: from a snapshot to JSON."""

import math
from dataclasses import dataclass
from typing import Any

from services.simulator.axeos_board import Board
from services.simulator.axeos_body import SHARE_DIFFICULTY
from services.simulator.axeos_firmware import Firmware
from services.simulator.axeos_keys import as_told, keys_of

_SENSOR_STEP_CELSIUS = 0.125
_OLD_LABELS = "hashRate temp vrTemp power voltage current coreVoltageActual fanspeed fanrpm wifiRSSI freeHeap"
_NEW_LABELS = "hashrate asicTemp vrTemp asicVoltage voltage power current fanSpeed fanRpm wifiRssi freeHeap"


@dataclass(frozen=True)
class Snapshot:
    """A stand-in at one moment."""

    board: Board
    firmware: Firmware
    settings: dict[str, Any]
    mac: str
    seconds: float
    """Since its boot."""
    chip_celsius: float | None
    """None: the chips are off."""
    regulator_celsius: float
    core_w: float
    fan: float
    voltage_mv: float
    frequency_mhz: float
    hashrate_ghs: float
    averages_ghs: tuple[float, ...]
    expected_ghs: float
    shares: int
    rejected: int
    paused: bool
    stuck: bool
    power_fault: str | None
    reset_reason: str


def info(now: Snapshot) -> dict[str, Any]:
    """`/api/system/info`."""
    everything = {**_measured(now), **_settings(now), **_work(now), **_system(now), **_pools(now)}
    everything |= _fork(now) if now.firmware.fork else {}
    answer = {key: as_told(now.firmware, key, everything[key]) for key in keys_of(now.firmware)}
    if now.power_fault is not None and now.firmware.number >= (2, 6) and not now.firmware.fork:
        answer["power_fault"] = now.power_fault
    return answer


def asic(now: Snapshot) -> dict[str, Any]:
    """`/api/system/asic`."""
    board, chip = now.board, now.board.chip
    answer: dict[str, Any] = {
        "ASICModel": chip.name,
        "deviceModel": board.model,
        "swarmColor": board.color,
        "asicCount": board.chips,
        "defaultFrequency": chip.default_mhz,
        "frequencyOptions": list(chip.options_mhz),
        "defaultVoltage": chip.default_mv,
        "voltageOptions": list(chip.options_mv),
    }
    if now.firmware.number >= (2, 11):
        answer["hashDomains"] = chip.domains
    if now.firmware.fork:
        answer |= {"absMaxFrequency": 800, "absMaxVoltage": 1400, "ecoFrequency": 525, "ecoVoltage": 1120}
    return answer


def statistics(now: Snapshot) -> dict[str, Any]:
    """`/api/system/statistics` of a device that keeps none."""
    labels = (_NEW_LABELS if now.firmware.number >= (2, 11) else _OLD_LABELS).split()
    return {"currentTimestamp": int(now.seconds * 1000), "labels": [*labels, "timestamp"], "statistics": []}


# --- parts ------------------------------------------------------------------------------------------------------------


def _measured(now: Snapshot) -> dict[str, Any]:
    board, off = now.board, 0.0 if now.firmware.fork else -1.0
    power_w = board.told_w(now.core_w)
    input_mv = board.input_v * 1000 * (1.01 if board.input_v < 12 else 0.993)  # noqa: PLR2004 - the larger boards' volts
    core_ma = now.core_w / (now.voltage_mv / 1000) * 1000 if now.voltage_mv else 0.0
    sensed = board.regulator_kelvin_per_watt is not None
    chip = off if now.chip_celsius is None else _stepped(now.chip_celsius)
    return {
        "power": power_w,
        "voltage": round(input_mv / 1.5625) * 1.5625,
        # The core's own current where the regulator tells it, else what comes in: not to be multiplied with `voltage`.
        "current": core_ma if board.estimate_w is not None else power_w / input_mv * 1e6,
        "temp": chip,
        "temp2": chip - 1.5 if board.second_sensor and now.chip_celsius is not None else -1,
        "vrTemp": round(now.regulator_celsius) if sensed else 0,
        "coreVoltageActual": max(0, round(now.voltage_mv) - 4),
        "actualFrequency": now.frequency_mhz or 50,
        "fanspeed": now.fan * 100,
        "fanrpm": round(now.fan * 7000),
        "fan2rpm": 0,
        "hashRate": now.hashrate_ghs,
        "hashRate_1m": now.averages_ghs[0],
        "hashRate_10m": now.averages_ghs[1],
        "hashRate_1h": now.averages_ghs[2],
        "expectedHashrate": now.expected_ghs,
        "errorPercentage": 0,
    }


def _settings(now: Snapshot) -> dict[str, Any]:
    named = (
        "frequency coreVoltage autofanspeed manualFanSpeed minFanSpeed temptarget overheat_mode overclockEnabled "
        "statsFrequency displayTimeout rotation invertscreen hostname ssid"
    )
    found = {key: now.settings[key] for key in named.split()}
    found |= {"frequency": float(found["frequency"]), "flipscreen": 1, "invertfanpolarity": 1, "useCustomWWW": 0}
    return found | {"display": "SSD1306 (128x32)", "fullHostname": f"{found['hostname']}.local", "statsLimit": 720}


def _work(now: Snapshot) -> dict[str, Any]:
    best = 4_294_967_296 + 1000 * now.shares
    newer = now.firmware.validates or now.firmware.fork
    total, domains = now.hashrate_ghs / now.board.chips, now.board.chip.domains
    monitor = {"total": round(total, 7), "domains": [round(total / domains, 7)] * domains, "errorCount": 0}
    reasons = [{"message": "Above target", "count": now.rejected}] if now.rejected else []
    return {
        "bestDiff": best if newer else f"{best / 1e9:.2f}G",
        "bestSessionDiff": 1000 * now.shares if newer else f"{now.shares}k",
        "poolDifficulty": SHARE_DIFFICULTY,
        "stratumDiff": SHARE_DIFFICULTY,
        "sharesAccepted": now.shares - now.rejected,
        "sharesRejected": now.rejected,
        "sharesRejectedReasons": reasons,
        "sharesPending": 0,
        "workReceived": int(now.seconds // 30),
        "hashrateMonitor": {"asics": [monitor] * now.board.chips},
        "totalHashes": now.hashrate_ghs * 1e9 * now.seconds,
        "totalLog2Work": math.log2(now.hashrate_ghs * 1e9 * now.seconds + 1),
        "totalUptimeSeconds": int(now.seconds) + 86_400,
        "blockFound": 0,
        "showNewBlock": False,
        "blockHeight": 931_000,
        "scriptsig": "example",
        "networkDifficulty": 146_000_000_000_000,
        "blockSignals": [],
        "coinbaseOutputs": [],
        "coinbaseValueTotalSatoshis": 315_000_000,
        "coinbaseValueUserSatoshis": 315_000_000,
    }


def _system(now: Snapshot) -> dict[str, Any]:
    board, version = now.board, now.firmware.version
    partition = {"label": "ota_0", "isCurrent": True, "isFactory": False, "version": version, "usagePercent": 62}
    return {
        "miningPaused": now.paused,
        "maxPower": board.max_w,
        "nominalVoltage": board.input_v,
        "asicCount": board.chips,
        "smallCoreCount": board.chip.small_cores,
        "ASICModel": board.chip.name,
        "boardVersion": board.version,
        "macAddr": now.mac,
        "ipv4": "192.0.2.30",
        "ipv6": "FE80::1",
        "wifiStatus": "Connected!",
        "wifiRSSI": -52,
        "apEnabled": 0,
        "uptimeSeconds": int(now.seconds),
        "resetReason": now.reset_reason,
        "runningPartition": "ota_0",
        "partitions": [{**partition, "compileDate": "Aug 20 2026", "compileTime": "10:00:00"}],
        "version": version,
        "axeOSVersion": version,
        "idfVersion": "v5.5.1" if now.firmware.validates else "v5.4",
        "isPSRAMAvailable": 1,
        "freeHeap": 8_166_000,
        "freeHeapInternal": 104_000,
        "freeHeapSpiram": 8_062_000,
        "minFreeHeap": 8_020_000,
        "maxAllocHeap": 63_488,
        "cpuUsage": 21.5,
        "responseTime": 34.5,
        "responseShareBatch": 1,
        "processTime": 1.9,
    }


def _pools(now: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = {"isUsingFallbackStratum": 0, "useFallbackStratum": 0, "poolAddrFamily": 2}
    found |= {"poolConnectionInfo": "IPv4", "primaryPoolIndex": 0, "secondaryPoolIndex": 1, "pools": []}
    for number, prefix in enumerate(("stratum", "fallbackStratum")):
        more = {
            "SuggestedDifficulty": 1000,
            "ExtranonceSubscribe": False,
            "TLS": 0,
            "Cert": "",
            "DecodeCoinbase": True,
            "Protocol": "SV1",
            "V2AuthorityPubkey": "",
            "V2ChannelType": "extended",
        }
        more |= {key: now.settings[f"{prefix}{key}"] for key in ("URL", "Port", "User")}
        found |= {f"{prefix}{key}": value for key, value in more.items()}
        pool = {f"stratum{key}": value for key, value in more.items()}
        found["pools"].append({"id": number, **pool, "stratumPassword": "*****", "stratumV2RequireAuth": False})
    return found


def _fork(now: Snapshot) -> dict[str, Any]:
    """What a NerdQAxe tells otherwise, or besides."""
    chip_celsius = 0.0 if now.chip_celsius is None else _stepped(now.chip_celsius)
    measured, board = _measured(now), now.board
    return {
        "deviceModel": board.model,
        "hostip": "192.0.2.30",
        "minPower": 52,
        "maxVoltage": 13,
        "minVoltage": 11,
        "currentA": measured["current"] / 1000,
        "vrTempInt": measured["vrTemp"],
        "hashRateTimestamp": int(now.seconds * 1000),
        "hashRate_1d": now.averages_ghs[2],
        "defaultCoreVoltage": board.chip.default_mv,
        "defaultFrequency": board.chip.default_mhz,
        "fanrpm2": 0,
        "fanCount": 1,
        "shutdown": now.stuck,
        "foundBlocks": 0,
        "asicTemps": [chip_celsius] * board.chips,
        "pidTargetTemp": now.settings["temptarget"],
        "stratum": {"poolMode": 0, "pools": []},
        "jobInterval": 500,
        "stratumDifficulty": SHARE_DIFFICULTY,
        "overheat_temp": 70,
        "autoscreenoff": 0,
        "otp": False,
        "lastResetReason": now.reset_reason,
        "freeHeapInt": 104_000,
    }


def _stepped(celsius: float) -> float:
    return round(celsius / _SENSOR_STEP_CELSIUS) * _SENSOR_STEP_CELSIUS
