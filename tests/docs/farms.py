"""What a piece of a farm file is laid over, so that the real loader can judge it."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from shared.settings import FarmSettings, Secrets, load_farm

BASES: dict[str, dict[str, Any]] = {
    "": {"site": {"time_zone": "Europe/Lisbon", "latitude": 38.7, "longitude": -9.1}},
    "battery": {"battery": {"mqtt": {"state_of_charge": "battery/soc"}}},
    "two miners": {
        "miners": {
            "s19-20": {"driver": "vnish", "host": "192.0.2.20"},
            "s19-21": {"driver": "vnish", "host": "192.0.2.21"},
        }
    },
    "a bitaxe": {"miners": {"bitaxe-1": {"driver": "bitaxe", "host": "192.0.2.31"}}},
    "schedules": {
        "schedules": {
            name: [{"from": "08:00", "to": "20:00", "profile": "quiet"}] for name in ("home", "day-and-night")
        }
    },
}


class AnySecret(Secrets):
    """Has whatever is asked for: the pages name none."""

    def __init__(self) -> None:
        super().__init__({}, {}, Path("/nowhere"))

    def get(self, name: str) -> str | None:
        return f"a value for {name}"


def laid_over(text: str, bases: str, directory: Path) -> FarmSettings:
    """The farm that a piece makes with its bases (`battery, a bitaxe`). Raises FarmFileError as the owner sees it."""
    yaml = YAML(typ="safe", pure=True)
    data: dict[str, Any] = deepcopy(BASES[""])
    for base in filter(None, (name.strip() for name in bases.split(","))):
        _merge(data, deepcopy(BASES[base]))
    piece = yaml.load(text)
    if not isinstance(piece, dict):
        message = "this is no piece of a farm file: it has no keys"
        raise TypeError(message)
    _merge(data, piece)
    # Its own lines are kept where it stands alone, so that an error names them.
    file = directory / "farm.yaml"
    with file.open("w", encoding="utf-8") as opened:
        YAML().dump(data, opened)
    return load_farm(file, AnySecret())


def _merge(into: dict[str, Any], piece: dict[str, Any]) -> None:
    for key, value in piece.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
