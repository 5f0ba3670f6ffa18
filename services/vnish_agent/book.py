"""What is known of one miner and changes slowly. Read at adoption, then rarely; re-read where something moved."""

from typing import Any

from services.vnish_agent import facts
from services.vnish_agent.client import RouteMissingError, VnishClient
from services.vnish_agent.facts import Identity, MinerSettings, Preset
from shared.clock import Clock
from shared.device import DeviceError, NonsenseError

REFRESH_SECONDS = 600.0
RETRY_SECONDS = 60.0
PRESETS_BYTES_MAX = 524_288
"""A tuned preset lists the frequency of every chip, so that this one answer is long."""


class AnotherDeviceError(DeviceError):
    """Another miner answers where ours did: commands meant for one must not reach the other."""

    code = "another_device"


class Book:
    """Identity, presets and settings. None is: not read yet."""

    def __init__(self, client: VnishClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.identity = Identity()
        self.presets: tuple[Preset, ...] | None = None
        self.settings: MinerSettings | None = None
        self.live_preset: str | None = None
        self.problem: DeviceError | None = None
        """Why presets and settings could not be read; monitoring goes on without them."""
        self._identity_due = self._secured_due = -1.0

    def expect(self, mac: str | None) -> None:
        """Which machine this is to be, before it has been read."""
        if mac is not None:
            self.identity = Identity(mac=mac.upper())

    def doubt(self) -> None:
        """After a gap anything may have changed, even which miner answers."""
        self._identity_due = self._secured_due = -1.0

    def refresh(self, summary: Any) -> None:
        """Reads what is due. Raises AnotherDeviceError, and DeviceError when the miner stops answering."""
        now = self._clock.seconds()
        if now >= self._identity_due:
            self._refresh_identity(summary)
            self._identity_due = now + self._rest_seconds(self._identity_due)
        if now >= self._secured_due and not self._client.locked_out():
            self._refresh_secured()
            self._secured_due = now + (self._rest_seconds(self._secured_due) if self.problem is None else RETRY_SECONDS)

    def _rest_seconds(self, was_due: float) -> float:
        # A thousand miners that were adopted in the same minute are not asked for all this in the same minute again.
        return REFRESH_SECONDS if was_due >= 0 else REFRESH_SECONDS * (1 + self._client.lot) / 2

    def see_live_preset(self, name: str | None) -> None:
        """Takes note of the running preset. Where it moved by itself, the settings may have been changed, too."""
        if name != self.live_preset:
            self._secured_due = -1.0
        self.live_preset = name

    def read_settings(self) -> MinerSettings:
        """Reads the settings now. Raises DeviceError; then they are unknown."""
        self.settings = None
        self.settings = found = facts.settings(self._client.get_secured("/settings"))
        return found

    def _refresh_identity(self, summary: Any) -> None:
        try:
            info = self._client.get("/info")
        except RouteMissingError:
            info = None
        found = facts.identity(info, summary)
        if found.is_other_than(self.identity):
            raise AnotherDeviceError(_another(self.identity, found))
        self.identity = found

    def _refresh_secured(self) -> None:
        try:
            try:
                self.read_settings()
            except RouteMissingError:
                self.settings = MinerSettings()
            self.presets = self._read_presets()
        except DeviceError as error:
            self.problem = error
        else:
            self.problem = None

    def _read_presets(self) -> tuple[Preset, ...]:
        try:
            answer = self._client.get_secured("/autotune/presets", PRESETS_BYTES_MAX)
        except RouteMissingError:
            return ()
        if not isinstance(answer, list):
            message = "/autotune/presets did not answer a list"
            raise NonsenseError(message)
        return facts.presets(answer)


def _another(known: Identity, found: Identity) -> str:
    was, now = (one.mac or one.serial or one.model for one in (known, found))
    sentence = f"another miner answers at this address: {now} in place of {was}"
    if found.mac is None:
        return f"{sentence}; it is left alone"
    return f"{sentence}; it is left alone. If you have replaced it, write `mac: {found.mac}` under this miner"
