"""Real plugs and strips, by python-kasa. Only the files `kasa_*.py` import it.

The library is asyncio: it lives in the thread that calls this link, and nowhere else. Each call is bounded as a whole,
because the library tries four times whatever it is told (23 s of a silent device by its own defaults).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kasa import (
    AuthenticationError,
    Credentials,
    Device,
    DeviceConfig,
    DeviceConnectionParameters,
    DeviceEncryptionType,
    DeviceFamily,
    KasaException,
    UnsupportedDeviceError,
)
from kasa import TimeoutError as KasaTimeoutError

from services.kasa_power_agent.kasa_reading import reading_of
from services.kasa_power_agent.link import DeviceReading, Language, Manners
from shared.device import DeviceError, NonsenseError, RefusedError, UnauthorizedError, UnreachableError
from shared.settings.plug import NO_PORT

T = TypeVar("T")

CALL_SECONDS = 8.0
_TRY_SECONDS = 3.0
"""For one language of several: a device that listens and does not understand says nothing."""
_REQUEST_SECONDS = 2
_CLOSE_SECONDS = 1.0
_CAUSES_MAX = 8

_LEGACY = DeviceConnectionParameters(DeviceFamily.IotSmartPlugSwitch, DeviceEncryptionType.Xor)
_KLAP_2 = DeviceConnectionParameters(DeviceFamily.IotSmartPlugSwitch, DeviceEncryptionType.Klap, 2)
_KLAP_1 = DeviceConnectionParameters(DeviceFamily.IotSmartPlugSwitch, DeviceEncryptionType.Klap)
_SMART_KLAP = DeviceConnectionParameters(DeviceFamily.SmartKasaPlug, DeviceEncryptionType.Klap, 2)
_SMART_AES = DeviceConnectionParameters(DeviceFamily.SmartTapoPlug, DeviceEncryptionType.Aes, 2)
_LANGUAGES: dict[Language, tuple[DeviceConnectionParameters, ...]] = {
    "auto": (_LEGACY, _KLAP_2, _SMART_KLAP, _KLAP_1, _SMART_AES),
    "legacy": (_LEGACY,),
    "klap": (_KLAP_2, _KLAP_1),
    "smart": (_SMART_KLAP, _SMART_AES),
}
"""By the age of devices: most are legacy, and a newer one refuses that port at once."""


class KasaLink:
    """PlugLink. The language that a device speaks is found once and tried first from then on."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        languages = _LANGUAGES[manners.language]
        if manners.account is None:
            # Without an account the library claims, unasked, that these want one.
            languages = tuple(each for each in languages if each not in (_SMART_AES, _SMART_KLAP)) or languages
        self._languages = list(languages)
        self._runner: asyncio.Runner | None = None
        self._device: Device | None = None

    def read(self, *, meters: bool) -> DeviceReading:
        return self._call(lambda: self._read(meters=meters), switching=False)

    def switch(self, outlet_id: str, *, on: bool) -> None:
        self._call(lambda: self._switch(outlet_id, on=on), switching=True)

    def close(self) -> None:
        if self._runner is not None:
            try:
                self._runner.run(self._hang_up())
            finally:
                self._runner.close()
                self._runner = None

    # --- in the event loop

    async def _read(self, *, meters: bool) -> DeviceReading:
        device = self._device
        if device is None:
            device = self._device = await self._connect()  # which has just read everything
            return reading_of(device, meters=True)
        await device.update(update_children=meters)
        return reading_of(device, meters=meters or not device.children)

    async def _switch(self, outlet_id: str, *, on: bool) -> None:
        device = self._device
        if device is None:
            device = self._device = await self._connect()
        # A strip itself is never found here, only its outlets: its own switch turns off all of them.
        outlet = next((each for each in device.children or [device] if each.device_id == outlet_id), None)
        if outlet is None:
            message = "the outlet that was read before is not there any more"
            raise NonsenseError(message)
        await (outlet.turn_on() if on else outlet.turn_off())

    async def _connect(self) -> Device:
        failure: Exception | None = None
        for language in tuple(self._languages):
            try:
                async with asyncio.timeout(_TRY_SECONDS if len(self._languages) > 1 else CALL_SECONDS):
                    device = await Device.connect(config=self._config(language))
            except Exception as error:  # noqa: BLE001 - a stranger at the address may bring the library to any error
                # What asks for a password is a plug, whatever the other languages came to.
                if failure is None or (_is_unauthorized(error) and not _is_unauthorized(failure)):
                    failure = error
            else:
                self._languages.remove(language)
                self._languages.insert(0, language)
                return device
        raise failure or UnreachableError("no language to speak to it")

    def _config(self, language: DeviceConnectionParameters) -> DeviceConfig:
        address, account = self._manners.address, self._manners.account
        port = None if address.port == NO_PORT else address.port
        return DeviceConfig(
            host=address.host,
            timeout=_REQUEST_SECONDS,
            port_override=port if language == _LEGACY else None,
            credentials=None if account is None else Credentials(account.username, account.password),
            connection_type=DeviceConnectionParameters(
                language.device_family, language.encryption_type, language.login_version, http_port=port
            ),
        )

    async def _hang_up(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await device.disconnect()
            except (KasaException, TimeoutError, OSError):
                pass  # it is gone either way

    # --- outside of it

    def _call(self, operation: Callable[[], Awaitable[T]], *, switching: bool) -> T:
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(self._bounded(operation))
        except DeviceError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            # The library's texts may hold what the device said; none of them is shown.
            raise understood(error, has_account=self._manners.account is not None, switching=switching) from None

    async def _bounded(self, operation: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await operation()
        except BaseException:
            # Nobody knows what is still on its way there: the next call begins with a connection of its own.
            await self._hang_up()
            raise


def understood(error: Exception, *, has_account: bool, switching: bool) -> DeviceError:
    """What an error of the library means here."""
    chain = _chain(error)
    if _is_unauthorized(error):
        wish = "does not accept the account: check" if has_account else "asks for a TP-Link account: set"
        return UnauthorizedError(f"it {wish} KASA_USERNAME and KASA_PASSWORD")
    if any(isinstance(each, TimeoutError | KasaTimeoutError) for each in chain):
        return UnreachableError(f"no answer within {CALL_SECONDS:g} s")
    # What fails on the way there is of the library's most general kind, if its cause is lost.
    if any(isinstance(each, OSError) for each in chain) or (type(error) is KasaException and not switching):
        return UnreachableError("it refuses the connection, or nothing is at this address")
    if any(isinstance(each, UnsupportedDeviceError) for each in chain):
        return NonsenseError("it is no plug that can be spoken to")
    if switching and isinstance(error, KasaException):
        return RefusedError("it refused to switch")
    return NonsenseError(f"it answers, but not as a plug does ({type(error).__name__})")


def _is_unauthorized(error: BaseException) -> bool:
    return any(isinstance(each, AuthenticationError) for each in _chain(error))


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it came from: the library wraps whatever went wrong while it switched."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and len(chain) < _CAUSES_MAX:
        chain.append(following)
        following = following.__cause__
    return chain
