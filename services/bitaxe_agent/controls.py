"""The requests that change something, each no sooner than the chip has followed the one before."""

from dataclasses import dataclass, replace

from services.bitaxe_agent.book import PAUSE_SINCE, Book
from services.bitaxe_agent.client import AxeClient, RouteMissingError
from services.bitaxe_agent.ramp import Action, Move, Ramp
from services.bitaxe_agent.setting import Setting
from shared.clock import Clock
from shared.device import NonsenseError, RefusedError, Step

SOON_SECONDS = 1.0
WAIT_SECONDS = 10.0
START_SECONDS = 5.0
FRESH_SECONDS = 2.0
"""Voltage is lowered only on what has just been read."""
FOLLOWS_SECONDS = {True: 1.0, False: 5.0}
"""How long until a chip has followed a new setting: from 2.14 its firmware looks every 0.1 s, before every 2 s."""
FOR_EVER_SECONDS = 10 * 365 * 86_400.0


@dataclass(frozen=True)
class Pace:
    """How the owner wants it to move."""

    steps: int = 5
    delay_seconds: float = 10.0


class Controls:
    """Makes the moves of one device."""

    def __init__(self, client: AxeClient, book: Book, clock: Clock, pace: Pace) -> None:
        self._client = client
        self._book = book
        self._clock = clock
        self._pace = pace
        self._read_at = 0.0
        self._reading: Setting | None = None
        self._sent: Setting | None = None
        self._frequency_moved_at: float | None = None
        self._voltage_moved_at: float | None = None
        self._ramp: Ramp | None = None
        self._mended: Move | None = None
        self._in_vain = False
        """What was sent last was accepted and not done."""

    @property
    def expected(self) -> frozenset[Setting]:
        """What the device may be set to by what we know and have sent."""
        return frozenset(setting for setting in (self._reading, self._sent) if setting is not None)

    def recall(self, setting: Setting) -> None:
        """What an earlier process has read."""
        self._reading = self._sent = setting

    def saw(self, setting: Setting | None) -> None:
        """A reading has just been made."""
        now = self._read_at = self._clock.seconds()
        before = self._sent
        if setting is None:
            return
        self._in_vain = before is not None and not setting.same_as(before) and setting == self._reading
        # What somebody else, or an earlier process, has moved is as young as what we have moved ourselves.
        if self._frequency_moved_at is None or before is None or before.frequency_mhz != setting.frequency_mhz:
            self._frequency_moved_at = now
        if self._voltage_moved_at is None or before is None or before.voltage_mv != setting.voltage_mv:
            self._voltage_moved_at = now
        self._reading = self._sent = setting

    def ramp_to(self, target: Setting) -> Ramp:
        """The way to a target; it begins where the device is when the target is first named."""
        if self._ramp is None or self._ramp.end != target:
            self._ramp = Ramp(self._sent or target, target, self._pace.steps)
        return self._ramp

    def arrived(self) -> None:
        """Nothing is left to be done: the next way begins anew."""
        self._ramp = self._mended = None

    def make(self, action: Action, ramp: Ramp, actual_mhz: float | None) -> Step:
        """One bounded step. Raises DeviceError."""
        if action.move is Move.FREQUENCY:
            return self._frequency(action.megahertz, ramp)
        if action.move is Move.VOLTAGE:
            return self._voltage(action.millivolts, ramp, actual_mhz)
        if action.move is Move.PAUSE:
            return self._pause()
        return self._wait(action.move) if action.move in _WITHOUT_REQUEST else self._mend(action.move)

    def restart(self) -> None:
        """Reboots it; it mines again by itself, at the settings that it keeps. Raises DeviceError."""
        try:
            self._client.restart()
        except RouteMissingError as error:
            raise RefusedError(error.sentence) from error
        self.arrived()

    def identify(self) -> None:
        """Lets it say hello on its display for half a minute. Raises DeviceError."""
        try:
            if not self._client.identify():
                self._client.identify()  # it was at it already, and a second request ends that
        except RouteMissingError as error:
            message = "its firmware cannot show itself; AxeOS can from 2.12"
            raise RefusedError(message) from error

    # --- inside

    def _wait(self, move: Move) -> Step:
        if move is Move.UNKNOWN:
            message = "does not tell its hashrate or its setting: nothing is sent"
            raise NonsenseError(message, retry_seconds=WAIT_SECONDS)
        if move is Move.FAILED:
            message = "is set as it should be, and does not hash"
            raise RefusedError(message, retry_seconds=WAIT_SECONDS)
        return _on_the_way(WAIT_SECONDS)

    def _mend(self, move: Move) -> Step:
        """Back to hashing, and to the firmware's own care of its fan. What has to be done twice was done in vain."""
        if move is Move.FAN:
            self._client.change({"autofanspeed": 1})
        elif move is Move.RESUME:
            self._client.resume()
        else:
            self._client.change({"overheat_mode": 0})
            self._client.restart()
        again, self._mended = self._mended is move, move
        return Step(START_SECONDS) if again else _on_the_way(START_SECONDS)

    def _pause(self) -> Step:
        try:
            self._client.pause()
        except RouteMissingError:
            self._book.cannot_pause()
            raise
        return Step(SOON_SECONDS)

    def _frequency(self, megahertz: float, ramp: Ramp) -> Step:
        rising = self._sent is not None and megahertz > self._sent.frequency_mhz
        if rising and (wait := self._until_followed(self._voltage_moved_at)) > 0:
            return self._moving(wait)
        self._frequency_moved_at = self._clock.seconds()
        whole = float(megahertz).is_integer() or not self._book.identity.is_at_least(2, 10)
        self._client.change({"frequency": int(megahertz) if whole else megahertz})
        if self._sent is not None:
            self._sent = replace(self._sent, frequency_mhz=megahertz)
        return self._moving(self._pause_between(ramp))

    def _voltage(self, millivolts: int, ramp: Ramp, actual_mhz: float | None) -> Step:
        falling = self._sent is None or millivolts < self._sent.voltage_mv
        if falling and (wait := self._until_followed(self._frequency_moved_at)) > 0:
            return self._moving(wait)
        # A chip's clock comes in steps: what it runs at is a little beside what was asked for.
        still_high = actual_mhz is not None and self._sent is not None and actual_mhz > self._sent.frequency_mhz + 5
        if falling and still_high:
            return self._moving(SOON_SECONDS)
        self._voltage_moved_at = self._clock.seconds()
        self._client.change({"coreVoltage": millivolts})
        if self._sent is not None:
            self._sent = replace(self._sent, voltage_mv=millivolts)
        return self._moving(self._pause_between(ramp))

    def _until_followed(self, moved_at: float | None) -> float:
        """How long until the chip has followed what was moved last, and that has been seen: 0 for now."""
        now = self._clock.seconds()
        if now - self._read_at > FRESH_SECONDS:
            return SOON_SECONDS
        follows = FOLLOWS_SECONDS[self._book.identity.is_at_least(*PAUSE_SINCE)]
        return 0.0 if moved_at is None else moved_at + follows - now

    def _pause_between(self, ramp: Ramp) -> float:
        """One step of the owner's ramp moves both: half the time is for each."""
        return self._pace.delay_seconds / (2 if ramp.changes_both else 1)

    def _moving(self, seconds: float) -> Step:
        self._mended = None
        return Step(seconds) if self._in_vain else _on_the_way(max(SOON_SECONDS, seconds))


def _on_the_way(seconds: float) -> Step:
    """However long a way takes, and whatever it waits for: it moves, or is held back on purpose."""
    return Step(seconds, on_the_way=True, patience_seconds=FOR_EVER_SECONDS)


_WITHOUT_REQUEST = frozenset({Move.NONE, Move.COOL, Move.START, Move.FAILED, Move.UNKNOWN})
