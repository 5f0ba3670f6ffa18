"""Secrets come from the environment, from `.env` beside the farm file, or from a directory of secret files."""

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from dotenv import dotenv_values

SECRETS_DIRECTORY_VARIABLE = "SUNHERD_SECRETS_DIR"
EXPECTED_VARIABLE = "SUNHERD_SECRETS_EXPECTED"
"""Which of the farm's secrets this process is given, as names or patterns such as `*_KEY`. Unset: all of them."""
_DEFAULT_DIRECTORY = "/run/secrets"
_FILES_MAX = 1000


class Secrets:
    """Looks secrets up by name; never prints one."""

    def __init__(self, environment: Mapping[str, str], dotenv: Mapping[str, str | None], directory: Path) -> None:
        self._environment = environment
        self._dotenv = dotenv
        self._directory = directory
        self._asked: dict[str, str | None] = {}

    @classmethod
    def beside(cls, farm_file: Path) -> "Secrets":
        """The secrets of this process for a farm file."""
        return cls(os.environ, dotenv_values(farm_file.parent / ".env"), _directory())

    def get(self, name: str) -> str | None:
        """The secret of this name (upper case), or None. Files are named in upper or lower case."""
        value = self._asked[name] = self._look_up(name)
        return value

    def asked(self) -> dict[str, str | None]:
        """What has been asked for so far, and what was found. Callable from any thread."""
        return dict(self._asked)

    def are_other_than(self, before: "Secrets") -> bool:
        """Whether any secret that has been asked of those before has another value now."""
        return any(self._look_up(name) != value for name, value in before.asked().items())

    def _look_up(self, name: str) -> str | None:
        value = self._environment.get(name) or self._dotenv.get(name)
        if value:
            return value
        for file in (self._directory / name, self._directory / name.lower()):
            if file.is_file():
                return file.read_text(encoding="utf-8").strip() or None
        return None

    def lacks(self, name: str) -> bool:
        """Whether a secret that this process should have been given is not there."""
        expected = self._environment.get(EXPECTED_VARIABLE)
        here = expected is None or any(fnmatchcase(name, pattern) for pattern in expected.split())
        return here and self.get(name) is None

    def password_of(self, identifier: str, fallback: str) -> str | None:
        """`<ID>_PASSWORD`, else the fallback variable."""
        return self.get(variable_of(identifier)) or self.get(fallback)


def secret_files() -> list[Path]:
    """The files in the directory of secrets, as far as it can be looked into."""
    directory = _directory()
    try:
        return sorted(directory.iterdir())[:_FILES_MAX]
    except OSError:
        return []


def _directory() -> Path:
    return Path(os.environ.get(SECRETS_DIRECTORY_VARIABLE, _DEFAULT_DIRECTORY))


def variable_of(identifier: str) -> str:
    """The variable that holds a device's password: `s19-20` has `S19_20_PASSWORD`."""
    return identifier.upper().replace("-", "_") + "_PASSWORD"
