"""What distinguishes AxeOS generations, and what a stand-in can be ordered to do wrong."""

from dataclasses import dataclass
from enum import StrEnum

from services.simulator.http import Wire


@dataclass(frozen=True)
class Firmware:
    """One generation, by what it does."""

    version: str
    number: tuple[int, int]
    loop_seconds: float
    """How often it compares its settings with what the chip runs at."""
    sockets: int
    burst_requests: float
    """So many requests in one go leave its web server dead."""
    purges: bool = False
    """Closes the connection that was used longest ago when it has none left; else the newest one waits."""
    fork: bool = False

    @property
    def validates(self) -> bool:
        """One bad setting rejects all; before, what was bad was passed over in silence."""
        return self.number >= (2, 11)

    @property
    def spares_flash(self) -> bool:
        """Writes only what has changed."""
        return self.number >= (2, 12)

    @property
    def pauses(self) -> bool:
        return self.number >= (2, 14)

    @property
    def rests_when_hot(self) -> bool:
        """Rests and goes on a little lower; before, it went to the bottom and stayed there."""
        return self.number >= (2, 11)

    @property
    def checks_origin(self) -> bool:
        return self.number >= (2, 6) or self.fork

    @property
    def knows_missing_routes(self) -> bool:
        """404 in JSON; before, a captive portal's redirect."""
        return self.number >= (2, 9)


FIRMWARES = {
    "2.4": Firmware("v2.4.5", (2, 4), 2.0, 7, 60),
    "2.10": Firmware("v2.10.1", (2, 10), 1.8, 20, 120, purges=True),
    "2.12": Firmware("v2.12.2", (2, 12), 1.8, 20, 120, purges=True),
    "2.15": Firmware("v2.15.0", (2, 15), 0.1, 20, 240, purges=True),
    "nerd": Firmware("v1.0.36", (2, 8), 2.0, 10, 120, fork=True),
}
GENERATIONS = tuple(FIRMWARES)


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds of the stand-in's clock."""

    loop_seconds: float | None = None
    """None: as the firmware has it."""
    warming_seconds: float = 40.0
    """After this time two thirds of a change of temperature have happened."""
    hashrate_seconds: float = 8.0
    """The same for the hashrate that it tells."""
    starting_seconds: float = 4.0
    booting_seconds: float = 6.0
    resting_seconds: float = 30.0
    answer_seconds: float = 0.0
    """How long the only thread of the web server is busy with one request."""
    request_rest_seconds: float = 4.0
    """How long it takes to get over one request; who asks more often for long leaves the web server dead."""
    burst_requests: float | None = None
    """None: as the firmware has it."""


LIVELY = Pace(warming_seconds=5.0, hashrate_seconds=1.0, starting_seconds=0.5, booting_seconds=1.0, resting_seconds=8.0)
"""For a farm whose day lasts a minute or two."""


class Sensors(StrEnum):
    """What the temperature sensors say."""

    WELL = "well"
    MINUS_ONE = "-1"
    ZERO = "0"
    NULL = "null"
    MISSING = "missing"
    """Their keys are left out."""


@dataclass(frozen=True)
class AxeFaults:
    """Orders to misbehave; they stand until they are taken back."""

    wire: Wire = Wire.WHOLE
    slow_seconds: float = 0.0
    unauthorized: bool = False
    """Every request gets 401, as for a client from outside its network."""
    server_error: bool = False
    """Every change gets 500 and has no effect."""
    yes_and_nothing: bool = False
    """Every change gets its 200 and has no effect."""
    garbage: bytes | None = None
    """Every answer is this."""
    sensors: Sensors = Sensors.WELL
    numbers_as_strings: bool = False
    absurd_hashrate: bool = False
    brittle: bool = False
    """The chip ends in the flatline as soon as its voltage is too low for its frequency."""
