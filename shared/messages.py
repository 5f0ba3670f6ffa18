"""The wire contract: one frozen pydantic model per topic.

Payloads are JSON. Unknown fields are ignored, so that services one version apart understand each other; a wrong type
or a number that is not finite is refused. Units stand last in each name. Times are UTC with a zone.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=64)]
Percent = Annotated[float, Field(ge=0, le=100)]
Watts = Annotated[float, Field(ge=0, le=1_000_000)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=64)]
Number = float | int | bool | str


class Part(BaseModel):
    """A piece of a message: frozen, strict, tolerant of fields from a newer version."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class Message(Part):
    """Anything that travels on a topic. `at` is the sender's clock when it was made."""

    at: AwareDatetime


# --- battery and site -------------------------------------------------------------------------------------------------


class UnknownReason(StrEnum):
    """Why the state of charge is not known."""

    UNAVAILABLE = "unavailable"
    """The source names the sensor and says `unavailable`."""
    UNKNOWN = "unknown"
    """The source says `unknown`, null, or an empty text."""
    NOT_A_NUMBER = "not_a_number"
    OUT_OF_RANGE = "out_of_range"
    """A number below 0 or above 100: never clipped."""
    NO_SUCH_SENSOR = "no_such_sensor"
    UNAUTHORIZED = "unauthorized"
    UNREACHABLE = "unreachable"
    """The source does not answer."""
    UNCONFIRMED = "unconfirmed"
    """A value is known, but nobody has confirmed it for too long."""
    STARTING = "starting"
    """Nothing has been heard yet."""


class SiteTelemetry(Message):
    """The battery and the powers of the site, in one sign convention whatever the source uses."""

    source: str
    state_of_charge_percent: Percent | None = None
    unknown: UnknownReason | None = None
    detail: str = ""
    confirmed_at: AwareDatetime | None = None
    """When the source last answered with a valid state of charge, by the sender's clock; kept while unknown."""
    changed_at: AwareDatetime | None = None
    """When the state of charge last took a new value."""
    battery_w: float | None = None
    """Positive while the battery charges."""
    pv_w: float | None = None
    load_w: float | None = None
    grid_w: float | None = None
    """Positive while the site imports."""
    grid_available: bool | None = None

    @model_validator(mode="after")
    def _known_or_said_why(self) -> Self:
        if (self.state_of_charge_percent is None) == (self.unknown is None):
            message = "give either state_of_charge_percent or the reason why it is unknown"
            raise ValueError(message)
        return self


# --- miners -----------------------------------------------------------------------------------------------------------


class MinerState(StrEnum):
    """What a miner does. Online, hashing and unknown are three different facts."""

    HASHING = "hashing"
    RAMPING = "ramping"
    """Draws power and does not hash yet; can be stopped."""
    STOPPING = "stopping"
    PAUSED = "paused"
    FAULT = "fault"
    UNKNOWN = "unknown"

    @property
    def draws_power(self) -> bool | None:
        """Whether this state draws more than standby power; None where nobody can tell."""
        if self in {MinerState.UNKNOWN, MinerState.FAULT}:
            return None
        return self in {MinerState.HASHING, MinerState.RAMPING, MinerState.STOPPING}


class OperatingPoint(Part):
    """One setting that a miner can hold. `power_w` is nominal, never measured; a pause has 0."""

    name: str
    power_w: Watts
    preset: str | None = None
    throttle_percent: int | None = None
    voltage_mv: int | None = None
    frequency_mhz: float | None = None

    @property
    def is_pause(self) -> bool:
        return self.power_w == 0


PAUSE = OperatingPoint(name="pause", power_w=0)


class Ladder(Part):
    """The operating points of one miner by rising power, the pause among them where the device has one."""

    points: tuple[OperatingPoint, ...]
    normal: str
    """The name of the owner's normal point: used when no ceiling binds."""
    assumed: bool = False
    """True when the nominal power is an assumption, because neither configuration nor device told it."""


class Following(StrEnum):
    """What a miner's agent acts on at present."""

    COMMAND = "command"
    GRACE = "grace"
    """The lease has run out; the last command still stands until grace ends."""
    FAILSAFE = "failsafe"
    EMERGENCY_STOP = "emergency_stop"
    NOTHING = "nothing"
    """First start: only reading."""


