"""`multi_scheduler_config.json` of the Bitaxe scheduler: two settings, by day and by night. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from deploy.console.importing.harvest import Harvest, Machine, Windows, duration, number, tidy, words
from deploy.console.importing.of_soc_controller import written
from shared.settings.address import parse_address
from shared.settings.bitaxe import MAX_FREQUENCY_MHZ, MAX_VOLTAGE_MV

_DAY = {"start_time": "07:30", "end_time": "20:00", "voltage": 1150, "frequency": 450}
_NIGHT = {"start_time": "20:00", "end_time": "07:30", "voltage": 1250, "frequency": 550}
_MINER_KEYS = {"name", "ip", "enabled", "day_settings", "night_settings"}
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::\d{2})?")
_UNNEEDED = {
    "check_interval": "a schedule switches at once, and each miner is read every rules.poll (10 s)",
    "temp_check_interval": "the script read it nowhere; here every reading is looked at",
    "log_stats_interval": "statistics are kept each minute, and outlive restarts",
    "parallel_operations": "each miner has a thread of its own",
    "max_workers": "each miner has a thread of its own",
    "retry_attempts": "what had no effect is tried again with back-off until it has",
    "retry_delay": "what had no effect is tried again with back-off until it has",
}
_LIMITS = {
    "max_voltage": ("max_voltage_mv", MAX_VOLTAGE_MV),
    "max_frequency": ("max_frequency_mhz", MAX_FREQUENCY_MHZ),
    "max_temp": ("max_chip_celsius", 70.0),
    "max_power": ("max_w", None),
}
_MAX_POWER_W = 15
"""What the script held to where its file was silent."""
_GLOBAL = {
    *("miners", "global_day_settings", "global_night_settings"),
    *("smooth_transition", "transition_steps", "transition_delay"),
    *_LIMITS,
    *_UNNEEDED,
}
_ALL = "all miners"


def is_bitaxe_schedulers(data: Any) -> bool:
    """Whether a file is one of these."""
    return isinstance(data, dict) and isinstance(data.get("miners"), list)


def harvest_scheduler(file: str, data: Mapping[str, Any]) -> Harvest:
    """All that it says."""
    harvest = Harvest(file, follows_the_clock=True)
    common = _common_keys(harvest, data)
    day = _global(harvest, data, "global_day_settings", _DAY)
    night = _global(harvest, data, "global_night_settings", _NIGHT)
    hours = _hours(harvest, day, night)
    for key, why in _UNNEEDED.items():
        if key in data:
            harvest.lose(_ALL, key, data[key], why)
    harvest.lose_unknown(_ALL, data, _GLOBAL)
    seen: dict[str, str] = {}
    for index, miner in enumerate(data["miners"]):
        entry = str(miner.get("name") or f"entry {index + 1}") if isinstance(miner, dict) else f"entry {index + 1}"
        if not isinstance(miner, dict):
            harvest.refuse(entry, "this is no miner", "write it as { ... }")
            continue
        machine = _machine(harvest, entry, miner, common)
        if machine is None:
            continue
        if machine.address in seen:
            harvest.lose(entry, "ip", miner.get("ip"), f"is the address of {seen[str(machine.address)]} already")
            continue
        seen[str(machine.address)] = entry
        own_day = _own(harvest, entry, miner, "day_settings", day)
        own_night = _own(harvest, entry, miner, "night_settings", night)
        machine.windows = _windows(harvest, entry, hours, (own_day, own_night), common)
        harvest.machines.append(machine)
    return harvest


def _machine(harvest: Harvest, entry: str, miner: Mapping[str, Any], common: Mapping[str, Any]) -> Machine | None:
    try:
        address = parse_address(miner.get("ip"))
    except ValueError as error:
        harvest.refuse(entry, str(error).partition(": ")[0], "correct ip in that file")
        return None
    keys: dict[str, Any] = {"driver": "bitaxe", "host": written(address)}
    harvest.keep(entry, "ip", miner.get("ip"), f"host: {keys['host']}")
    if "enabled" in miner:
        harvest.keep(entry, "enabled", miner["enabled"], f"enabled: {str(bool(miner['enabled'])).lower()}")
        keys |= {} if miner["enabled"] else {"enabled": False}
    harvest.lose_unknown(entry, miner, _MINER_KEYS)
    name = words(miner.get("name"))
    return Machine(harvest.file, name, f"bitaxe-{address.host.rpartition('.')[2]}", {**keys, **common}, str(address))


def _common_keys(harvest: Harvest, data: Mapping[str, Any]) -> dict[str, Any]:
    """Limits and ramps, which the script had once for all; those that are the default here need not be written."""
    keys: dict[str, Any] = {}
    for key, (name, usual) in _LIMITS.items():
        if data.get(key) is None:
            if key == "max_power":
                keys[name] = _MAX_POWER_W
                harvest.keep(_ALL, key, "not given", f"{name}: {_MAX_POWER_W}, to which the script held then")
            continue
        found = number(data[key])
        if found is None or found <= 0:
            harvest.refuse(_ALL, f"{key} is {data[key]!r}, which is no limit", "correct it in that file")
            continue
        same = usual is not None and found == usual
        keys |= {} if same else {name: tidy(found)}
        note = "; the default here" if same else "; a cap: it is dimmed to what fits" if name == "max_w" else ""
        harvest.keep(_ALL, key, data[key], f"{name}: {tidy(found)}{note}")
    return keys | _ramp(harvest, data)


def _ramp(harvest: Harvest, data: Mapping[str, Any]) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    smooth = data.get("smooth_transition", True)
    if "smooth_transition" in data:
        became = "as always: steps and delay" if smooth else "steps: 1"
        harvest.keep(_ALL, "smooth_transition", smooth, became)

    def steps(value: float) -> None:
        wanted = min(max(int(value), 1), 100)
        keys.update({} if wanted == 5 else {"steps": wanted})  # noqa: PLR2004 - the default, there and here
        harvest.keep(_ALL, "transition_steps", data["transition_steps"], f"steps: {wanted}")

    def delay(value: float) -> None:
        wanted = max(value, 1.0)
        keys.update({} if wanted == 10 else {"delay": duration(wanted)})  # noqa: PLR2004 - the default, there and here
        least = "" if value >= 1 else ", the least that is allowed"
        harvest.keep(_ALL, "transition_delay", data["transition_delay"], f"delay: {duration(wanted)}{least}")

    for key, take in (("transition_steps", steps), ("transition_delay", delay)):
        if data.get(key) is not None:
            if smooth:
                harvest.number(_ALL, key, data[key], take)
            else:
                harvest.lose(_ALL, key, data[key], "without smooth_transition it counts for nothing")
    return keys if smooth else {"steps": 1}


def _global(harvest: Harvest, data: Mapping[str, Any], key: str, usual: Mapping[str, Any]) -> dict[str, Any]:
    given = data.get(key)
    if given is None:
        return dict(usual)
    if not isinstance(given, dict):
        harvest.refuse(_ALL, f"{key} is no section", "write it as { ... }")
        return dict(usual)
    for name in given:
        if name in {"voltage", "frequency"}:
            harvest.keep(key, name, given[name], f"schedules: {name}_{'mv' if name == 'voltage' else 'mhz'}")
    harvest.lose_unknown(key, given, usual)
    return {**usual, **{name: value for name, value in given.items() if value is not None}}


def _hours(harvest: Harvest, day: Mapping[str, Any], night: Mapping[str, Any]) -> tuple[str, str]:
    """When the day begins and ends. The night is what is left of it, whatever its own times say."""
    found = []
    for name in ("start_time", "end_time"):
        match = _CLOCK.fullmatch(str(day[name]).strip())
        if match is None:
            harvest.refuse("global_day_settings", f"{name} is {day[name]!r}, which is no time of day", "write 07:30")
            return "07:30", "20:00"
        found.append(f"{int(match[1]):02}:{match[2]}")
        harvest.keep("global_day_settings", name, day[name], f"schedules: {'from' if name == 'start_time' else 'to'}")
    for name, opposite in (("start_time", found[1]), ("end_time", found[0])):
        match = _CLOCK.fullmatch(str(night[name]).strip())
        same = match is not None and f"{int(match[1]):02}:{match[2]}" == opposite
        if same:
            harvest.keep("global_night_settings", name, night[name], "schedules: where the day ends, the night begins")
        else:
            harvest.lose("global_night_settings", name, night[name], f"the script read it nowhere: {opposite} counts")
    return found[0], found[1]


def _own(
    harvest: Harvest, entry: str, miner: Mapping[str, Any], key: str, usual: Mapping[str, Any]
) -> Mapping[str, Any]:
    given = miner.get(key)
    if given is None:
        if key in miner:
            harvest.keep(entry, key, None, "as for all")
        return usual
    if not isinstance(given, dict):
        harvest.refuse(entry, f"{key} is no section", "write it as { ... }, or null")
        return usual
    for name, value in given.items():
        if name in {"voltage", "frequency"}:
            harvest.keep(entry, f"{key}.{name}", value, "a schedule of its own")
        else:
            harvest.lose(entry, f"{key}.{name}", value, "the script read it nowhere for a single miner")
    for name in {"voltage", "frequency"} - given.keys():
        harvest.lose(entry, f"{key}.{name}", "not given", f"{usual[name]}, as for all")
    return {**usual, **{name: value for name, value in given.items() if value is not None}}


def _windows(
    harvest: Harvest,
    entry: str,
    hours: tuple[str, str],
    settings: tuple[Mapping[str, Any], Mapping[str, Any]],
    common: Mapping[str, Any],
) -> Windows | None:
    points = [_point(harvest, entry, setting, common) for setting in settings]
    if points[0] is None or points[1] is None:
        return None
    if hours[0] == hours[1]:
        harvest.lose(entry, "global_day_settings", hours[0], "a day of no length: the night holds all the time")
        return ((("from", "00:00"), ("to", "24:00"), *points[1]),)
    day = (("from", hours[0]), ("to", hours[1]), *points[0])
    night = (("from", hours[1]), ("to", hours[0]), *points[1])
    return day, night


def _point(
    harvest: Harvest, entry: str, setting: Mapping[str, Any], common: Mapping[str, Any]
) -> tuple[tuple[str, Any], ...] | None:
    """Voltage and frequency within the limits, to which the script held them, too."""
    found: list[tuple[str, Any]] = []
    for name, key, usual in (
        ("voltage", "voltage_mv", MAX_VOLTAGE_MV),
        ("frequency", "frequency_mhz", MAX_FREQUENCY_MHZ),
    ):
        value, most = number(setting[name]), common.get(f"max_{key}", usual)
        if value is None or (name == "voltage" and value != int(value)):
            harvest.refuse(entry, f"{name} is {setting[name]!r}, which is no {name}", "correct it in that file")
            return None
        if value > most:
            harvest.lose(entry, name, setting[name], f"{tidy(most)}, the limit of that file")
        found.append((key, tidy(min(value, most))))
    return tuple(found)
