"""Finds plugs and strips on the local network, by python-kasa's discovery."""

import asyncio
import contextlib

from kasa import AuthenticationError, Credentials, Device, Discover, KasaException, UnsupportedDeviceError

from services.kasa_power_agent.kasa_reading import reading_of
from services.kasa_power_agent.link import Account
from services.kasa_power_agent.search import Found
from shared.device import NonsenseError

_LOOK_SECONDS = 8.0
_CLOSE_SECONDS = 1.0
_REQUEST_SECONDS = 2
_DEVICES_MAX = 200


def search(target: str, seconds: int, account: Account | None, port: int | None = None) -> list[Found]:
    """All devices that answer a broadcast to `target`; bounded in time. `port`: in place of 9999. Raises OSError."""
    return asyncio.run(_search(target, seconds, account, port))


async def _search(target: str, seconds: int, account: Account | None, port: int | None) -> list[Found]:
    strangers: list[Found] = []

    async def stranger(error: UnsupportedDeviceError) -> None:
        if len(strangers) < _DEVICES_MAX:
            strangers.append(Found(str(error.host), note="not a plug that can be spoken to"))

    devices = await Discover.discover(
        target=target,
        discovery_timeout=seconds,
        on_unsupported=stranger,
        credentials=None if account is None else Credentials(account.username, account.password),
        port=port,
        timeout=_REQUEST_SECONDS,
    )
    looks = [_look(device, has_account=account is not None) for device in list(devices.values())[:_DEVICES_MAX]]
    return [*await asyncio.gather(*looks), *strangers]


async def _look(device: Device, *, has_account: bool) -> Found:
    """What one device says of itself; whatever is wrong with it stays its own matter."""
    needs_account = device.config.uses_http
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await device.update()
        return Found(device.host, reading_of(device, meters=True), needs_account=needs_account)
    except AuthenticationError:
        note = "does not accept the account" if has_account else "asks for the account"
        return Found(device.host, needs_account=True, note=note, model=device.model)
    except NonsenseError as error:
        return Found(device.host, needs_account=needs_account, note=error.sentence, model=device.model)
    except (KasaException, TimeoutError, OSError, LookupError):
        return Found(device.host, needs_account=needs_account, note="found, and then it did not answer")
    finally:
        with contextlib.suppress(KasaException, TimeoutError, OSError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await device.disconnect()
