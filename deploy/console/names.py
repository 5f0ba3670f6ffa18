"""Miners and groups by the names that a person gives, and the names that a shell completes."""

from pathlib import Path
from typing import Any

import typer

from deploy.console.trouble import TroubleError
from shared.settings.load import farm_path
from shared.settings.problems import did_you_mean

_LISTED = 12


def checked(names: list[str] | None, miners: tuple[str, ...], groups: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The names as they were given. Raises TroubleError for one that nobody has."""
    known = (*miners, *groups)
    for name in names or ():
        if name not in known:
            what = "neither a miner nor a group" if groups else "no miner"
            listed = ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")
            message = f"{name} is {what} of this farm{did_you_mean(name, known)}. Fix: use one of: {listed or 'none'}."
            raise TroubleError(message)
    return tuple(names or ())


def complete_miner(context: typer.Context, incomplete: str) -> list[str]:
    """The miners of the farm file that begin so. Quick, and never fails: a shell waits for it."""
    return _beginning(incomplete, _section(context, "miners"))


def complete_miner_or_group(context: typer.Context, incomplete: str) -> list[str]:
    """The same, with groups."""
    return _beginning(incomplete, [*_section(context, "miners"), *_section(context, "groups")])


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _section(context: typer.Context, name: str) -> list[str]:
    # Not `load_farm`: it judges the whole file, and one that is being edited still has names.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    given = context.find_root().params.get("farm")
    try:
        data: Any = YAML(typ="safe").load(Path(given or farm_path()))
    except (OSError, ValueError, YAMLError):
        return []
    section = data.get(name) if isinstance(data, dict) else None
    return [str(key) for key in section] if isinstance(section, dict) else []
