"""Several files made into one farm: the same address is one machine, and every machine gets an id. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.console.editing.naming import free_id
from deploy.console.importing.harvest import Harvest, Line, Machine, Windows

_SCHEDULE = "day-and-night"


@dataclass
class Gathered:
    """What shall stand in the farm file, and beside it."""

    files: list[str] = field(default_factory=list)
    miners: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    """The files that each miner comes from."""
    schedules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pools: dict[str, Any] = field(default_factory=dict)
    battery: dict[str, Any] | None = None
    time_zone: str | None = None
    passwords: dict[str, str] = field(default_factory=dict)
    """By id of the miner."""
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Present:
    """What the farm file has already; a fresh one has nothing."""

    by_address: Mapping[str, str] = field(default_factory=dict)
    by_outlet: Mapping[str, str] = field(default_factory=dict)
    ids: Collection[str] = ()
    schedules: Mapping[str, Any] = field(default_factory=dict)


def gather(harvests: Sequence[Harvest], present: Present, time_zone: str | None) -> Gathered:
    """One farm of all files, in their order."""
    result = Gathered(files=[harvest.file for harvest in harvests])
    for harvest in harvests:
        result.lines += harvest.lines
        result.pools |= harvest.pools
        result.battery = result.battery or harvest.battery
    if any(harvest.follows_the_clock for harvest in harvests):
        result.time_zone = time_zone
    joined: list[list[Machine]] = []
    for machine in (machine for harvest in harvests for machine in harvest.machines):
        known = _identity(machine, present)
        same = next((each for each in joined if known is not None and _identity(each[0], present) == known), None)
        if same is None:
            joined.append([machine])
        else:
            same.append(machine)
    names = _names(joined, present)
    for machines, name in zip(joined, names, strict=True):
        _take(result, machines, name, present)
    _hold_back_nameless_rigs(result, present)
    return result


def _present_name(machine: Machine, present: Present) -> str | None:
    """What the farm file calls this machine, where it has it: it knows it by its address, or by its outlet."""
    return present.by_address.get(str(machine.address)) or present.by_outlet.get(outlet_of(machine.keys))


def _identity(machine: Machine, present: Present) -> tuple[str, str] | None:
    name = _present_name(machine, present)
    if name is not None:
        return "name", name
    return None if machine.address is None else ("address", machine.address)


def _names(joined: Sequence[Sequence[Machine]], present: Present) -> list[str]:
    """An id for each: as a person calls it, before what it is called where nobody has."""
    found: dict[int, str] = {}
    taken = set(present.ids)
    for index, machines in enumerate(joined):
        known = _present_name(machines[0], present)
        if known is not None:
            found[index] = known
    for named in (True, False):
        for index, machines in enumerate(joined):
            called = next((each.called for each in machines if each.called), "")
            if index not in found and bool(called) is named:
                found[index] = free_id(called or machines[0].otherwise, taken, machines[0].otherwise)
                taken.add(found[index])
    return [found[index] for index in range(len(joined))]


def _take(result: Gathered, machines: Sequence[Machine], name: str, present: Present) -> None:
    # Only a Bitaxe takes voltages by the hour; and an interface says more of a machine than its outlet does.
    leading = max(machines, key=lambda each: (each.windows is not None, each.keys["driver"] != "plug"))
    keys = dict(leading.keys)
    for machine in machines:
        result.lines.append(Line(machine.file, machine.shown, "(id)", machine.called or "-", f"miners.{name}"))
        if machine is not leading:
            _join(result, keys, machine, leading)
        if machine.windows is not None and "schedule" not in keys:
            keys["schedule"] = _schedule(result, machine.windows, name, present)
        if machine.password is not None:
            _password(result, machine, name, keys["driver"])
    # Where it is first, as a person would write it; whether it counts, last.
    order = {key: place for place, key in enumerate(("driver", "nominal_w", "host", "plug", "stop_soc", "resume_soc"))}
    result.miners[name] = dict(sorted(keys.items(), key=lambda pair: order.get(pair[0], len(order))))
    result.origins[name] = ", ".join(dict.fromkeys(machine.file for machine in machines))


def _hold_back_nameless_rigs(result: Gathered, present: Present) -> None:
    """A rig that is known by its outlet alone may be one of the others; only its owner knows.

    Then the battery would pause the one, and the other, which is the same, would be taken for hung and lose its power.
    """
    if not present.by_address and all(keys["driver"] == "plug" for keys in result.miners.values()):
        return
    for name, keys in result.miners.items():
        if keys["driver"] == "plug" and name not in present.ids:
            keys["observe"] = True
            why = "if it is one of the other miners, give that one its plug and worker; observed until you know"
            result.lines.append(Line(result.origins[name], name, "(machine)", "not in the file", why, kept=False))


def _join(result: Gathered, keys: dict[str, Any], machine: Machine, leading: Machine) -> None:
    is_outlet_alone = machine.keys["driver"] == "plug" != keys["driver"]
    for key, value in machine.keys.items():
        if is_outlet_alone and key in {"driver", "nominal_w"}:
            continue
        if key not in keys:
            keys[key] = value
        elif keys[key] != value:
            why = f"the same machine stands in {leading.file} with {key}: {keys[key]}, which counts"
            result.lines.append(Line(machine.file, machine.shown, key, str(value), why, kept=False))


def _password(result: Gathered, machine: Machine, name: str, driver: str) -> None:
    if driver == "vnish":
        result.passwords.setdefault(name, str(machine.password))
    else:
        why = f"a miner with driver: {driver} has no password"
        result.lines.append(Line(machine.file, machine.shown, "password", "***", why, kept=False))


def _schedule(result: Gathered, windows: Windows, miner: str, present: Present) -> str:
    """The name of a schedule with these windows; two miners with the same hours share one."""
    wanted = [dict(window) for window in windows]
    known = {**present.schedules, **result.schedules}
    for name, each in known.items():
        if each == wanted:
            return name
    name = free_id(f"{_SCHEDULE}-of-{miner}" if _SCHEDULE in known else _SCHEDULE, known)
    result.schedules[name] = wanted
    return name


def outlet_of(keys: Mapping[str, Any]) -> str:
    """A miner's outlet as one text; "" where it has none."""
    plug = keys.get("plug")
    if not isinstance(plug, dict) or not plug.get("host"):
        return ""
    return f"{plug['host']} {plug.get('outlet', '')}".strip().lower()
