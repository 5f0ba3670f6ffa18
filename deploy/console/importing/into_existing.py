"""What is gathered, brought into a farm file that is there: what stands in it stays, and is added to. Pure."""

from collections.abc import Mapping
from typing import Any

from deploy.console.editing.edits import Edit, Put
from deploy.console.importing.gather import Gathered, Present, outlet_of
from deploy.console.importing.harvest import Line
from shared.settings.address import parse_address

PRESENT = "farm file"
"""Where the table tells of what was added to miners that were there."""


def present_in(data: Mapping[str, Any]) -> Present:
    """What of a farm file matters to newcomers."""
    miners = _section(data, "miners")
    by_address: dict[str, str] = {}
    by_outlet: dict[str, str] = {}
    for name, keys in miners.items():
        if not isinstance(keys, dict):
            continue
        if keys.get("host") is not None:
            by_address[str(parse_address(keys["host"]))] = name
        by_outlet[outlet_of(keys)] = name
    by_outlet.pop("", None)
    ids = {*miners, *_section(data, "groups")}
    return Present(by_address, by_outlet, frozenset(ids), _section(data, "schedules"))


def edits_into(data: Mapping[str, Any], farm: Gathered) -> tuple[list[Edit], list[Line]]:
    """The edits, and what the file says otherwise already."""
    miners = _section(data, "miners")
    edits: list[Edit] = []
    lines: list[Line] = []
    used: set[str] = set()
    fresh: dict[str, Any] = {}
    for name, keys in farm.miners.items():
        if name not in miners:
            # The owner looks at newcomers first; those that are herded already go on.
            fresh[name] = keys if data.get("observe") is True else {**keys, "observe": True}
            used.add(str(keys.get("schedule")))
            continue
        added, refused = _lacking(miners[name], keys)
        if added:
            edits.append(Put(("miners", name), added))
            used.add(str(added.get("schedule")))
            lines.append(Line(PRESENT, name, ", ".join(added), "", f"added to miners.{name}"))
        lines += [Line(farm.origins[name], name, key, str(keys[key]), why, kept=False) for key, why in refused.items()]
    if fresh:
        edits.append(Put(("miners",), fresh))
    schedules = {name: windows for name, windows in farm.schedules.items() if name in used}
    pools = {name: keys for name, keys in farm.pools.items() if name not in _section(data, "pools")}
    edits += [Put((name,), entries) for name, entries in (("schedules", schedules), ("pools", pools)) if entries]
    edits += _of_the_farm(data, farm, lines, uses_clock=bool(schedules))
    return edits, lines


def _lacking(present: Any, keys: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a miner of the file has not, and why it does not get the rest."""
    there: dict[str, Any] = present if isinstance(present, dict) else {}
    if keys["driver"] == "plug" and there.get("driver") != "plug":
        # The rig on this outlet has an interface of its own: what is new is how it is watched.
        keys = {key: value for key, value in keys.items() if key not in {"driver", "nominal_w", "plug"}}
    elif there.get("driver") != keys["driver"]:
        band = {key: keys[key] for key in ("stop_soc", "resume_soc") if key in keys and not there.keys() & {"stop_soc"}}
        why = f"the farm file has this machine with driver: {there.get('driver')}"
        return band, {key: why for key in keys if key not in band}
    band_stands = bool(there.keys() & {"stop_soc", "resume_soc"})
    added, refused = {}, {}
    for key, value in keys.items():
        if key in there or (band_stands and key in {"stop_soc", "resume_soc"}):
            if there.get(key) != value and key != "host":
                refused[key] = f"the farm file says {key}: {there.get(key)}, which stays"
        else:
            added[key] = value
    return added, refused


def _of_the_farm(data: Mapping[str, Any], farm: Gathered, lines: list[Line], *, uses_clock: bool) -> list[Edit]:
    edits: list[Edit] = []
    if farm.battery is not None and data.get("battery") is None:
        edits.append(Put(("battery",), farm.battery))
    elif farm.battery is not None and data.get("battery") != farm.battery:
        why = "the farm file has a battery already, which stays"
        lines.append(Line("command line", "", "--ha-url, --sensor", "", why, kept=False))
    zone = _section(data, "site").get("time_zone")
    if uses_clock and farm.time_zone is not None and zone is None:
        edits.append(Put(("site",), {"time_zone": farm.time_zone}))
    elif uses_clock and zone not in {None, farm.time_zone}:
        lines.append(
            Line("this machine", "", "time zone", str(farm.time_zone), f"the farm file says {zone}", kept=False)
        )
    return edits


def _section(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}
