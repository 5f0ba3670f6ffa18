"""What one file of a script has given: machines, what goes for all, and what became of each value. Pure."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Windows = tuple[tuple[tuple[str, Any], ...], ...]
"""A schedule, as pairs so that two can be compared."""

_SECRET = ("password", "token", "secret", "key", "pw")


@dataclass(frozen=True)
class Line:
    """What became of one value."""

    file: str
    entry: str
    key: str
    value: str
    became: str
    kept: bool = True


@dataclass
class Machine:
    """One machine, as one file has it."""

    file: str
    called: str
    """What a person calls it there; "" where the file has only an address."""
    otherwise: str
    """What it is called where nobody has named it."""
    keys: dict[str, Any]
    address: str | None = None
    """Two of one address are one machine."""
    windows: Windows | None = None
    password: str | None = None

    @property
    def shown(self) -> str:
        """For people who look at that file."""
        return self.called or (self.address or self.otherwise).removesuffix(":80")


@dataclass
class Harvest:
    """All of one file. `wrong`: why it cannot be taken over, ready for people."""

    file: str
    machines: list[Machine] = field(default_factory=list)
    battery: dict[str, Any] | None = None
    pools: dict[str, Any] = field(default_factory=dict)
    follows_the_clock: bool = False
    lines: list[Line] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def keep(self, entry: str, key: str, value: object, became: str) -> None:
        """A value that goes on."""
        self.lines.append(Line(self.file, entry, key, shown(key, value), became))

    def lose(self, entry: str, key: str, value: object, why: str) -> None:
        """A value that does not."""
        self.lines.append(Line(self.file, entry, key, shown(key, value), why, kept=False))

    def refuse(self, entry: str, cause: str, fix: str) -> None:
        """Something without which nothing can be taken over safely."""
        self.wrong.append(f"{self.file}: {entry}: {cause}. Fix: {fix}.")

    def lose_unknown(self, entry: str, given: Mapping[str, Any], known: Mapping[str, Any] | set[str]) -> None:
        """Keys that the script itself does not read."""
        for key, value in given.items():
            if key not in known:
                self.lose(entry, key, value, "not known to the script, nor here")

    def number(self, entry: str, key: str, value: object, take: Callable[[float], None]) -> None:
        """Hands a number on, also one that stands in quotes; anything else is refused."""
        found = number(value)
        if found is None:
            self.refuse(entry, f"{key} is {value!r}, which is no number", "correct it in that file")
        else:
            take(found)


def number(value: object) -> float | None:
    """A finite number, or None. `"10"` is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def words(value: object) -> str:
    """A text, or a number as one; "" for anything else, and where nothing is given."""
    fits = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if fits else ""


def tidy(value: float) -> int | float:
    """73.0 is written 73."""
    return int(value) if value == int(value) else value


def duration(seconds: float) -> str:
    """As people write it: `10 min`, `90 s`."""
    minutes = seconds / 60
    return f"{tidy(minutes)} min" if minutes >= 1 and minutes == int(minutes) else f"{tidy(seconds)} s"


def shown(key: str, value: object) -> str:
    """A value for the table; no secret."""
    if value is not None and any(word in key.lower() for word in _SECRET):
        return "***"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
