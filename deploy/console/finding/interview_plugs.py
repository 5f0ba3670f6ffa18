"""Plugs and strips in the interview: which outlet feeds which miner."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.console.finding.asking import Asker
from deploy.console.finding.draft import DraftMiner, DraftPlug, is_name
from deploy.console.finding.miners import plain
from deploy.console.finding.plugs import search_plugs
from deploy.console.trouble import TroubleError
from services.kasa_power_agent.link import Account, OutletReading
from services.kasa_power_agent.search import Found

_SECONDS = 3
_LEAST_W = 20.0
"""A meter that shows less shows a rig at rest: that is not its nominal power."""


@dataclass(frozen=True)
class Hanging:
    """What hangs where."""

    plugs: Mapping[str, DraftPlug] = field(default_factory=dict)
    """Of miners that were found by themselves."""
    rigs: Sequence[DraftMiner] = ()
    """Without an interface."""
    loose: Sequence[str] = ()


@dataclass(frozen=True)
class _Outlet:
    host: str
    model: str
    reading: OutletReading

    @property
    def plug(self) -> DraftPlug:
        return DraftPlug(self.host, self.reading.number)

    @property
    def watts(self) -> float | None:
        meter = self.reading.meter
        return meter.power_w if meter is not None else None

    def __str__(self) -> str:
        number = "" if self.reading.number is None else f" outlet {self.reading.number}"
        watts = "" if self.watts is None else f", {self.watts:.0f} W"
        return f'{self.host}{number} "{plain(self.reading.alias)}" ({plain(self.model)}{watts})'

    def is_meant(self, host: str, outlet: str) -> bool:
        """Whether `--plug` names it."""
        names = {str(self.reading.number or ""), (self.reading.alias or "").lower()}
        return host == self.host and (outlet.lower() in names or (not outlet and self.reading.number is None))


def plugs_of(
    asker: Asker,
    targets: Sequence[str],
    names: Sequence[str],
    given: Sequence[str],
    watts: Sequence[str],
    farm_file: Path,
    fresh: dict[str, str],
) -> Hanging:
    """Searches, and asks of each outlet what hangs there. Raises TroubleError for options that name nothing."""
    asker.say("\nLooking for Kasa plugs; nothing is switched ...")
    outlets = _outlets(_searched(asker, targets, farm_file, fresh))
    asker.say(f"{len(outlets)} outlet{'' if len(outlets) == 1 else 's'} found.")
    if not outlets:
        asker.say(f"Nobody answered a call to {', '.join(targets)}. One that you know of: --kasa-target ADDRESS.")
    wished = dict(_given_outlet(text, outlets) for text in given)
    nominal = dict(_given_watts(text) for text in watts)
    plugs: dict[str, DraftPlug] = {}
    rigs: list[DraftMiner] = []
    loose: list[str] = []
    for outlet in outlets:
        told = next((name for name, its in wished.items() if its is outlet), None)
        name = told or _asked(asker, outlet, names, {*plugs, *(rig.name for rig in rigs)})
        if not name:
            loose.append(str(outlet))
        elif name in names:
            plugs[name] = outlet.plug
        else:
            nominal_w = _nominal_w(asker, name, outlet, nominal.get(name))
            rigs.append(DraftMiner(name, "plug", plug=outlet.plug, nominal_w=nominal_w, remark=outlet.model))
    return Hanging(plugs, rigs, loose)


def _searched(asker: Asker, targets: Sequence[str], farm_file: Path, fresh: dict[str, str]) -> list[Found]:
    found = search_plugs(farm_file, targets, _SECONDS)
    if not any(device.needs_account and device.reading is None for device in found) or not asker.asks:
        return found
    why = "Some plugs want the TP-Link account (upper and lower case count). It goes into .env."
    username = asker.ask("TP-Link user name (empty: leave them)", why, "KASA_USERNAME", None, "", str)
    password = asker.secret("TP-Link password", "It is not shown.") if username else ""
    if not password:
        return found
    fresh |= {"KASA_USERNAME": username, "KASA_PASSWORD": password}
    return search_plugs(farm_file, targets, _SECONDS, account=Account(username, password))


def _outlets(found: Iterable[Found]) -> list[_Outlet]:
    return [
        _Outlet(device.address, device.reading.model or "plug", outlet)
        for device in sorted(found, key=lambda each: each.address)
        if device.reading is not None
        for outlet in device.reading.outlets
    ]


def _asked(asker: Asker, outlet: _Outlet, names: Sequence[str], taken: set[str]) -> str:
    def parse(text: str) -> str:
        if text in taken:
            message = f"{text} hangs on another outlet already"
            raise ValueError(message)
        if text and not is_name(text):
            message = f"{text!r} cannot be a name. Fix: use only a to z, 0 to 9, - and _"
            raise ValueError(message)
        return text

    why = f"{outlet}. One of {', '.join(names) or 'no miner'}; a new name for a rig without an interface; or nothing."
    return asker.ask("What hangs on it? (empty: nothing of the farm)", why, "--plug", None, "", parse)


def _nominal_w(asker: Asker, name: str, outlet: _Outlet, given: str | None) -> float:
    measured = outlet.watts if outlet.watts is not None and outlet.watts >= _LEAST_W else None
    default = "" if measured is None else f"{measured:.0f}"
    why = "What it draws while it works: the battery and the circuit are reckoned with that."
    return asker.ask(f"Watts of {name}", why, f"--watts {name}=", given, default, _watts)


def _watts(text: str) -> float:
    try:
        watts = float(text)
    except ValueError:
        watts = 0.0
    if not 0 < watts <= 1_000_000:  # noqa: PLR2004 - as the farm file has it
        message = f"{text!r} is no power. Fix: write its watts, such as 1100"
        raise ValueError(message)
    return watts


def _given_outlet(text: str, outlets: Sequence[_Outlet]) -> tuple[str, _Outlet]:
    name, equals, place = text.partition("=")
    host, _, outlet = place.partition("#")
    found = [each for each in outlets if each.is_meant(host, outlet)]
    if not equals or not is_name(name) or len(found) != 1:
        there = "; ".join(map(str, outlets)) or "none"
        message = (
            f"--plug {text} names no outlet that was found. Fix: write NAME=HOST or NAME=HOST#OUTLET; found: {there}."
        )
        raise TroubleError(message)
    return name, found[0]


def _given_watts(text: str) -> tuple[str, str]:
    name, equals, watts = text.partition("=")
    if not equals:
        message = f"--watts {text} is not understood. Fix: write NAME=1100."
        raise TroubleError(message)
    return name, watts
