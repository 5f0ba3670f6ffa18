"""A farm file on the disk: read, changed, looked at as the services will, and replaced in one step, one at a time."""

import fcntl
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy.console.editing.edits import Edit, EditError
from deploy.console.editing.on_disk import replace_file
from deploy.console.editing.text import edited, said
from deploy.console.trouble import TroubleError
from shared.settings import FarmFileError, FarmSettings, Problem, Secrets
from shared.settings.load import load_whole_farm
from shared.settings.secrets import EXPECTED_VARIABLE

LOCK_SECONDS = 30.0
"""An edit of a thousand miners takes some seconds."""
_LOCK_TRIES_PER_SECOND = 20
NO_SECRETS = Secrets({EXPECTED_VARIABLE: ""}, {}, Path("/nonexistent"))
"""Whoever edits need not hold the farm's secrets."""


@dataclass(frozen=True)
class Change:
    """What a change has done, or would do."""

    before: str
    after: str
    backup: Path | None
    """Where the file before now is; None where nothing was written."""


class UnfitError(TroubleError):
    """The file would be wrong after the change. `problems` says how; nothing was written."""

    def __init__(self, file: Path, problems: Sequence[Problem], closing: str | None = None) -> None:
        self.problems = tuple(problems)
        # Without their lines: those would be lines of a file that nobody sees.
        lines = [replace(problem, line=0).render(str(file)) for problem in problems]
        closing = closing or f"With this change {file} would be wrong; it is as it was."
        super().__init__("\n".join([*lines, closing]))


def whole_farm(file: Path) -> FarmSettings:
    """All that a farm file says, disabled miners as well. Raises FarmFileError, TroubleError, FileNotFoundError."""
    try:
        return load_whole_farm(file, NO_SECRETS)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TroubleError(_unread(file, error)) from error


def change_farm(file: Path, edits_for: Callable[[dict[str, Any]], Sequence[Edit]], *, dry_run: bool = False) -> Change:
    """Changes a farm file by the edits that fit what it says by then. Raises TroubleError, FarmFileError and OSError.

    The content before is kept beside it as .bak, the one before that as .bak2. Comments, order and columns stay.
    """
    target = _target_of(file)
    with locked(target):
        before = read_text(target)
        whole_farm(file)  # what is wrong already is told before it is blamed on the change
        try:
            after = edited(before, edits_for(said(before.removeprefix("\ufeff"))))
        except EditError as error:
            message = f"{file}: {error}"
            raise TroubleError(message) from error
        problems = problems_of(after)
        if problems:
            raise UnfitError(file, problems)
        if dry_run or after == before:
            return Change(before, after, None)
        return Change(before, after, replace_file(target, after))


def problems_of(text: str) -> list[Problem]:
    """What the services would say of a file with this text. Their secrets do not count."""
    with tempfile.TemporaryDirectory() as directory:
        candidate = Path(directory, "farm.yaml")
        candidate.write_bytes(text.encode())
        try:
            load_whole_farm(candidate, NO_SECRETS)
        except FarmFileError as error:
            return error.problems
    return []


def read_text(file: Path) -> str:
    """The file with its line ends as they are. Raises TroubleError where it cannot be read, or is not UTF-8."""
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise TroubleError(_unread(file, error)) from error
    except UnicodeDecodeError as error:
        message = f"{file} is not text in UTF-8. Fix: save it as UTF-8 with your editor."
        raise TroubleError(message) from error


@contextmanager
def locked(file: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Alone with the files of a directory among all consoles of this machine. Raises TroubleError after a while.

    The directory itself is locked: a lock file would lie about for ever, and the farm file is another one afterwards.
    """
    handle = os.open(file.parent, os.O_RDONLY)
    try:
        patience = threading.Event()
        for _ in range(max(1, int(seconds * _LOCK_TRIES_PER_SECOND))):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                patience.wait(1 / _LOCK_TRIES_PER_SECOND)
        else:
            message = f"{file} is being changed by another command. Fix: wait until that one has ended."
            raise TroubleError(message)
        yield
    finally:
        os.close(handle)


def _unread(file: Path, error: OSError) -> str:
    return f"{file} cannot be read: {error.strerror}. Fix: look at its name, its directory and its owner."


def _target_of(file: Path) -> Path:
    """The file that a link points to: it is that one which is replaced, and the link stays."""
    target = file.resolve(strict=True)
    if not target.is_file():
        message = f"{file} is not a file. Fix: --farm names the farm file itself."
        raise TroubleError(message)
    return target
