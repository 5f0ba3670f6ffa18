"""What the owner has given: the farm file and its secrets, what they were read from, and whether that has changed."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from shared.settings import FarmSettings, Secrets, load_farm
from shared.settings.secrets import secret_files

Stamp = tuple[tuple[str, int, int, int, int] | None, ...]


@dataclass(frozen=True)
class Inputs:
    """Settings and secrets by which a service lives. `content`: what they were read from, as `content_of` names it."""

    farm: FarmSettings
    secrets: Secrets
    content: str = ""


_READ: dict[Path, Inputs] = {}


def inputs_of(path: Path) -> Inputs:
    """The farm file and its secrets, read once. Raises FarmFileError and OSError.

    A forked service finds what its parent has read. So it need not read again, which costs memory of its own for each;
    and one that comes back while the owner edits the file lives by the same rules as the others.
    """
    if path not in _READ:
        _READ[path] = read_inputs(path)
    return _READ[path]


def keep_inputs(path: Path, inputs: Inputs) -> None:
    """What `inputs_of` answers from now on, also in every process that is forked."""
    _READ[path] = inputs


def forget_inputs(path: Path) -> None:
    """`inputs_of` reads again."""
    _READ.pop(path, None)


def read_inputs(path: Path) -> Inputs:
    """Reads them now. Raises FarmFileError and OSError."""
    content = content_of(path)
    # Secrets of their own for the service: they remember which of them have been asked for.
    return Inputs(load_farm(path, Secrets.beside(path)), Secrets.beside(path), content)


def stamp_of(path: Path) -> Stamp:
    """What changes when farm file, `.env` or a secret file is written, without reading any."""
    return tuple(_stamp_of(file) for file in _files(path))


def content_of(path: Path) -> str:
    """A name for all that stands in farm file, `.env` and secret files; another one as soon as a byte differs."""
    found = blake2b(digest_size=16)
    for file in _files(path):
        try:
            text = file.read_bytes()
        except OSError as error:
            text = f"{error.errno}".encode()
        found.update(f"{file}\0{len(text)}\0".encode() + text)
    return found.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    yield path
    yield path.parent / ".env"
    yield from secret_files()


def _stamp_of(file: Path) -> tuple[str, int, int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - pathlib costs more time than all the rest
    except OSError:
        return None
    return str(file), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
