"""What changes slowly: who the miner is, its presets, and its settings. Pure."""

import json
import re
import zlib
from dataclasses import dataclass, field
from typing import Any

from services.vnish_agent.parse import HashUnit, mapping, number, text

_NO_SERIAL = {"n/a", "na", "none", "unknown", "0"}
_PRESET_MAX_W = 20_000
_UPTIME = re.compile(r"(?:(\d{1,5}) days?,\s*)?(\d{1,2}):(\d{2})")


@dataclass(frozen=True)
class Identity:
    """Who answers at an address. None: it does not say."""

    mac: str | None = None
    serial: str | None = None
    model: str | None = None
    firmware: str | None = None
    unit: HashUnit = field(default_factory=HashUnit)

    def is_other_than(self, known: "Identity") -> bool:
        """Whether the two are different devices, by the strongest mark that both have."""
        for mine, theirs in ((self.mac, known.mac), (self.serial, known.serial), (self.model, known.model)):
            if mine is not None and theirs is not None:
                return mine != theirs
        return False


@dataclass(frozen=True)
class Preset:
    """One line of `/autotune/presets`. `power_w` None: its name is not a wattage (`disabled`)."""

    name: str
    power_w: float | None
    usable: bool
    """Tuned, and not in need of a modified power supply."""


@dataclass(frozen=True)
class MinerSettings:
    """The part of `/settings` that matters here, and the whole for comparing."""

    preset: str | None = None
    switcher: dict[str, Any] = field(default_factory=dict)
    """`preset_switcher` as the miner reports it; empty where there is none."""
    packed: bytes = b""
    """The whole. As objects it would be 30 KB for each miner, for a comparison that is made once in months."""

    @property
    def whole(self) -> dict[str, Any]:
        """All settings as the miner reports them; made anew each time."""
        return mapping(json.loads(zlib.decompress(self.packed))) if self.packed else {}

    @property
    def switching(self) -> bool:
        """Whether the firmware moves between presets by temperature."""
        return self.switcher.get("enabled") is True

    @property
    def top_preset(self) -> str | None:
        return preset_name(self.switcher.get("top_preset"))


def identity(info: Any, summary: Any = None) -> Identity:
    """From `/info`; the earliest builds show the network in `/summary` alone."""
    found = mapping(info)
    system = mapping(found.get("system")) or mapping(mapping(summary).get("system"))
    mac = text(mapping(system.get("network_status")).get("mac"))
    serial = text(found.get("serial"))
    return Identity(
        mac=mac.upper() if mac else None,
        serial=None if serial is None or serial.lower() in _NO_SERIAL else serial,
        model=text(found.get("miner")) or text(found.get("model")),
        firmware=text(found.get("fw_version")),
        unit=HashUnit(text(found.get("hr_measure")), text(found.get("algorithm"))),
    )


def uptime_seconds(summary: Any) -> float | None:
    """From `/summary` of the earliest builds, to the minute, such as `9 days,  3:58`; later ones tell it in `/info`."""
    found = _UPTIME.fullmatch(text(mapping(mapping(summary).get("system")).get("uptime")) or "")
    if found is None:
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return 60.0 * (minutes + 60 * (hours + 24 * days))


def presets(answer: Any) -> tuple[Preset, ...]:
    """From `/autotune/presets`, which is a list; anything else in it is skipped."""
    found: dict[str, Preset] = {}
    for item in answer if isinstance(answer, list) else []:
        line = mapping(item)
        name = preset_name(line.get("name"))
        if name is not None:
            usable = line.get("status") == "tuned" and line.get("modded_psu_required") is False
            found.setdefault(name, Preset(name, watts_of(name), usable))
    return tuple(found.values())


def live_preset(perf_summary: Any) -> str | None:
    """The preset that runs now, which differs from the starting one where the firmware switches by itself."""
    return preset_name(mapping(mapping(perf_summary).get("current_preset")).get("name"))


def settings(answer: Any) -> MinerSettings:
    """From `/settings`."""
    whole = mapping(answer)
    overclock = mapping(mapping(whole.get("miner")).get("overclock"))
    packed = zlib.compress(json.dumps(whole).encode())
    return MinerSettings(preset_name(overclock.get("preset")), mapping(overclock.get("preset_switcher")), packed)


def preset_name(value: Any) -> str | None:
    """A preset's name; a build that sends it as a number means the same."""
    plain = number(value)
    return f"{plain:g}" if plain is not None else text(value)


def watts_of(name: str) -> float | None:
    """A preset's name is its wattage."""
    return float(name) if name.isascii() and name.isdigit() and 0 < int(name[:9]) <= _PRESET_MAX_W else None


def watts_below(switcher: dict[str, Any]) -> float:
    """Presets below this are out of the firmware's own range while it switches by itself."""
    lowest = preset_name(switcher.get("min_preset"))
    return (watts_of(lowest) or 0.0) if lowest is not None and switcher.get("enabled") is True else 0.0


def changed_paths(before: MinerSettings, after: MinerSettings) -> tuple[str, ...]:
    """Which settings differ, but for those that choosing a preset changes. Names only: values may hold secrets."""
    old, new = dict(_leaves(before.whole, "")), dict(_leaves(after.whole, ""))
    different = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    return tuple(sorted({path for path in different if not _belongs_to_preset(path)}))


_OVERCLOCK = "miner.overclock."
_PRESETS_OWN = (
    f"{_OVERCLOCK}preset",
    f"{_OVERCLOCK}preset_switcher.top_preset",
    # The firmware fills these in from the preset that it takes up.
    f"{_OVERCLOCK}globals",
    f"{_OVERCLOCK}chains",
)


def _belongs_to_preset(path: str) -> bool:
    return any(path == own or path.startswith(f"{own}.") for own in _PRESETS_OWN)


def _leaves(value: Any, path: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(path, value)]
    return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}" if path else str(key))]
