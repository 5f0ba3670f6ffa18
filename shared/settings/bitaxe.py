"""The keys of a Bitaxe: its profiles, its limits, and how it moves between them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from shared.duration import Duration, at_least
from shared.settings.problems import did_you_mean
from shared.settings.section import Section, Watts

BUILT_IN_PROFILES = ("quiet", "efficient", "performance")
"""Every chip that is known has these; what they are differs from chip to chip."""
MAX_VOLTAGE_MV = 1300
MAX_FREQUENCY_MHZ = 600.0

Finding = tuple[tuple[str | int, ...], str, str]

_HIGHEST_MV, _HIGHEST_MHZ = 1600, 1200
"""No chip bears more: what is above is a slip of the pen."""
Millivolts = Annotated[int, Field(ge=900, le=_HIGHEST_MV)]
Megahertz = Annotated[float, Field(ge=50, le=_HIGHEST_MHZ, allow_inf_nan=False)]
_Limit = Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)]


def _not_a_pause(name: str) -> str:
    if not name.strip() or name == "pause":
        message = f"{name!r} cannot be the name of a profile: give it another one"
        raise ValueError(message)
    return name


ProfileName = Annotated[str, AfterValidator(_not_a_pause)]


class ProfileSettings(Section):
    """One setting of voltage and frequency. Without `power_w` its watts are estimated."""

    voltage_mv: Millivolts
    """Of the core."""
    frequency_mhz: Megahertz
    """Of the chip."""
    power_w: Watts | None = None
    """What the miner draws there."""


class BitaxeKeys(Section):
    """What only a miner with `driver: bitaxe` has."""

    profiles: dict[ProfileName, ProfileSettings] = Field(default_factory=dict)
    """Settings by name, besides quiet, efficient and performance, which every chip has."""
    profile: str | None = None
    """The owner's normal profile; without it the setting found at adoption."""
    max_voltage_mv: Millivolts = MAX_VOLTAGE_MV
    """No command takes it above."""
    max_frequency_mhz: Megahertz = MAX_FREQUENCY_MHZ
    """No command takes it above."""
    max_chip_celsius: _Limit = 70.0
    """Above it the miner is stepped down."""
    max_regulator_celsius: _Limit = 100.0
    """The same for the voltage regulator."""
    steps: Annotated[int, Field(ge=1, le=100)] = 5
    """How many steps a change of voltage and frequency takes."""
    delay: Annotated[Duration, at_least(1)] = timedelta(seconds=10)
    """How long each step takes, in real seconds."""


BITAXE_KEYS = frozenset(BitaxeKeys.model_fields) - {"max_chip_celsius", "schedule"}
"""Those two may stand with any miner; without a word of the owner only a Bitaxe has a limit for its chip."""
VNISH_KEYS = frozenset({"preset"})


def bitaxe_findings(miners: dict[str, Any]) -> Iterator[Finding]:
    """What no single key of a miner shows, from the raw data of the file."""
    for name, miner in miners.items():
        keys = {str(key): value for key, value in miner.items()} if isinstance(miner, dict) else {}
        yield from _foreign_keys(name, keys)
        if keys.get("driver") == "bitaxe":
            yield from _unknown_profile(name, keys)
            yield from _points_above_limits(name, keys)


def _foreign_keys(name: str, keys: dict[str, Any]) -> Iterator[Finding]:
    others = {"vnish": BITAXE_KEYS, "bitaxe": VNISH_KEYS}.get(str(keys.get("driver")), frozenset())
    for key in keys:
        if key in others:
            owner = "bitaxe" if key in BITAXE_KEYS else "vnish"
            cause = f"this key is for miners with driver: {owner}, and this one has {keys['driver']}"
            yield ("miners", name, key), cause, "remove it, or correct the driver"


def _unknown_profile(name: str, keys: dict[str, Any]) -> Iterator[Finding]:
    chosen = keys.get("profile")
    own = keys.get("profiles")
    known = [*(own if isinstance(own, dict) else ()), *BUILT_IN_PROFILES]
    if isinstance(chosen, str) and chosen not in known:
        cause = f"no profile is called {chosen!r}{did_you_mean(chosen, [str(word) for word in known])}"
        yield ("miners", name, "profile"), cause, f"use one of: {', '.join(map(str, known))}"


def _points_above_limits(name: str, keys: dict[str, Any]) -> Iterator[Finding]:
    profiles = keys.get("profiles")
    for profile, point in (profiles if isinstance(profiles, dict) else {}).items():
        for key, unit, usual, highest in (
            ("voltage_mv", "mV", MAX_VOLTAGE_MV, _HIGHEST_MV),
            ("frequency_mhz", "MHz", MAX_FREQUENCY_MHZ, _HIGHEST_MHZ),
        ):
            value: Any = (point if isinstance(point, dict) else {}).get(key)
            most: Any = keys.get(f"max_{key}", usual)
            if _is_number(value) and _is_number(most) and most < value <= highest:
                cause = f"{value:g} {unit} is above this miner's max_{key} of {most:g} {unit}"
                fix = f"lower it, or raise max_{key} if the board is cooled for it"
                yield ("miners", name, "profiles", str(profile), key), cause, fix


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
