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


class Secrets:
    """Looks secrets up by name; never prints one."""

    def __init__(self, environment: Mapping[str, str], dotenv: Mapping[str, str | None], directory: Path) -> None:
        self._environment = environment
        self._dotenv = dotenv
        self._directory = directory

    @classmethod
    def beside(cls, farm_file: Path) -> "Secrets":
        """The secrets of this process for a farm file."""
        directory = Path(os.environ.get(SECRETS_DIRECTORY_VARIABLE, _DEFAULT_DIRECTORY))
        return cls(os.environ, dotenv_values(farm_file.parent / ".env"), directory)

    def get(self, name: str) -> str | None:
        """The secret of this name (upper case), or None. Files are named in upper or lower case."""
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


def variable_of(identifier: str) -> str:
    """The variable that holds a device's password: `s19-20` has `S19_20_PASSWORD`."""
    return identifier.upper().replace("-", "_") + "_PASSWORD"
