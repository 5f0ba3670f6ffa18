"""The real python-kasa as a client of the stand-ins: one visit at a time, and nothing is left open."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from kasa import Credentials, Device, DeviceConfig, DeviceConnectionParameters, DeviceEncryptionType, DeviceFamily

from services.simulator.kasa_klap import Account, KlapServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer

ACCOUNT = Account("Owner@example.org", "Open Sesame")
ALIASES = ("Rig 1", "Rig 2", "Router")
WORLDS = ("legacy", "klap", "smart")
"""The languages of plain plugs."""

Use = Callable[[Device], Awaitable[object]]


def legacy(server: KasaServer) -> DeviceConfig:
    return DeviceConfig(host=server.host, port_override=server.port, timeout=2)


def klap(server: KlapServer, account: Account = ACCOUNT) -> DeviceConfig:
    smart = server.device.machine.model.smart
    family = DeviceFamily.SmartKasaPlug if smart else DeviceFamily.IotSmartPlugSwitch
    kind = DeviceConnectionParameters(family, DeviceEncryptionType.Klap, login_version=2, http_port=server.port)
    credentials = Credentials(account.username, account.password)
    return DeviceConfig(host=server.host, timeout=2, credentials=credentials, connection_type=kind)


def visit(config: DeviceConfig, use: Use) -> None:
    """Connects, which reads the device once, and always lets go of it."""

    async def visiting() -> None:
        device = await Device.connect(config=config)
        try:
            await use(device)
        finally:
            await device.disconnect()

    asyncio.run(visiting())


async def nothing(_device: Device) -> None:
    """To connect is enough."""


async def turn_off(device: Device) -> None:
    await device.turn_off()


async def turn_on(device: Device) -> None:
    await device.turn_on()


async def switched(device: Device, outlet: Device, *, on: bool) -> bool:
    """What the device says after it was told."""
    await (outlet.turn_on() if on else outlet.turn_off())
    await device.update(update_children=False)
    return outlet.is_on


@contextmanager
def serving(world: str, machine: KasaMachine) -> Iterator[tuple[KasaServer | KlapServer, DeviceConfig]]:
    """A server, and how to reach it."""
    if world == "legacy":
        with KasaServer(machine) as server:
            yield server, legacy(server)
    else:
        with KlapServer(machine, ACCOUNT) as guarded:
            yield guarded, klap(guarded)
