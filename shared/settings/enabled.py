"""Miners that their owner has disabled: their words stay in the file, and the farm is as if they were not there."""

from typing import Any

from shared.settings.farm import FarmSettings


def without_disabled(farm: FarmSettings) -> FarmSettings:
    """The farm without its disabled miners; a group of which nobody is left goes with them."""
    miners = {name: miner for name, miner in farm.miners.items() if miner.enabled}
    if len(miners) == len(farm.miners):
        return farm
    groups = {}
    for name, group in farm.groups.items():
        members = [member for member in group.members if member in miners]
        if members:
            groups[name] = group.model_copy(update={"members": members})
    return farm.model_copy(update={"miners": miners, "groups": groups})


def is_disabled(miner: object) -> bool:
    """Whether a miner's raw section says so."""
    keys: dict[Any, Any] = miner if isinstance(miner, dict) else {}
    return keys.get("enabled") is False
