"""Looks at the outlets of one plug or strip, by the link of their agent. Nothing is switched."""

from collections.abc import Mapping

from deploy.console.finding.finding import Finding, Looked
from deploy.console.finding.miners import plain
from services.kasa_power_agent.choose import Wishes
from services.kasa_power_agent.driver import OutletDriver
from services.kasa_power_agent.link import Manners
from services.kasa_power_agent.unit import Unit
from services.kasa_power_agent.wiring import account_of
from shared.clock import Clock
from shared.device import DeviceError
from shared.messages import PlugTelemetry
from shared.settings import Address, FarmSettings, Secrets
from shared.settings.plug import PlugSettings, address_shown

_KIND = "plug"
_FIXES = {
    "unreachable": "is it plugged in, and is its address still this one? sunherd discover kasa finds it",
    "unauthorized": "set KASA_USERNAME and KASA_PASSWORD to your TP-Link account (upper and lower case count)",
    "no_such_outlet": "write one of these as outlet",
    "another_device": "correct host, or write the new MAC where the plug was replaced on purpose",
    "shared_outlet": "give each miner an outlet of its own",
    "never_switched": "hang the miner on another outlet, or correct never_switch",
}


def plugs_by_device(farm: FarmSettings) -> dict[Address, dict[str, PlugSettings]]:
    """The miners that hang on each plug or strip."""
    devices: dict[Address, dict[str, PlugSettings]] = {}
    for name, miner in farm.miners.items():
        if miner.plug is not None:
            devices.setdefault(miner.plug.host, {})[name] = miner.plug
    return devices


def look_at_plugs(farm: FarmSettings, plugs: Mapping[str, PlugSettings], secrets: Secrets, clock: Clock) -> Looked:
    """One reading of the device, meters included, for all who hang on it."""
    from services.kasa_power_agent.kasa_link import KasaLink  # it takes its time: only where there are plugs

    first = next(iter(plugs.values()))
    wishes = Wishes(
        outlets={name: plug.outlet for name, plug in plugs.items()},
        never=tuple(entry.outlet for entry in farm.never_switch if entry.host == first.host),
    )
    link = KasaLink(Manners(first.host, first.protocol, account_of(secrets, list(plugs))))
    unit = Unit(link, clock, wishes)
    try:
        return Looked(tuple(_look(name, plug, unit, clock) for name, plug in plugs.items()))
    finally:
        link.close()


def _look(name: str, plug: PlugSettings, unit: Unit, clock: Clock) -> Finding:
    where = address_shown(plug.host)
    try:
        reading = OutletDriver(name, unit, clock, mac=plug.mac).read()
    except DeviceError as error:
        fix = _FIXES.get(error.code, "is this the address of a Kasa plug? sunherd discover kasa lists them")
        return Finding(_KIND, name, f"{where}: {plain(error.sentence)}", fix)
    said = f"{where}: {_shown(reading)}"
    if reading.problem is not None:
        return Finding(_KIND, name, f"{said}; {reading.detail}", "look at the plug itself")
    return Finding(_KIND, name, said)


def _shown(reading: PlugTelemetry) -> str:
    outlet = " ".join(
        word
        for word in (
            "" if reading.outlet_number is None else str(reading.outlet_number),
            f'"{plain(reading.outlet)}"' if reading.outlet else "",
        )
        if word
    )
    states = {True: "on", False: "off", None: "unknown"}
    parts = [plain(reading.model), f"outlet {outlet}" if outlet else "", states[reading.on]]
    if reading.power_w is not None:
        parts.append(f"{reading.power_w:.0f} W")
    return ", ".join(part for part in parts if part)
