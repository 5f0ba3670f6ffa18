"""Passwords go into `.env` beside the farm file, readable for its owner alone, and nowhere else."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from deploy.environment import write_private
from shared.settings.secrets import variable_of

PRIVATE_FILE = ".env"


def with_passwords(present: str, passwords: Mapping[str, str]) -> tuple[str, list[str], dict[str, str]]:
    """The new text of `.env`, the variables that were added, and why others were not. What is there stays. Pure."""
    values = dotenv_values(stream=StringIO(present), interpolate=False)
    added: list[str] = []
    refused: dict[str, str] = {}
    text = present if not present or present.endswith("\n") else present + "\n"
    for miner, password in passwords.items():
        name = variable_of(miner)
        line = f"{name}={_quoted(password)}\n"
        if values.get(name):
            if values[name] != password:
                refused[name] = "another one stands in .env already, which stays"
        elif dotenv_values(stream=StringIO(line)) != {name: password}:
            refused[name] = "cannot be written into .env: give it as a secret file"
        else:
            text += line
            added.append(name)
    return text, added, refused


def keep_passwords(directory: Path, passwords: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Writes them; the variables that were added, and why others were not. Raises OSError."""
    file = directory / PRIVATE_FILE
    present = file.read_text(encoding="utf-8") if file.exists() else ""
    text, added, refused = with_passwords(present, passwords)
    if text != present:
        write_private(file.resolve(), text)
    return added, refused


def _quoted(password: str) -> str:
    escaped = password.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
