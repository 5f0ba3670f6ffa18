"""Kasa devices with an account, and what they and older ones tell those who look for them, as python-kasa sees it."""

import asyncio
from dataclasses import replace

import pytest
from kasa import AuthenticationError, Device, DeviceEncryptionType, Discover

from services.simulator.http import Wire
from services.simulator.kasa_klap import Account, KlapServer
from services.simulator.kasa_machine import KasaMachine
from services.simulator.kasa_server import KasaServer
from shared.clock import VirtualClock
from tests.kasa_client import ACCOUNT, ALIASES, klap, nothing, visit


@pytest.mark.parametrize("model", ["HS103", "KP125M"])
@pytest.mark.parametrize("wrong", [{"password": "open sesame"}, {"username": "owner@example.org"}, {"password": ""}])
def test_another_account_is_turned_away(model: str, wrong: dict[str, str], clock: VirtualClock) -> None:
    machine = KasaMachine(model, clock=clock)
    with KlapServer(machine, ACCOUNT) as server:
        with pytest.raises(AuthenticationError):
            visit(klap(server, replace(ACCOUNT, **wrong)), nothing)
        assert server.device.greeted > 0
    assert not machine.heard, "nothing was told to a stranger"


def test_a_changed_password_ends_what_went_well(clock: VirtualClock) -> None:
    with KlapServer(KasaMachine(clock=clock), ACCOUNT) as server:

        async def use(device: Device) -> None:
            server.device.account = Account(ACCOUNT.username, "another")
            server.device.forget_sessions()
            with pytest.raises(AuthenticationError):
                await device.update()

        visit(klap(server), use)


def test_a_reboot_costs_no_more_than_a_new_handshake(clock: VirtualClock) -> None:
    with KlapServer(KasaMachine(clock=clock), ACCOUNT) as server:

        async def use(device: Device) -> None:
            server.device.forget_sessions()
            await device.update()
            assert device.is_on

        visit(klap(server), use)


# --- who looks for devices


def found(target: str, port: int | None = None) -> dict[str, Device]:
    async def looking() -> dict[str, Device]:
        devices = await Discover.discover(target=target, port=port, discovery_timeout=1)
        for device in devices.values():
            await device.disconnect()
        return devices

    return asyncio.run(looking())


def test_an_older_device_tells_everything_to_those_who_look(clock: VirtualClock) -> None:
    machine = KasaMachine("HS300", clock=clock, name="Strip", aliases=ALIASES)
    with KasaServer(machine) as server:
        (device,) = found("127.0.0.1", server.port).values()
        assert (device.model, device.alias) == ("HS300", "Strip")
        machine.faults.wire = Wire.SILENCE
        assert not found("127.0.0.1", server.port)


def test_a_device_with_an_account_tells_only_where_it_is(clock: VirtualClock) -> None:
    machine = KasaMachine("KP125M", clock=clock, name="Rig 7")
    with KlapServer(machine, ACCOUNT, "127.0.0.7", discovery=True) as server:
        (device,) = found("127.0.0.7").values()
        kind = device.config.connection_type
        assert (device.model, kind.http_port, kind.encryption_type) == (
            "KP125M",
            server.port,
            DeviceEncryptionType.Klap,
        )
        assert device.alias is None
    assert not machine.heard
