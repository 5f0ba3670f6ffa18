"""The farm as `sunherd status` shows it, and the keys of `--json`. Null is unknown: never 0, never as before."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.messages import Action, Following, MinerState


class Shown(BaseModel):
    """What is shown to people and machines. Keys may be added; none changes its meaning."""

    model_config = ConfigDict(frozen=True)


class Status(StrEnum):
    """What a miner is at, in one word."""

    HASHING = "hashing"
    RAMPING = "ramping"
    STOPPING = "stopping"
    PAUSED = "paused"
    OFF = "off"
    """Paused, and its outlet is off on purpose."""
    FAULT = "fault"
    HANGS = "hangs"
    """It ought to hash and does not; it is being brought back."""
    GIVEN_UP = "given_up"
    """So it was, in vain: a person must look."""
    OFFLINE = "offline"
    """Its agent is there, and it does not answer."""
    UNKNOWN = "unknown"
    """Nobody tells of it at present."""

    @property
    def label(self) -> str:
        """As it stands in the table."""
        return self.value.replace("_", " ").capitalize()


class Mode(StrEnum):
    """How the farm as a whole is led."""

    AUTOMATIC = "automatic"
    OBSERVING = "observing"
    """It decides and explains, and touches nothing."""
    EMERGENCY_STOP = "emergency_stop"
    NO_ENGINE = "no_engine"

    @property
    def label(self) -> str:
        """As it stands in the header."""
        return self.value.replace("_", " ")


class MinerSeen(Shown):
    """One miner. All that is measured is null unless the reading is fresh and its agent is heard."""

    name: str
    driver: str | None = None
    groups: tuple[str, ...] = ()
    status: Status = Status.UNKNOWN
    online: bool | None = None
    """Whether it answers; null while nobody tells of it."""
    state: MinerState | None = None
    hashrate_ths: float | None = None
    """Null of a paused miner, too: what it then tells is a figure of before."""
    power_w: float | None = None
    efficiency_j_per_th: float | None = None
    chip_temperature_celsius: float | None = None
    chip_limit_celsius: float | None = None
    regulator_temperature_celsius: float | None = None
    voltage_mv: int | None = None
    frequency_mhz: float | None = None
    point: str | None = None
    """The name of the operating point that it reports."""
    settings: str = "?"
    """The same for people: `1150mV @ 450MHz`, a preset, a throttle; `-` where nothing can be set."""
    why: str = ""
    code: str | None = None
    """The reason code of the newest decision."""
    commanded: str | None = None
    """The operating point of the newest decision."""
    decided_since: AwareDatetime | None = None
    action: Action | None = None
    following: Following | None = None
    settled: bool | None = None
    problem: str | None = None
    needs_a_person: bool = False
    agent: str | None = None
    read_at: AwareDatetime | None = None
    """When it was last read, whether that still counts or not: while unknown, since when."""
    age_seconds: float | None = None
    """How old that reading is, in the farm's time."""


class Total(Shown):
    """Sums over the miners that are online; each says of how many it knows."""

    miners: int = 0
    online: int = 0
    hashing: int = 0
    unknown: int = 0
    """Nobody tells of them."""
    hashrate_ths: float | None = None
    hashrate_known: int = 0
    """How many of the online miners the sum covers. One that is paused counts as covered: it adds nothing."""
    power_w: float | None = None
    power_known: int = 0
    efficiency_j_per_th: float | None = None
    efficiency_known: int = 0
    """How many of the hashing miners it covers."""


class GroupSeen(Shown):
    """The miners of one group."""

    name: str
    members: tuple[str, ...] = ()
    total: Total = Total()


class BatterySeen(Shown):
    """The state of charge, as long as its confirmation counts."""

    state_of_charge_percent: float | None = None
    unknown: str | None = None
    """Why it is not known."""
    detail: str = ""
    confirmed_at: AwareDatetime | None = None
    age_seconds: float | None = None
    """How long ago it was confirmed, in the farm's time."""


class EngineSeen(Shown):
    """The engine in charge."""

    instance: str | None = None
    epoch: int | None = None
    live: bool = False
    """Whether it is heard."""


class StopSeen(Shown):
    """The emergency stop, while it stands."""

    at: AwareDatetime
    by: str
    reason: str = ""


class FarmSeen(Shown):
    """The whole farm at one moment."""

    at: AwareDatetime
    site: str
    mode: Mode
    engine: EngineSeen
    battery: BatterySeen | None = None
    """Null where the farm has none."""
    emergency_stop: StopSeen | None = None
    miners: tuple[MinerSeen, ...] = ()
    groups: tuple[GroupSeen, ...] = ()
    total: Total = Total()
    attention: tuple[str, ...] = ()
    """What of the farm as a whole needs a person; of miners each says so itself."""

    @property
    def needs_a_person(self) -> bool:
        """Whether anything does: then the exit code is 1."""
        return bool(self.attention) or any(miner.needs_a_person for miner in self.miners)
