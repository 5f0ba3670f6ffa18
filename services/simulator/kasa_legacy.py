"""What older Kasa devices answer: from JSON to JSON, module by module."""

from typing import Any

from services.simulator.kasa_machine import KasaMachine, Outlet

_NO_MODULE = {"err_code": -1, "err_msg": "module not support"}
_NO_METHOD = {"err_code": -2, "err_msg": "member not support"}
_BAD_ARGUMENT = {"err_code": -3, "err_msg": "invalid argument"}
_REFUSED = {"err_code": -7, "err_msg": "relay failure"}
_DONE = {"err_code": 0}


def answered(machine: KasaMachine, asked: Any) -> dict[str, Any]:
    """The answer to one request. Must be called with the machine's lock held."""
    if not isinstance(asked, dict):
        return dict(_BAD_ARGUMENT)
    machine.heard.append(asked)
    chosen = _chosen(machine, asked.get("context"))
    found: dict[str, Any] = {}
    for module, methods in asked.items():
        if module == "context":
            continue
        if not isinstance(methods, dict) or (module == "emeter" and not machine.model.meter):
            found[module] = _NO_MODULE
            continue
        found[module] = (
            {name: _method(machine, module, name, given, chosen) for name, given in methods.items()}
            if module in {"system", "emeter"}
            else _NO_MODULE
        )
    return found


def sysinfo(machine: KasaMachine) -> dict[str, Any]:
    """What it tells of itself, on the wire and to those who look for devices."""
    model = machine.model
    told: dict[str, Any] = {
        "alias": machine.alias,
        "deviceId": machine.device_id,
        "err_code": 0,
        "feature": "TIM:ENE" if model.meter else "TIM",
        "hwId": machine.device_id[:32],
        "hw_ver": model.hardware,
        "led_off": 0,
        "mac": machine.mac,
        "model": model.name,
        "oemId": machine.device_id[8:],
        "rssi": -52,
        "sw_ver": model.firmware,
        "type" if model.floats else "mic_type": "IOT.SMARTPLUGSWITCH",
        "updating": 0,
    }
    if machine.is_strip:
        return told | {"child_num": model.outlets, "children": [_child(outlet) for outlet in machine.outlets]}
    plug = machine.outlets[0]
    return told | {
        "active_mode": "none",
        "dev_name": "Smart Wi-Fi Plug",
        "next_action": {"type": -1},
        "on_time": plug.on_seconds,
        "relay_state": int(plug.on),
    }


def _child(outlet: Outlet) -> dict[str, Any]:
    return {
        "alias": outlet.alias,
        "id": outlet.identifier,
        "next_action": {"type": -1},
        "on_time": outlet.on_seconds,
        "state": int(outlet.on),
    }


def _chosen(machine: KasaMachine, context: Any) -> list[Outlet] | None:
    """The outlets that the request is about; None: it names some that do not exist."""
    if context is None:
        return machine.outlets
    named = context.get("child_ids", []) if isinstance(context, dict) else []
    by_id = {outlet.identifier: outlet for outlet in machine.outlets}
    return [by_id[each] for each in named] if named and all(each in by_id for each in named) else None


def _method(machine: KasaMachine, module: str, name: str, given: Any, chosen: list[Outlet] | None) -> dict[str, Any]:
    if module == "system" and name == "get_sysinfo":
        return sysinfo(machine)
    if chosen is None:
        return _BAD_ARGUMENT
    if module == "system":
        return _set_relays(machine, given, chosen) if name == "set_relay_state" else _NO_METHOD
    if machine.faults.meter_fails:
        return _REFUSED
    for outlet in chosen:
        outlet.count()
    tells = {"get_realtime": _realtime, "get_daystat": _days, "get_monthstat": _months}.get(name)
    return _NO_METHOD if tells is None else {**tells(machine, chosen), "err_code": 0}


def _set_relays(machine: KasaMachine, given: Any, chosen: list[Outlet]) -> dict[str, Any]:
    state = given.get("state") if isinstance(given, dict) else None
    if state not in {0, 1}:
        return _BAD_ARGUMENT
    if machine.is_strip and len(chosen) > 1:
        machine.parent_switched += 1
    said = [machine.relay(outlet, on=state == 1) for outlet in chosen]
    return _DONE if all(said) else _REFUSED


def _realtime(machine: KasaMachine, chosen: list[Outlet]) -> dict[str, Any]:
    power_w, volts = sum(outlet.power_w for outlet in chosen), machine.model.volts
    total_wh = sum(outlet.total_wh for outlet in chosen)
    if machine.model.floats:
        return {"power": power_w, "voltage": volts, "current": power_w / volts, "total": total_wh / 1000}
    return {
        "power_mw": round(power_w * 1000),
        "voltage_mv": round(volts * 1000),
        "current_ma": round(power_w / volts * 1000),
        "total_wh": round(total_wh),
    }


def _days(machine: KasaMachine, chosen: list[Outlet]) -> dict[str, Any]:
    today = machine.calendar.now().astimezone()
    return {
        "day_list": [
            {
                "year": today.year,
                "month": today.month,
                "day": today.day,
                **_energy(machine, sum(outlet.today_wh for outlet in chosen)),
            }
        ]
    }


def _months(machine: KasaMachine, chosen: list[Outlet]) -> dict[str, Any]:
    today = machine.calendar.now().astimezone()
    energy = _energy(machine, sum(outlet.month_wh for outlet in chosen))
    return {"month_list": [{"year": today.year, "month": today.month, **energy}]}


def _energy(machine: KasaMachine, energy_wh: float) -> dict[str, float]:
    return {"energy": energy_wh / 1000} if machine.model.floats else {"energy_wh": round(energy_wh)}
