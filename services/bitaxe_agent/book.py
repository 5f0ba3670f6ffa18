"""What is known of one device and changes slowly: who it is, what its board offers. Asked for anew after each boot."""

from services.bitaxe_agent import boards
from services.bitaxe_agent.boards import Options, OwnLimits, Recognised
from services.bitaxe_agent.client import AxeClient, RouteMissingError
from services.bitaxe_agent.parse import Identity, Readout
from services.bitaxe_agent.setting import Setting
from shared.clock import Clock
from shared.device import DeviceError

RETRY_SECONDS = 60.0
PAUSE_SINCE = (2, 14)


class AnotherDeviceError(DeviceError):
    """Another device answers where ours did: settings meant for one board must not reach the other."""

    code = "another_device"


class Book:
    """Identity, options and limits of one device."""

    def __init__(self, client: AxeClient, clock: Clock, own: OwnLimits) -> None:
        self._client = client
        self._clock = clock
        self._own = own
        self._options: Options | None = None
        self._due_at: float | None = -1.0
        """When `/asic` is to be asked for; None: it was."""
        self._uptime_seconds = 0.0
        self._lacks_pause = False
        self.has_rebooted = False
        """Between its last two readings."""
        self.identity = Identity()
        self.device = Recognised()
        self.problem: DeviceError | None = None
        """Why the board's options could not be read."""

    @property
    def limits(self) -> Setting | None:
        """The most that it is ever set to; None: not known what it bears."""
        return boards.limits_of(self._own, self.device, self._options, unread=self.problem is not None)

    @property
    def default(self) -> Setting | None:
        """What its maker sets."""
        return None if self._options is None else self._options.default

    def expect(self, mac: str | None) -> None:
        """Which device this is to be, before it has been read."""
        if mac is not None:
            self.identity = Identity(mac=mac.upper())

    def doubt(self) -> None:
        """After a gap its firmware may be another."""
        self._due_at = -1.0

    def refresh(self, readout: Readout) -> None:
        """Takes note of a reading, and asks for what is due. Raises AnotherDeviceError and DeviceError."""
        found = readout.identity
        if found.is_other_than(self.identity):
            raise AnotherDeviceError(_another(self.identity, found))
        uptime = readout.uptime_seconds
        self.has_rebooted = uptime is not None and uptime < self._uptime_seconds
        if found.version != self.identity.version or self.has_rebooted:
            self._due_at, self._lacks_pause = -1.0, False
        self._uptime_seconds = uptime or 0.0
        self.identity = found.with_known(self.identity)
        if self._due_at is not None and self._clock.seconds() >= self._due_at:
            self._ask()
        self.device = boards.recognise(self.identity, readout, self._options)

    def pauses(self, readout: Readout) -> bool:
        """Whether it can pause: it shows the flag, or is of a version that has it. Forks count differently."""
        return not self._lacks_pause and (
            readout.paused is not None or (self.device.board is not None and self.identity.is_at_least(*PAUSE_SINCE))
        )

    def cannot_pause(self) -> None:
        """It has said so."""
        self._lacks_pause = True

    def _ask(self) -> None:
        try:
            self._options = boards.options(self._client.asic())
        except RouteMissingError:
            self._options, self._due_at, self.problem = None, None, None
        except DeviceError as error:
            self.problem, self._due_at = error, self._clock.seconds() + RETRY_SECONDS
        else:
            self._due_at, self.problem = None, None


def _another(known: Identity, found: Identity) -> str:
    was, now = (" ".join(filter(None, (one.mac, one.chip, one.board))) for one in (known, found))
    sentence = f"another device answers at this address: {now} in place of {was}; it is left alone"
    if found.mac is None or found.mac == known.mac:
        return sentence
    return f"{sentence}. If you have replaced it, write `mac: {found.mac}` under this miner"
