"""Packs the add-on: a folder that Home Assistant can build by itself, because everything that it needs is inside.

Home Assistant hands Docker the add-on's own folder only, so the source has to lie in there.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.version import VERSION

ROOT = Path(__file__).parents[2]
_ADDON = Path("deploy", "home-assistant")
_SOURCE_FILES = ("pyproject.toml", "README.md", "LICENSE")
_SOURCE_FOLDERS = ("shared", "services", "deploy")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", "simulator", "home-assistant", "k8s", "systemd")


class PackError(Exception):
    """The folder cannot be made; the text says why."""


def pack(target: Path, root: Path = ROOT) -> Path:
    """Makes `target` an add-on repository, in place of what it was; returns the add-on's folder. Raises PackError."""
    if not (root / "pyproject.toml").is_file():
        message = (
            f"{root} is no checkout of Sunherd. Fix: run this in one; an installed Sunherd has not all that it needs."
        )
        raise PackError(message)
    if target.exists() and not (target / "repository.yaml").is_file():
        message = f"{target} exists and is no packed add-on. Fix: name a new folder; an old one of ours is replaced."
        raise PackError(message)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / _ADDON, target, ignore=shutil.ignore_patterns("__pycache__"))
    addon = target / "sunherd"
    shutil.copy(root / "CHANGELOG.md", addon / "CHANGELOG.md")
    source = addon / "source"
    source.mkdir()
    for name in _SOURCE_FILES:
        shutil.copy(root / name, source / name)
    for name in _SOURCE_FOLDERS:
        shutil.copytree(root / name, source / name, ignore=_LEFT_OUT)
    return addon


def main(arguments: Sequence[str] | None = None) -> int:
    """Packs, and says what to do with it."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.addon.pack",
        description="Makes a folder that Home Assistant can build and run as an add-on.",
        epilog="docs/addon.md tells how to install it.",
    )
    parser.add_argument("target", type=Path, nargs="?", default=Path("build/addon"), help="default: %(default)s")
    try:
        addon = pack(parser.parse_args(arguments).target)
    except (PackError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(
        f"Sunherd {VERSION} is packed. Copy {addon} into the folder `addons` of your Home Assistant,\n"
        "then Settings, Add-ons, Add-on store, ⋮, Check for updates: it stands under Local add-ons.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
