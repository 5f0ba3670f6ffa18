"""What younger Kasa devices answer: methods with parameters, one or several in a request."""

import base64
from typing import Any

from services.simulator.kasa_machine import KasaMachine, Outlet

_UNKNOWN_METHOD = -1002
_BAD_ARGUMENT = -1008
_REFUSED = -1301
_COMPONENTS = {"device": 2, "energy_monitoring": 2}


def answered(machine: KasaMachine, asked: Any) -> dict[str, Any]:
    """The answer to one request. Must be called with the machine's lock held."""
    if not isinstance(asked, dict):
        return {"error_code": _BAD_ARGUMENT}
    given = asked.get("params")
    if asked.get("method") != "multipleRequest":
        return _one(machine, asked)
    requests = given.get("requests", []) if isinstance(given, dict) else []
    responses = [{"method": each.get("method"), **_one(machine, each)} for each in requests if isinstance(each, dict)]
    return {"error_code": 0, "result": {"responses": responses}}


def _one(machine: KasaMachine, asked: dict[str, Any]) -> dict[str, Any]:
    machine.heard.append(asked)
    plug = machine.outlets[0]
    plug.count()
    name = asked.get("method")
    if name == "set_device_info":
        return _set(machine, plug, asked.get("params"))
    if name in _METERED and (machine.faults.meter_fails or not machine.model.meter):
        return {"error_code": _REFUSED}
    tells = _TELLS.get(str(name))
    return {"error_code": _UNKNOWN_METHOD} if tells is None else {"error_code": 0, "result": tells(machine, plug)}


def _set(machine: KasaMachine, plug: Outlet, given: Any) -> dict[str, Any]:
    on = given.get("device_on") if isinstance(given, dict) else None
    if not isinstance(on, bool):
        return {"error_code": _BAD_ARGUMENT}
    return {"error_code": 0 if machine.relay(plug, on=on) else _REFUSED}


def _components(_machine: KasaMachine, _plug: Outlet) -> dict[str, Any]:
    return {"component_list": [{"id": name, "ver_code": version} for name, version in _COMPONENTS.items()]}


def _info(machine: KasaMachine, plug: Outlet) -> dict[str, Any]:
    return {
        "avatar": "plug",
        "default_states": {"state": {}, "type": "last_states"},
        "device_id": machine.device_id,
        "device_on": plug.on,
        "fw_id": machine.device_id[:32],
        "fw_ver": machine.model.firmware,
        "has_set_location_info": False,
        "hw_id": machine.device_id[:32],
        "hw_ver": machine.model.hardware,
        "ip": "192.0.2.50",
        "lang": "en_US",
        "mac": machine.mac.replace(":", "-"),
        "model": machine.model.name,
        "nickname": base64.b64encode(plug.alias.encode()).decode(),
        "oem_id": machine.device_id[:32],
        "on_time": plug.on_seconds,
        "overheated": False,
        "region": "UTC",
        "rssi": -50,
        "signal_level": 3,
        "specs": "",
        "ssid": base64.b64encode(b"farm").decode(),
        "time_diff": 0,
        "type": "SMART.KASAPLUG",
    }


def _usage(machine: KasaMachine, plug: Outlet) -> dict[str, Any]:
    return {
        "current_power": round(plug.power_w * 1000),
        "electricity_charge": [0, 0, 0],
        "local_time": machine.calendar.now().astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "month_energy": round(plug.month_wh),
        "month_runtime": 0,
        "today_energy": round(plug.today_wh),
        "today_runtime": 0,
    }


def _realtime(machine: KasaMachine, plug: Outlet) -> dict[str, Any]:
    volts = machine.model.volts
    return {
        "current_ma": round(plug.power_w / volts * 1000),
        "energy_wh": round(plug.total_wh),
        "power_mw": round(plug.power_w * 1000),
        "voltage_mv": round(volts * 1000),
    }


def _watts(_machine: KasaMachine, plug: Outlet) -> dict[str, Any]:
    return {"current_power": round(plug.power_w)}


def _gains(_machine: KasaMachine, _plug: Outlet) -> dict[str, Any]:
    return {"igain": 10_000, "vgain": 120_000}


_TELLS = {
    "component_nego": _components,
    "get_device_info": _info,
    "get_energy_usage": _usage,
    "get_current_power": _watts,
    "get_emeter_data": _realtime,
    "get_emeter_vgain_igain": _gains,
}
_METERED = {"get_energy_usage", "get_current_power", "get_emeter_data"}
