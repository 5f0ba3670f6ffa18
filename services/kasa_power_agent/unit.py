"""One physical plug or strip: its outlets share one connection and each reading of it."""

from collections.abc import Mapping
from datetime import datetime

from services.kasa_power_agent.choose import Wishes, chosen
from services.kasa_power_agent.link import DeviceReading, Meter, OutletReading, PlugLink
from shared.clock import Clock
from shared.device import DeviceError, NonsenseError, UnauthorizedError
from shared.settings.plug import PLUG_POLL_SECONDS_MIN

STATE_APART_SECONDS = PLUG_POLL_SECONDS_MIN
METERS_EVERY = 6
METERS_APART_SECONDS = 60.0
"""With each sixth reading, or once a minute, the meters are read, too: a strip needs a request for each outlet."""
LOCKED_OUT_SECONDS = 60.0
"""A wrong password is not tried at every poll: some firmware locks the account out."""
_SLACK_SECONDS = 0.5
_OUTLETS_MAX = 64


class Unit:
    """Called by one thread, in which all its outlets are tended.

    A reading counts for every outlet until the next is due; whatever has been switched since makes it worthless.
    """

    def __init__(
        self, link: PlugLink, clock: Clock, wishes: Wishes, apart_seconds: float = STATE_APART_SECONDS
    ) -> None:
        """`apart_seconds`: between two readings."""
        self._link = link
        self._clock = clock
        self._wishes = wishes
        self._apart_seconds = apart_seconds
        self._slack_seconds = min(_SLACK_SECONDS, apart_seconds / 20)
        self._reading: DeviceReading | None = None
        self._failure: DeviceError | None = None
        self._asked_at: float | None = None
        self.read_at: datetime | None = None
        """When it was last asked, in farm time."""
        self._metered_at: float | None = None
        self._meters: dict[str, Meter] = {}
        self._meters_wanted = False
        self._switched: set[str] = set()
        self._open = set(wishes.outlets)

    def outlet(self, name: str) -> tuple[DeviceReading, OutletReading]:
        """The device and the outlet of one miner, as just read. Raises DeviceError."""
        reading = self._current()
        outlet = chosen(name, self._wishes, reading)
        return reading, OutletReading(
            outlet.outlet_id, outlet.on, outlet.alias, outlet.number, self._meters.get(outlet.outlet_id)
        )

    def switch(self, outlet: OutletReading, *, on: bool) -> None:
        """Switches one outlet. Raises DeviceError; what has come of it only the next reading tells."""
        # Also after a failure: the relay may have moved although the answer was lost.
        self._asked_at = None
        self._meters.pop(outlet.outlet_id, None)
        self._meters_wanted = True
        self._switched.add(outlet.outlet_id)
        self._link.switch(outlet.outlet_id, on=on)

    def look_at_meters(self) -> None:
        """The next reading asks for watts, whenever it comes."""
        self._meters_wanted = True

    def close(self, name: str) -> None:
        """One outlet is not tended any more; with the last of them the connection goes."""
        self._open.discard(name)
        if not self._open:
            self._link.close()

    def _current(self) -> DeviceReading:
        seconds = self._clock.seconds()
        if self._asked_at is None or seconds - self._asked_at >= self._counts_seconds():
            self._ask(seconds)
        if self._failure is not None:
            raise self._failure.with_traceback(None)  # it is raised for each outlet, and would grow each time
        if self._reading is None:
            message = "the last try to read it failed"
            raise NonsenseError(message)
        return self._reading

    def _counts_seconds(self) -> float:
        locked_out = isinstance(self._failure, UnauthorizedError)
        return (LOCKED_OUT_SECONDS if locked_out else self._apart_seconds) - self._slack_seconds

    def _ask(self, seconds: float) -> None:
        before = {} if self._reading is None else {each.outlet_id: each.on for each in self._reading.outlets}
        self._asked_at, self._reading, self._failure = seconds, None, None
        self.read_at = self._clock.now()
        apart_seconds = min(METERS_APART_SECONDS, METERS_EVERY * self._apart_seconds) - self._slack_seconds
        due = self._metered_at is None or seconds - self._metered_at >= apart_seconds
        meters = due or self._meters_wanted
        try:
            reading = _sound(self._link.read(meters=meters))
        except DeviceError as error:
            self._failure = error
            self._meters = {}
            return
        if meters:
            self._metered_at, self._meters_wanted, self._meters = seconds, False, {}
        self._meters |= {outlet.outlet_id: outlet.meter for outlet in reading.outlets if outlet.meter is not None}
        self._doubt_meters(reading, before)
        self._reading = reading

    def _doubt_meters(self, reading: DeviceReading, before: Mapping[str, bool | None]) -> None:
        """What somebody else has switched meanwhile: its watts may still be those from before that."""
        for outlet in reading.outlets:
            identity = outlet.outlet_id
            if identity in before and before[identity] is not outlet.on and identity not in self._switched:
                self._meters.pop(identity, None)
                self._meters_wanted = True
        self._switched.clear()


def _sound(reading: DeviceReading) -> DeviceReading:
    if not 1 <= len(reading.outlets) <= _OUTLETS_MAX:
        message = f"it tells {len(reading.outlets)} outlets"
        raise NonsenseError(message)
    if len({outlet.outlet_id for outlet in reading.outlets}) < len(reading.outlets):
        message = "two of its outlets tell one identity"
        raise NonsenseError(message)
    return reading
