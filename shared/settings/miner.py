"""A miner's section of the farm file. Some keys are for one driver only; the loader says so where they are mixed up."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from shared.miner_role import Failsafe
from shared.settings.address import HostAndPort
from shared.settings.bitaxe import BitaxeKeys
from shared.settings.plug import PlugSettings
from shared.settings.section import Percent, Section, Watts
from shared.settings.watch import WatchKeys

_FAILSAFES: dict[str, Failsafe] = {"vnish": "pause", "bitaxe": "safe_point", "plug": "pause"}
_OFF = timedelta(seconds=10)
_OFF_OF_LARGE_MINERS = timedelta(seconds=30)
"""Their power supplies hold a latched protection for that long."""


def complaint_about_band(stop_soc: float | None, resume_soc: float | None) -> tuple[str, str] | None:
    """What is wrong with a hysteresis band, as (cause, fix); None when it is sound or absent."""
    if (stop_soc is None) != (resume_soc is None):
        missing = "resume_soc" if resume_soc is None else "stop_soc"
        return f"{missing} is missing", "stop_soc and resume_soc come in a pair"
    if stop_soc is not None and resume_soc is not None and stop_soc >= resume_soc:
        cause = f"stop_soc {stop_soc:g} must be below resume_soc {resume_soc:g}"
        return cause, "leave room between the two; there the miner stays as it is"
    return None


class EveryMinersKeys(Section):
    """What any miner may have."""

    driver: Literal["vnish", "bitaxe", "plug"]
    """What it is: an Antminer with VNish, a Bitaxe with AxeOS, or a machine known by its outlet alone."""
    enabled: bool = True
    """False: it is left out of everything, as if it were not there; its id and its address stay its own."""
    host: HostAndPort | None = None
    """Where its web page is; a miner with `driver: plug` has none."""
    plug: PlugSettings | None = None
    """The outlet that feeds it."""
    stop_soc: Percent | None = None
    """Paused below this state of charge. With `resume_soc`; without both the battery does not govern it."""
    resume_soc: Percent | None = None
    """Runs again above this one; between the two it stays as it is."""
    nominal_w: Watts | None = None
    """What it draws at its normal point, where its own settings do not tell."""
    max_w: Watts | None = None
    """The most that it may draw: it is dimmed where it can be, else paused."""
    preset: str | None = None
    """VNish: the owner's normal preset; without it the one found at adoption."""
    mac: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$")] | None = None
    """Which machine this is; without it the one found first. Another one at the address is never told anything."""
    schedule: str | None = None
    """The schedule that says which point holds when; a VNish miner follows the pauses in it."""
    require_grid: bool = False
    """Paused while the grid is away, or unknown for too long."""
    failsafe: Failsafe | None = None
    """What it does when nobody commands it. None: a Bitaxe goes to its safe point, a plug without a battery stays as
    it is, all others pause."""
    observe: bool = False
    """Decides and explains, and does not touch this one."""


class MinerSettings(BitaxeKeys, WatchKeys, EveryMinersKeys):
    """A miner. Password of VNish: <ID>_PASSWORD, else VNISH_PASSWORD, else the firmware's own default."""

    @property
    def when_alone(self) -> Failsafe:
        """The failsafe: the configured one, else the driver's own."""
        # Nothing forces a rig off that no battery feeds: a dead engine must not cost it its power.
        fed_by_grid = self.driver == "plug" and self.stop_soc is None and not self.require_grid
        return self.failsafe or ("hold" if fed_by_grid else _FAILSAFES[self.driver])

    @property
    def chip_limit_celsius(self) -> float | None:
        """Above which the chip is too hot; None where the owner leaves that to the firmware."""
        told = self.driver == "bitaxe" or "max_chip_celsius" in self.model_fields_set
        return self.max_chip_celsius if told else None

    @property
    def regulator_limit_celsius(self) -> float | None:
        """The same for the voltage regulator."""
        return self.max_regulator_celsius if self.driver == "bitaxe" else None

    @property
    def off_for(self) -> timedelta:
        """How long a power cycle keeps it off."""
        return self.power_cycle_on_delay or (_OFF_OF_LARGE_MINERS if self.driver == "vnish" else _OFF)

    @field_validator("preset", mode="before")
    @classmethod
    def _preset_is_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _band(self) -> Self:
        complaint = complaint_about_band(self.stop_soc, self.resume_soc)
        if complaint is not None:
            raise ValueError(": ".join(complaint))
        return self
