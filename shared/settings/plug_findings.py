"""What is wrong with outlets that no single key shows: two miners on one, or a miner on one that feeds the network."""

from collections.abc import Iterator
from typing import Any

from shared.settings.plug import address_shown, plug_address

Finding = tuple[tuple[str | int, ...], str, str]
Place = tuple[str, str | int | None]
"""A device, and the outlet as it is written; None: the only one, or all."""


def plug_findings(data: dict[str, Any]) -> Iterator[Finding]:
    """Works on the raw data of the file, so that it is said together with all the rest.

    One outlet may be written by alias here and by number there: that is seen only when the strip is read.
    """
    raw = data.get("miners")
    miners = raw if isinstance(raw, dict) else {}
    plugs = {str(name): place for name, miner in miners.items() if (place := _place(_plug_of(miner))) is not None}
    yield from _shared_outlets(plugs)
    yield from _forbidden(plugs, data.get("never_switch"))


def _shared_outlets(plugs: dict[str, Place]) -> Iterator[Finding]:
    seen: dict[Place, str] = {}
    for name, place in plugs.items():
        if place in seen:
            cause = f"{_shown(place)} already feeds {seen[place]}"
            yield ("miners", name, "plug"), cause, "give each miner an outlet of its own"
        seen.setdefault(place, name)


def _forbidden(plugs: dict[str, Place], never: object) -> Iterator[Finding]:
    entries = [place for entry in (never if isinstance(never, list) else []) if (place := _place(entry)) is not None]
    for name, place in plugs.items():
        if any(host == place[0] and outlet in {None, place[1]} for host, outlet in entries):
            cause = f"{_shown(place)} stands in never_switch"
            yield ("miners", name, "plug"), cause, "hang the miner on another outlet, or correct never_switch"


def _plug_of(miner: object) -> object:
    return miner.get("plug") if isinstance(miner, dict) else None


def _place(section: object) -> Place | None:
    """None where a key is missing or wrong: that is complained about elsewhere."""
    if not isinstance(section, dict):
        return None
    outlet = section.get("outlet")
    if outlet is not None and not isinstance(outlet, str | int):
        return None
    try:
        host = address_shown(plug_address(section.get("host")))
    except ValueError:
        return None
    return host, outlet.strip().lower() if isinstance(outlet, str) else outlet


def _shown(place: Place) -> str:
    host, outlet = place
    return f"the plug {host}" if outlet is None else f"outlet {outlet!r} of {host}"
