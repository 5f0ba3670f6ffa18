"""What a farm file says of its miners, and what a change makes of it, for people and programs. Pure."""

import difflib
from collections.abc import Iterator
from typing import Any

from deploy.console.editing.farm_file import Change
from shared.settings import FarmSettings, MinerSettings
from shared.settings.plug import address_shown

_HTTP_PORT = 80


def entries_of(farm: FarmSettings) -> list[dict[str, Any]]:
    """A row for each miner, in the order of the file."""
    observed = farm.observed()
    return [
        {
            "name": name,
            "driver": miner.driver,
            "address": _address(miner),
            "state": "disabled" if not miner.enabled else "observed" if name in observed else "enabled",
            "enabled": miner.enabled,
            "observed": name in observed,
            "groups": [group for group, settings in farm.groups.items() if name in settings.members],
        }
        for name, miner in farm.miners.items()
    ]


def difference(change: Change, file: str) -> Iterator[str]:
    """The lines that go and those that come."""
    before, after = change.before.splitlines(), change.after.splitlines()
    return difflib.unified_diff(before, after, file, f"{file} (then)", lineterm="", n=1)


def _address(miner: MinerSettings) -> str:
    if miner.host is not None:
        shown = str(miner.host)
        return f"http://{shown.removesuffix(f':{_HTTP_PORT}')}"
    if miner.plug is None:
        return ""
    outlet = f" outlet {miner.plug.outlet}" if miner.plug.outlet is not None else ""
    return f"plug {address_shown(miner.plug.host)}{outlet}"
