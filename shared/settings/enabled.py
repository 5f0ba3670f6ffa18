"""Miners that are left out: disabled by their owner, or not among those that this run is for."""

from collections.abc import Callable
from typing import Any

from shared.settings.farm import FarmSettings
from shared.settings.miner import MinerSettings
from shared.settings.problems import Problem, did_you_mean

ONLY_VARIABLE = "SUNHERD_ONLY"
"""The ids of the miners that this run is for, separated by commas. Unset or empty: all."""


def without_disabled(farm: FarmSettings) -> FarmSettings:
    """The farm as if its disabled miners were not there; their words stay in the file."""
    return _only(farm, lambda _name, miner: miner.enabled)


def without_others(farm: FarmSettings, names: str) -> tuple[FarmSettings, list[Problem]]:
    """The farm of these miners alone (`a, b`), and what is wrong with the names."""
    wanted = {name for name in (part.strip() for part in names.split(",")) if name}
    unknown = sorted(wanted - set(farm.miners))
    problems = [
        Problem(
            0, "--only", f"no miner is called {name!r}{did_you_mean(name, farm.miners)}", "name miners of this file"
        )
        for name in unknown
    ]
    return (_only(farm, lambda name, _miner: name in wanted) if wanted else farm), problems


def is_disabled(miner: object) -> bool:
    """Whether a miner's raw section says so."""
    keys: dict[Any, Any] = miner if isinstance(miner, dict) else {}
    return keys.get("enabled") is False


def _only(farm: FarmSettings, wanted: Callable[[str, MinerSettings], bool]) -> FarmSettings:
    """Without the others; a group of which nobody is left goes with them."""
    miners = {name: miner for name, miner in farm.miners.items() if wanted(name, miner)}
    if len(miners) == len(farm.miners):
        return farm
    groups = {}
    for name, group in farm.groups.items():
        members = [member for member in group.members if member in miners]
        if members:
            groups[name] = group.model_copy(update={"members": members})
    return farm.model_copy(update={"miners": miners, "groups": groups})
