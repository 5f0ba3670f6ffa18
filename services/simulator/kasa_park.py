"""The plugs and strips of a farm file, with the miners that hang on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.simulator.kasa_klap import Account, KlapServer
from services.simulator.kasa_machine import MODELS, KasaMachine
from services.simulator.kasa_server import KasaServer
from services.simulator.mains import Load
from services.simulator.places import SimulationError, listen, loopback
from shared.clock import Clock
from shared.settings import Address, FarmSettings, Secrets

LEGACY_PORT = 9999
KLAP_PORT = 80
_STRIP, _SMART = "HS300", "KP125M"
_PLAIN = ("KP115", "HS103")
"""In turn: with a meter, and without."""


@dataclass
class _Device:
    """What the farm file says of one address."""

    protocol: str
    first: str
    """The miner that names it first."""
    miners: dict[str, str | int | None] = field(default_factory=dict)
    never: list[str | int | None] = field(default_factory=list)

    @property
    def wishes(self) -> list[str | int | None]:
        return [*self.miners.values(), *self.never]

    @property
    def is_strip(self) -> bool:
        return len(self.miners) > 1 or any(wish not in {None, 1} for wish in self.wishes)

    def aliases(self, outlets: int) -> dict[int, str]:
        """Each outlet that is wished for by alias gets a free place. Raises SimulationError where there is none."""
        numbers = {1 if wish is None else wish for wish in self.wishes if not isinstance(wish, str)}
        named = list(dict.fromkeys(wish for wish in self.wishes if isinstance(wish, str)))
        free = [number for number in range(1, outlets + 1) if number not in numbers]
        if len(named) > len(free) or any(number > outlets for number in numbers):
            message = f"miners.{self.first}.plug: the simulated strip has {outlets} outlets"
            raise SimulationError(message)
        return dict(zip(free, named, strict=False))


class KasaPark:
    """A machine for each address of a plug. Raises SimulationError for a farm file that cannot be simulated."""

    def __init__(self, farm: FarmSettings, secrets: Secrets, clock: Clock, loads: Mapping[str, Load]) -> None:
        self.machines: dict[Address, KasaMachine] = {}
        """By the address in the farm file."""
        self._servers: list[tuple[str, KasaServer | KlapServer]] = []
        plain = 0
        for address, device in _devices(farm).items():
            model = _STRIP if device.is_strip else _SMART if device.protocol == "smart" else _PLAIN[plain % len(_PLAIN)]
            plain += model in _PLAIN
            machine = self.machines[address] = _machine(model, device, clock, loads)
            place = f"miners.{device.first}.plug"
            loopback(f"{place}.host", address)
            self._servers.append((place, _server(machine, device, address, secrets)))

    @property
    def heard(self) -> bool:
        """Whether somebody has asked each of them."""
        return all(machine.heard for machine in self.machines.values())

    def start(self) -> None:
        """Listens everywhere. Raises SimulationError."""
        for place, server in self._servers:
            listen(place, server.port, server.start)

    def count(self) -> None:
        """Lets all meters count."""
        for machine in self.machines.values():
            machine.count()

    def stop(self) -> None:
        for _, server in self._servers:
            server.stop()


def _devices(farm: FarmSettings) -> dict[Address, _Device]:
    devices: dict[Address, _Device] = {}
    for name, miner in farm.miners.items():
        if miner.plug is not None:
            device = devices.setdefault(miner.plug.host, _Device(miner.plug.protocol, name))
            device.miners[name] = miner.plug.outlet
    for never in farm.never_switch:
        if never.host in devices:
            devices[never.host].never.append(never.outlet)
    return devices


def _machine(model: str, device: _Device, clock: Clock, loads: Mapping[str, Load]) -> KasaMachine:
    if model == _STRIP and device.protocol == "smart":
        message = f"miners.{device.first}.plug.protocol: no strip with smart is simulated; say klap or legacy"
        raise SimulationError(message)
    outlets = MODELS[model].outlets
    aliases = device.aliases(outlets or 1)
    told = [aliases.get(number, f"Outlet {number}") for number in range(1, outlets + 1)] or list(aliases.values())
    machine = KasaMachine(model, clock=clock, name=f"plug of {device.first}", aliases=told)
    for name, wish in device.miners.items():
        machine.plug_in(loads[name], 1 if wish is None else wish)
    return machine


def _server(machine: KasaMachine, device: _Device, address: Address, secrets: Secrets) -> KasaServer | KlapServer:
    if device.protocol in {"auto", "legacy"}:
        return KasaServer(machine, address.host, address.port or LEGACY_PORT)
    own = device.first.upper().replace("-", "_")
    account = Account(
        secrets.get(f"{own}_PLUG_USERNAME") or secrets.get("KASA_USERNAME") or "owner@example.org",
        secrets.get(f"{own}_PLUG_PASSWORD") or secrets.get("KASA_PASSWORD") or "secret",
    )
    return KlapServer(machine, account, address.host, address.port or KLAP_PORT)