class Reported(Message):
    """What every agent tells of a device: what it reads, what it follows, and whether the two agree."""

    reachable: bool
    problem: Code | None = None
    detail: str = ""
    following: Following = Following.NOTHING
    desired: str | None = None
    """What the agent tries to reach, by name."""
    settled: bool | None = None
    """Whether the reading agrees with `desired`; None while nothing is desired or nothing can be read."""
    epoch: int | None = None
    """The epoch of the command that is followed."""


class MinerTelemetry(Reported):
    """What a miner reports, and what its agent makes of it. None is unknown: never 0, never as before."""

    driver: str
    state: MinerState
    power_w: Watts | None = None
    hashrate_ths: Annotated[float, Field(ge=0)] | None = None
    chip_temperature_celsius: float | None = None
    point: str | None = None
    """The name of the reported operating point, where the device tells one."""
    ladder: Ladder | None = None
    model: str | None = None
    firmware: str | None = None
    outside_pause_since: AwareDatetime | None = None
    """Since when the miner stands paused by somebody who is not Sunherd."""


class Limit(Part):
    """What one policy or gate allows a miner, and why. `ceiling_w` None is no ceiling."""

    policy: Code
    ceiling_w: Watts | None = None
    point: OperatingPoint | None = None
    """One exact point that this limit asks for, applied when this limit binds."""
    code: Code
    sentence: str
    numbers: dict[str, Number] = Field(default_factory=dict)
    since: AwareDatetime
    changes_when: str = ""


class Action(StrEnum):
    """What an agent does with a command."""

    APPLY = "apply"
    OBSERVE = "observe"
    MAINTENANCE = "maintenance"


class Command(Message):
    """Desired state and a lease, for any kind of device."""

    engine: Identifier
    epoch: Annotated[int, Field(ge=0)]
    expires_at: AwareDatetime
    """The lease: only `expires_at - at` counts, from receipt on the agent's clock."""
    action: Action = Action.APPLY
    suspended_until: AwareDatetime | None = None
    """During maintenance: how long the agent leaves the device alone even when the engine is gone."""


class MinerCommand(Command):
    """Also the engine's memory: latches, dwell times and start counts are read from it."""

    point: OperatingPoint
    ceiling_w: Watts | None = None
    code: Code
    sentence: str
    changes_when: str = ""
    since: AwareDatetime
    """Since when the desired point and its reason code have been the same."""
    limits: tuple[Limit, ...] = ()
    paused_since: AwareDatetime | None = None
    """Since when the miner has been meant to be paused; None while it is meant to hash."""
    starts: tuple[AwareDatetime, ...] = ()
    """The starts ordered within the last 24 hours."""
    outside_pause_over: AwareDatetime | None = None
    """Echo of a telemetry's `outside_pause_since` that no longer holds the miner back."""


class OverrideKind(StrEnum):
    """What a person wants of a miner or group; AUTOMATIC clears."""

    AUTOMATIC = "automatic"
    PAUSE = "pause"
    FORCE_ON = "force_on"
    MAINTENANCE = "maintenance"


class Override(Message):
    """One slot per miner or group; the last writer wins."""

    kind: OverrideKind
    by: str = "unknown"
    until: AwareDatetime | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _force_on_ends(self) -> Self:
        if self.kind is OverrideKind.FORCE_ON and self.until is None:
            message = "force_on needs `until`: it silences the battery rule and must end"
            raise ValueError(message)
        return self


# --- farm -------------------------------------------------------------------------------------------------------------


class EmergencyStop(Message):
    """The latch that every agent obeys by itself. Cleared only by an explicit `active: false`."""

    active: bool
    by: str = "unknown"
    reason: str = ""


class EngineEpoch(Message):
    """The epoch of the engine in charge; agents refuse commands below it."""

    engine: Identifier
    epoch: Annotated[int, Field(ge=0)]


class Severity(StrEnum):
    """How loudly an event should be told."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Event(Message):
    """Something that happened once and that a person may want to hear of."""

    code: Code
    severity: Severity = Severity.INFO
    sentence: str
    numbers: dict[str, Number] = Field(default_factory=dict)


class Presence(Message):
    """A replica's heartbeat and last will. Live only while heard: a retained `online` proves nothing."""

    service: Identifier
    instance: Identifier
    status: Literal["online", "offline"]
    version: str = ""
    started_at: AwareDatetime | None = None
    beat_seconds: Annotated[float, Field(gt=0)] = 5.0
    counts: dict[str, int] = Field(default_factory=dict)


class Barrier(Message):
    """A service's message to itself: when it comes back, retained memory has arrived."""

    nonce: str
