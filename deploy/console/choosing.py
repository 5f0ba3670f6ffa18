"""Settings that a person chooses instead of those of the farm file: how they are written, and how they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.connection import Connection
from deploy.console.targets import Target, targets_of
from deploy.console.trouble import TroubleError
from shared.messages import Choice, Number
from shared.settings import FarmSettings
from shared.settings.problems import did_you_mean

POINT = "point"
KEYS_OF_MINERS = ("stop_soc", "resume_soc", "max_w", POINT)
KEYS_OF_GROUPS = ("max_w",)
_HEADINGS = ("of", "setting", "farm file", "chosen", "by", "since")


def keys_of(target: Target) -> tuple[str, ...]:
    """What can be chosen of it."""
    return KEYS_OF_GROUPS if target.is_group else KEYS_OF_MINERS


def assignments(words: Sequence[str], farm: Connection) -> tuple[list[Target], dict[str, Number]]:
    """`WHO... KEY=VALUE...` as whom and what. Raises TroubleError."""
    targets = targets_of([word for word in words if "=" not in word], farm)
    chosen: dict[str, Number] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            chosen[_key(key, targets)] = _value(key, value)
    if not chosen:
        message = "Nothing was chosen. Fix: write what, such as stop_soc=70."
        raise TroubleError(message)
    return targets, chosen


def taken_back(words: Sequence[str], farm: Connection) -> tuple[list[Target], list[str]]:
    """`WHO... [KEY...]` as whom and which; no key means all. Raises TroubleError."""
    known = {*farm.miners, *farm.groups}
    names = [word for place, word in enumerate(words) if place == 0 or word in known or word not in KEYS_OF_MINERS]
    targets = targets_of(names, farm)
    return targets, [_key(word, targets) for word in words if word not in names]


def table(rows: Sequence["Setting"]) -> str:
    """For people, one line for each setting. Ends with a newline."""
    cells = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in cells)


@dataclass(frozen=True)
class Setting:
    """One setting of a miner or group. `knows_file` False: there is no farm file here, so nobody knows what it says."""

    of: Target
    key: str
    in_file: Number | None
    knows_file: bool
    choice: Choice | None

    @property
    def chosen(self) -> Number | None:
        """None: as in the farm file."""
        found: Number | None = getattr(self.choice, self.key, None)
        return found

    def cells(self) -> tuple[str, ...]:
        """For the table."""
        file = _shown(self.in_file) if self.knows_file else "?"
        if self.choice is None or self.chosen is None:
            return (self.of.name, self.key, file, "-", "", "")
        since = self.choice.at.astimezone().strftime("%Y-%m-%d %H:%M")
        return (self.of.name, self.key, file, _shown(self.chosen), self.choice.by, since)

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""
        choice = self.choice if self.chosen is not None else None
        return {
            "farm_file": self.in_file,
            "farm_file_known": self.knows_file,
            "chosen": self.chosen,
            "by": None if choice is None else choice.by,
            "since": None if choice is None else choice.at.isoformat(),
        }


def settings_of(
    targets: Sequence[Target], farm: FarmSettings | None, choices: Mapping[Target, Choice | None]
) -> list[Setting]:
    """Every setting that can be chosen, in the order of the farm file."""
    return [
        Setting(target, key, _in_file(farm, target, key), farm is not None, choices.get(target))
        for target in targets
        for key in keys_of(target)
    ]


def _in_file(farm: FarmSettings | None, target: Target, key: str) -> Number | None:
    if farm is None:
        return None
    if target.is_group:
        return farm.groups[target.name].max_w
    miner = farm.miners[target.name]
    values: dict[str, Number | None] = {
        "stop_soc": miner.stop_soc,
        "resume_soc": miner.resume_soc,
        "max_w": miner.max_w,
        POINT: miner.profile or miner.preset,
    }
    return values[key]


def _key(key: str, targets: Sequence[Target]) -> str:
    for target in targets:
        allowed = keys_of(target)
        if key not in allowed:
            kind = "a group" if target.is_group else "a miner"
            message = (
                f"{key or 'nothing'} cannot be chosen of {target.name}, {kind}{did_you_mean(key, allowed)}. "
                f"Fix: use {', '.join(allowed)}."
            )
            raise TroubleError(message)
    return key


def _value(key: str, text: str) -> Number:
    if key == POINT:
        if text.strip():
            return text.strip()
        message = "point= names no point. Fix: write the name of one, such as point=quiet; sunherd unset takes it back."
        raise TroubleError(message)
    try:
        value = float(text)
        whole = round(value)
    except (ValueError, OverflowError):
        message = f"{key}={text} is no number. Fix: write a plain number, such as {key}=70."
        raise TroubleError(message) from None
    return whole if whole == value else value


def _shown(value: Number | None) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
