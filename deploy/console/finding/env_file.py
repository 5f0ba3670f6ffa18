"""Secrets into `.env` beside the farm file: appended, for its owner alone, and never shown."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from deploy.console.trouble import TroubleError
from deploy.environment import write_private

_HEAD = "\n# By sunherd init. The last line of a name counts.\n"


def append_secrets(file: Path, secrets: Mapping[str, str]) -> list[str]:
    """The names that were added; those that stand there already with the same value are left alone.

    Raises TroubleError, and then nothing was written, where a value could not be read back as it was given.
    """
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    present = dotenv_values(file) if file.exists() else {}
    fresh = {name: value for name, value in secrets.items() if present.get(name) != value}
    if not fresh:
        return []
    text = before + ("" if before.endswith("\n") or not before else "\n") + _HEAD
    text += "".join(f"{name}={_quoted(value)}\n" for name, value in fresh.items())
    trial = file.with_name(file.name + ".trial")
    write_private(trial, text)
    try:
        read = dotenv_values(trial)
    finally:
        trial.unlink()
    for name, value in fresh.items():
        if read.get(name) != value:
            message = f"{name} has letters that cannot stand in {file}. Fix: set it in the environment instead."
            raise TroubleError(message)
    write_private(file, text)
    return list(fresh)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
