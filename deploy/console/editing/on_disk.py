"""Files that are replaced in one step: whoever reads, or pulls the plug, finds the old one or the new one, whole."""

import errno
import os
from pathlib import Path

from deploy.console.trouble import TroubleError

_MODE_OF_NEW = 0o644
_MOUNTED = {errno.EBUSY, errno.EXDEV}
_SHUT = {errno.EACCES, errno.EPERM, errno.EROFS}


def replace_file(file: Path, text: str) -> Path:
    """Puts a text in the place of what is there, which stays beside it as .bak; that path. Raises TroubleError.

    Under the lock of the directory: what lies about under the name of the fresh file is of one that was killed.
    """
    backup = file.with_name(f"{file.name}.bak")
    older = file.with_name(f"{file.name}.bak2")
    try:
        standing = file.stat()
        if backup.exists():
            backup.replace(older)
        _put(backup, file.read_bytes(), standing)
        _put(file, text.encode(), standing)
    except OSError as error:
        raise TroubleError(_told(file, error)) from error
    return backup


def write_new_file(file: Path, text: str) -> None:
    """Writes a file that is not there yet. Raises TroubleError."""
    try:
        _put(file, text.encode(), None)
    except OSError as error:
        raise TroubleError(_told(file, error)) from error


def _put(file: Path, content: bytes, standing: os.stat_result | None) -> None:
    """Writes beside it and moves it there, with the mode and the owner of what stood there."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    mode = _MODE_OF_NEW if standing is None else standing.st_mode & 0o7777
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            if standing is not None and (standing.st_uid, standing.st_gid) != _owner_of(opened.fileno()):
                os.fchown(opened.fileno(), standing.st_uid, standing.st_gid)
            os.fchmod(opened.fileno(), mode)
            os.fsync(opened.fileno())
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    _settle(file.parent)


def _owner_of(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_uid, found.st_gid


def _settle(directory: Path) -> None:
    """Until the directory is on the disk, a power cut may bring the old name back."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _told(file: Path, error: OSError) -> str:
    if error.errno in _MOUNTED:
        return (
            f"{file} is mounted by itself, as into a container, and cannot be replaced in one step. "
            "Fix: change it on the host, or mount its directory instead of the file."
        )
    if error.errno in _SHUT:
        return (
            f"{file} cannot be replaced: {error.strerror}. "
            "Fix: do it as the owner of file and directory, or where the file is kept (host, ConfigMap)."
        )
    return f"{file} cannot be written: {error.strerror}. Fix: look at the disk; the file is as it was."
