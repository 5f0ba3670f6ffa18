"""Ids for what people call their miners: `Bitaxe 1` becomes `bitaxe-1`. Pure."""

import re
import unicodedata
from collections.abc import Collection

from shared.settings.secrets import variable_of

_LONGEST = 64
_ID = re.compile(r"[a-z0-9_-]{1,64}")


def is_id(text: str) -> bool:
    """Whether a miner may be called so."""
    return _ID.fullmatch(text) is not None


def slug(text: str) -> str:
    """The nearest id; "" where nothing is left of the name."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")[:_LONGEST].strip("-")


def free_id(text: str, taken: Collection[str], otherwise: str = "miner") -> str:
    """An id near to the name that is not taken, nor is its password's variable: `rig_1` would share that of `rig-1`."""
    wanted = slug(text) or otherwise
    variables = {variable_of(each) for each in taken}
    found, number = wanted, 1
    while found in taken or variable_of(found) in variables:
        number += 1
        found = f"{wanted[: _LONGEST - 4]}-{number}"
    return found
