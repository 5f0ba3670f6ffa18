"""Miners: what they can hold, what they report, and what they shall do, with every reason."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.messages.care import Care
from shared.messages.device import Command, Reported
from shared.messages.part import Code, Number, Part, Watts


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


RESTART_YOUNG_SECONDS = 300.0
"""A restart that was ordered longer ago is not asked for any more."""

PAUSE = OperatingPoint(name="pause", power_w=0)


class Ladder(Part):
    """The operating points of one miner by rising power, the pause among them where the device has one."""

    points: tuple[OperatingPoint, ...]
    normal: str
    """The name of the owner's normal point: used when no ceiling binds."""
    assumed: bool = False
    """True when the nominal power is an assumption, because neither configuration nor device told it."""
    safe: str | None = None
    """The name of the point that the failsafe `safe_point` goes to; None: the lowest that hashes."""


class MinerTelemetry(Reported):
    """What a miner reports, and what its agent makes of it. None is unknown: never 0, never as before."""

    driver: str
    state: MinerState
    power_w: Watts | None = None
    hashrate_ths: Annotated[float, Field(ge=0)] | None = None
    chip_temperature_celsius: float | None = None
    """The hottest chip."""
    regulator_temperature_celsius: float | None = None
    """The hottest voltage regulator, where the board measures it."""
    voltage_mv: int | None = None
    """The core voltage that is set, of miners where it can be."""
    frequency_mhz: float | None = None
    """The frequency that is set, of miners where it can be."""
    shares_accepted: Annotated[int, Field(ge=0)] | None = None
    """Since the miner's own start."""
    share_difficulty: Annotated[float, Field(gt=0)] | None = None
    """The difficulty that its pool asks of each share, where it tells."""
    uptime_seconds: Annotated[float, Field(ge=0)] | None = None
    point: str | None = None
    """The name of the reported operating point, where the device tells one."""
    ladder: Ladder | None = None
    model: str | None = None
    firmware: str | None = None
    mac: str | None = None
    """Which very machine this is, in upper case; told also while it cannot be read: a restart knows it again."""
    outside_pause_since: AwareDatetime | None = None
    """Since when the miner stands paused by somebody who is not Sunherd."""
    protected_since: AwareDatetime | None = None
    """Since when the miner is held lower because its own firmware has had to protect it from heat."""
    stopped_at: AwareDatetime | None = None
    """The first reading after its agent last stopped it, or after it failed; told until a command to hash shows that
    the engine knew of it. Also a stop of which the engine has seen nothing begins a time off."""
    last_restart_at: AwareDatetime | None = None
    """The `restart_at` of the last command whose restart was asked of the miner."""


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
    answers: AwareDatetime | None = None
    """The `at` of the newest telemetry that the engine knew of when it decided."""
    outside_pause_over: AwareDatetime | None = None
    """Echo of a telemetry's `outside_pause_since` that no longer holds the miner back."""
    hashing_since: AwareDatetime | None = None
    """Since when it has been meant to hash without a break; None while it is not."""
    restart_at: AwareDatetime | None = None
    """A restart of the miner's own software ordered at that moment. It is done once, and only if it is young:
    afterwards `last_restart_at` tells the same moment."""
    care: Care | None = None
    """What the watchdog makes of it."""
