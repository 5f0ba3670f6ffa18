"""A farm file that is being made, and its text. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML

from deploy.console.editing.yaml_text import quoted
from deploy.console.finding.miners import plain

_ORDER = ("vnish", "bitaxe", "plug")
_COMMENT_COLUMN = 4
_NAME = re.compile(r"[a-z0-9_-]+")
_MAKER = re.compile(r"^(antminer|bitmain)\s+", re.IGNORECASE)

HEAD = """\
# Made by `sunherd init`. Next: `sunherd check --live`, then `sunherd up`.
# What else can stand here: farm.example.yaml. Secrets stand in .env beside this file, never in here.

observe: true            # decides and explains, but touches no miner; remove it when you trust what you see
"""


@dataclass(frozen=True)
class Band:
    """Stops below the one, runs again above the other. Percent."""

    stop_soc: float
    resume_soc: float


@dataclass(frozen=True)
class DraftPlug:
    """An outlet. `outlet` None: the device has only one."""

    host: str
    outlet: str | int | None = None


@dataclass(frozen=True)
class DraftMiner:
    """A miner. `host` None: a rig without an interface."""

    name: str
    driver: str
    host: str | None = None
    mac: str | None = None
    band: Band | None = None
    plug: DraftPlug | None = None
    nominal_w: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Draft:
    """All that is to be written."""

    time_zone: str
    miners: Sequence[DraftMiner] = ()
    battery: tuple[str, str] | None = None
    """Home Assistant's URL and the entity of the state of charge."""
    broker: tuple[str, str | None] | None = None
    """URL and user name; None: it is brought along."""
    loose: Sequence[str] = ()
    """Outlets on which nothing hangs, for people."""


def farm_text(draft: Draft) -> str:
    """The farm file."""
    parts = [
        HEAD,
        f"site: {{time_zone: {draft.time_zone}}}    # add latitude and longitude for schedules by the sun\n",
        _broker(draft),
        _battery(draft),
        _miners(draft),
    ]
    return "\n".join(part for part in parts if part)


def names_for(found: Iterable[tuple[str, str, str | None]]) -> list[str]:
    """A name for each (driver, host, model): `s19-20`, `bitaxe-31`; longer where two would be the same."""
    names: list[str] = []
    for driver, host, model in found:
        octets = host.split(":")[0].split(".")
        kind = _slug(model) if driver == "vnish" else driver
        candidates = [f"{kind}-{'-'.join(octets[-count:])}" for count in range(1, len(octets) + 1)]
        candidates += [f"{candidates[-1]}-{number}" for number in range(2, 100)]
        names.append(next(name for name in candidates if name not in names))
    return names


def parse_band(text: str) -> Band:
    """`50-60`. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)\s*-\s*(\d{1,3}(?:\.\d+)?)", text)
    low, high = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if not 0 <= low < high <= 100:  # noqa: PLR2004 - percent
        message = f"{text!r} is no band. Fix: write two percentages, the lower first, such as 50-60"
        raise ValueError(message)
    return Band(low, high)


def parse_bands(text: str, names: Iterable[str]) -> dict[str, Band | None]:
    """`s19-20=30-40, bitaxe-31=none`; empty: nothing special. Raises ValueError."""
    found: dict[str, Band | None] = {}
    known = list(names)
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, band = (piece.strip() for piece in part.partition("="))
        if not equals or name not in known:
            message = f"{part!r} names no miner of this farm. Fix: write name=50-60, of {', '.join(known)}"
            raise ValueError(message)
        found[name] = None if band == "none" else parse_band(band)
    return found


def is_name(text: str) -> bool:
    """Whether it can be the name of a miner."""
    return _NAME.fullmatch(text) is not None


def _broker(draft: Draft) -> str:
    if draft.broker is None:
        return ""
    url, username = draft.broker
    login = f", username: {quoted(username)}" if username else ""
    return f"broker: {{url: {quoted(url)}{login}}}    # password: MQTT_PASSWORD\n"


def _battery(draft: Draft) -> str:
    if draft.battery is None:
        return "# battery:              # without it no state of charge stops a miner: see farm.example.yaml\n"
    url, entity = draft.battery
    return f"battery:\n  home_assistant:        # token: HA_TOKEN\n    url: {url}\n    state_of_charge: {entity}\n"


def _miners(draft: Draft) -> str:
    loose = [f"  # nothing hangs on {line}" for line in draft.loose]
    if not draft.miners:
        return "\n".join(["# miners:               # none was found", *loose]) + "\n"
    ordered = sorted(draft.miners, key=lambda miner: _ORDER.index(miner.driver))
    entries = [f"  {_name(miner.name)}: {{{_keys(miner)}}}" for miner in ordered]
    width = max(map(len, entries)) + _COMMENT_COLUMN
    lines = [
        f"{entry:<{width}}# {plain(miner.remark)}" if miner.remark else entry
        for entry, miner in zip(entries, ordered, strict=True)
    ]
    head = "miners:    # stops below stop_soc, runs again above resume_soc; the lowest band has the highest priority"
    return "\n".join([head, *lines, *loose]) + "\n"


def _name(name: str) -> str:
    """In quotes where YAML would take it for something else: 0e-1 is a number, null is nothing."""
    return name if isinstance(YAML(typ="safe", pure=True).load(name), str) else quoted(name)


def _keys(miner: DraftMiner) -> str:
    keys = [f"driver: {miner.driver}"]
    if miner.host is not None:
        keys.append(f"host: {quoted(miner.host) if ':' in miner.host else miner.host}")
    if miner.mac is not None:
        keys.append(f"mac: {quoted(miner.mac)}")
    if miner.nominal_w is not None:
        keys.append(f"nominal_w: {miner.nominal_w:g}")
    if miner.plug is not None:
        outlet = miner.plug.outlet
        which = "" if outlet is None else f", outlet: {outlet if isinstance(outlet, int) else quoted(outlet)}"
        keys.append(f"plug: {{host: {miner.plug.host}{which}}}")
    if miner.band is not None:
        keys.append(f"stop_soc: {miner.band.stop_soc:g}, resume_soc: {miner.band.resume_soc:g}")
    return ", ".join(keys)


def _slug(model: str | None) -> str:
    words = _MAKER.sub("", model or "")
    return re.sub(r"[^a-z0-9]", "", words.lower()) or "vnish"
