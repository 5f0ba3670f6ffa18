"""Writes what pip shall install into an image, as requirement files: `python pins.py pyproject.toml DIRECTORY`.

`common.txt` is what every service stands on; beside it stands one file for each extra. It runs before anything is
installed.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

_ITSELF = re.compile(r"sunherd\[([a-z,-]+)]")


def files_of(project: Mapping[str, object]) -> dict[str, str]:
    """The requirement files by name, of the table `project`."""
    extras = project["optional-dependencies"]
    common = project["dependencies"]
    if not isinstance(extras, dict) or not isinstance(common, list):
        raise TypeError
    files = {name: sorted(set(_flat(name, extras))) for name in extras}
    return {f"{name}.txt": "".join(f"{pin}\n" for pin in pins) for name, pins in {"common": common, **files}.items()}


def _flat(extra: str, extras: Mapping[str, list[str]]) -> Iterator[str]:
    for pin in extras[extra]:
        itself = _ITSELF.fullmatch(pin)
        if itself is None:
            yield pin
            continue
        for other in itself[1].split(","):
            yield from _flat(other, extras)


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    for file, text in files_of(tomllib.loads(source.read_text(encoding="utf-8"))["project"]).items():
        (target / file).write_text(text, encoding="utf-8")
