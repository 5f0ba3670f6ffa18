"""The stand-ins for the miners of a farm file."""

from collections import Counter

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_firmware import LIVELY, Pace
from services.simulator.mac import mac_of
from services.simulator.mains import PlainRig
from services.simulator.orders import StandIn
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import StandInPreset
from shared.clock import Clock
from shared.settings import FarmSettings, MinerSettings, Secrets

_GENERATIONS = ("1.2.6", "1.3.4", "1.2.0-rc5", "1.2.0-beta10")
_NOMINAL_W = (3250, 1600, 1100)
_BITAXES = (
    ("2.15", "gamma"),
    ("2.12", "gamma"),
    ("2.10", "gamma"),
    ("2.4", "supra"),
    ("2.12", "gt"),
    ("nerd", "nerdqaxe"),
)
_PRESET_PARTS = (0.6, 0.8, 1.0)
_RIG_W = 1100.0


def miners_of(farm: FarmSettings, secrets: Secrets, clock: Clock) -> dict[str, StandIn]:
    """A stand-in for each miner: different ones in turn, and a plain rig where an outlet is the only switch."""
    miners: dict[str, StandIn] = {}
    met: Counter[str] = Counter()
    for name, settings in farm.miners.items():
        index = met[settings.driver]
        met[settings.driver] += 1
        if settings.driver == "bitaxe":
            miners[name] = _bitaxe(name, index, clock)
        elif settings.driver == "plug":
            miners[name] = PlainRig(settings.nominal_w or _RIG_W, clock=clock)
        else:
            password = secrets.password_of(name, "VNISH_PASSWORD") or "admin"
            miners[name] = _vnish(name, settings, index, password, clock)
    return miners


def _vnish(name: str, settings: MinerSettings, index: int, password: str, clock: Clock) -> VnishStandIn:
    nominal_w = round(settings.nominal_w or _NOMINAL_W[index % len(_NOMINAL_W)])
    stand_in = VnishStandIn(
        _GENERATIONS[index % len(_GENERATIONS)],
        clock=clock,
        nominal_w=nominal_w,
        presets=tuple(StandInPreset(round(nominal_w * part)) for part in _PRESET_PARTS),
        password=password,
    )
    stand_in.mac = mac_of(name)
    return stand_in


def _bitaxe(name: str, index: int, clock: Clock) -> AxeOsStandIn:
    generation, board = _BITAXES[index % len(_BITAXES)]
    # On a fast clock a real minute of warming up would be half a day.
    pace = LIVELY if getattr(clock, "rate", 1.0) > 1 else Pace()
    return AxeOsStandIn(generation, board, clock=clock, pace=pace, name=name)
