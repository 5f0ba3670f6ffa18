"""`miners.json` of the state-of-charge controller for VNish miners, with what it was told on its command line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.console.importing.harvest import Harvest, Machine, duration, number, tidy, words
from shared.settings.address import Address, parse_address
from shared.settings.miner import complaint_about_band

_KEYS = {"ip", "password", "stop_soc", "resume_soc"}
_POLL_SECONDS_MAX = 150.0
"""Half of the default of rules.stale_no_start: the loader allows no more."""


@dataclass(frozen=True)
class SocOptions:
    """The old command line: `--ha-url`, `--sensor`, `--poll`."""

    url: str | None = None
    sensor: str | None = None
    poll_seconds: int | None = None


def is_soc_controllers(data: Any) -> bool:
    """Whether a file is one of these."""
    rows = data if isinstance(data, list) else []
    return any(isinstance(row, dict) and "ip" in row and row.keys() & (_KEYS - {"ip"}) for row in rows)


def harvest_soc(file: str, rows: Sequence[Any], options: SocOptions) -> Harvest:
    """All that it says."""
    harvest = Harvest(file)
    found: dict[str, Machine] = {}
    for index, row in enumerate(rows):
        entry = str(row.get("ip", f"entry {index + 1}")) if isinstance(row, dict) else f"entry {index + 1}"
        machine = _machine(harvest, entry, row) if isinstance(row, dict) else None
        if machine is None:
            if not isinstance(row, dict):
                harvest.refuse(entry, "this is no miner", "write it as { ... }")
        elif machine.address in found:
            _join(harvest, entry, found[str(machine.address)], machine)
        else:
            found[str(machine.address)] = machine
    harvest.machines = list(found.values())
    _battery(harvest, options)
    return harvest


def _machine(harvest: Harvest, entry: str, row: dict[str, Any]) -> Machine | None:
    try:
        address = parse_address(row.get("ip"))
    except ValueError as error:
        harvest.refuse(entry, str(error).partition(": ")[0], "correct ip in that file")
        return None
    keys: dict[str, Any] = {"driver": "vnish", "host": written(address)}
    harvest.keep(entry, "ip", row.get("ip"), f"host: {keys['host']}")
    for key in ("stop_soc", "resume_soc"):
        if row.get(key) is None:
            harvest.refuse(entry, f"{key} is missing", "add it in that file, as the script needs it, too")
            continue
        found = number(row[key])
        if found is None:
            harvest.refuse(entry, f"{key} is {row[key]!r}, which is no number", "correct it in that file")
            continue
        keys[key] = tidy(found)
        harvest.keep(entry, key, row[key], f"{key}: {keys[key]}")
    complaint = complaint_about_band(keys.get("stop_soc"), keys.get("resume_soc"))
    if complaint is not None and {"stop_soc", "resume_soc"} <= keys.keys():
        harvest.refuse(entry, complaint[0], f"correct it in that file: {complaint[1]}")
    given = row.get("password")
    password = given if isinstance(given, str) else words(given)
    if password:
        harvest.keep(entry, "password", password, ".env, readable for you alone")
    elif "password" in row:
        harvest.lose(entry, "password", given, "none is given: VNISH_PASSWORD counts, else the firmware's own")
    harvest.lose_unknown(entry, row, _KEYS)
    octet = address.host.rpartition(".")[2] if address.host.replace(".", "").isdigit() else address.host.split(".")[0]
    return Machine(harvest.file, "", f"s19-{octet}", keys, str(address), password=password or None)


def _join(harvest: Harvest, entry: str, first: Machine, again: Machine) -> None:
    """One machine under two rules: the more careful one counts."""
    for key in ("stop_soc", "resume_soc"):
        both = [machine.keys[key] for machine in (first, again) if key in machine.keys]
        if len(set(both)) > 1:
            harvest.lose(entry, key, min(both), f"stands twice; the more careful {max(both)} counts")
            first.keys[key] = max(both)
    if again.password is not None and again.password != first.password:
        harvest.lose(entry, "password", again.password, "stands twice; the first counts")


def _battery(harvest: Harvest, options: SocOptions) -> None:
    entry = "command line"
    if options.url is None or options.sensor is None:
        return
    source: dict[str, Any] = {"url": options.url, "state_of_charge": options.sensor}
    harvest.keep(entry, "--ha-url", options.url, "battery.home_assistant.url")
    harvest.keep(entry, "--sensor", options.sensor, "battery.home_assistant.state_of_charge")
    if options.poll_seconds is not None:
        seconds = min(float(options.poll_seconds), _POLL_SECONDS_MAX)
        source["poll"] = duration(seconds)
        why = "" if seconds == options.poll_seconds else "; more would let the value go stale"
        harvest.keep(entry, "--poll", options.poll_seconds, f"battery.home_assistant.poll: {source['poll']}{why}")
    harvest.battery = {"home_assistant": source}


def written(address: Address) -> str:
    """An address as it stands in a farm file: without the port that goes without saying."""
    return str(address).removesuffix(":80")
