"""The gravest thing to tell of a device, as a code and a sentence. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from services.bitaxe_agent.parse import Readout
from services.bitaxe_agent.protection import HeatLimits, Phase, Trip
from services.bitaxe_agent.setting import Setting
from services.bitaxe_agent.shares import Evidence
from shared.device import DeviceError
from shared.messages import MinerState, OperatingPoint
from shared.miner_role import TOO_HOT

Told = tuple[str, str] | None


@dataclass(frozen=True)
class Trouble:
    """Everything that may be worth telling."""

    readout: Readout
    state: MinerState
    evidence: Evidence
    trip: Trip | None
    hot: bool
    heat: HeatLimits
    limits: Setting | None
    cannot_pause: bool
    options_problem: DeviceError | None


def telling(trouble: Trouble, floor: OperatingPoint | None) -> tuple[str | None, str]:
    """The first that applies; (None, "") where all is well."""
    checks: tuple[Callable[[], Told], ...] = (
        lambda: _fault(trouble),
        lambda: _protected(trouble),
        lambda: _hashing(trouble),
        lambda: _hot(trouble),
        lambda: _no_pause(trouble, floor),
        lambda: _limits(trouble),
        lambda: _shareless(trouble.evidence),
        lambda: _options(trouble),
    )
    for check in checks:
        told = check()
        if told is not None:
            return told
    return None, ""


def _fault(trouble: Trouble) -> Told:
    return ("hardware_fault", f"reports a fault: {trouble.readout.fault}") if trouble.readout.fault else None


def _protected(trouble: Trouble) -> Told:
    trip = trouble.trip
    if trip is None:
        return None
    when = f"{trip.since:%H:%M} UTC"
    if trip.phase is Phase.COOLING:
        return "firmware_protected", f"its firmware has protected it from heat at {when}: it is left alone to cool"
    return "firmware_protected", f"its firmware has protected it from heat at {when}: it is set lower for some hours"


def _hashing(trouble: Trouble) -> Told:
    if trouble.evidence.flatline:
        return "flatline", "its hashrate stands still and no share is found: it does not hash"
    if trouble.state is MinerState.FAULT:
        return "not_hashing", "should hash and does not"
    if trouble.state is MinerState.UNKNOWN:
        return "state_unknown", "does not tell whether it hashes"
    return None


def _hot(trouble: Trouble) -> Told:
    if trouble.hot:
        return TOO_HOT, f"far above its limits ({_limits_text(trouble.heat)}): at its lowest point until it is cool"
    excess = trouble.heat.excess_celsius(trouble.readout)
    if excess is not None and excess >= 0:
        return "warm", f"at its limits ({_limits_text(trouble.heat)}): not set higher until it is cooler"
    if excess is None and trouble.state is MinerState.HASHING:
        return "temperature_unknown", "tells no chip temperature: not set higher until it does"
    return None


def _limits_text(heat: HeatLimits) -> str:
    return f"chip {heat.chip_celsius:g} °C, regulator {heat.regulator_celsius:g} °C"


def _no_pause(trouble: Trouble, floor: OperatingPoint | None) -> Told:
    if not trouble.cannot_pause or floor is None:
        return None
    return "cannot_pause", f"its firmware cannot pause: held at its lowest point, {floor.name}, {floor.power_w:g} W"


def _limits(trouble: Trouble) -> Told:
    setting = trouble.readout.setting
    if trouble.limits is None:
        return "unknown_board", "its chip is not known: nothing is set without max_voltage_mv and max_frequency_mhz"
    if setting is not None and setting.exceeds(trouble.limits):
        return "above_limits", f"is set to {setting}, above its limits of {trouble.limits}"
    return None


def _shareless(evidence: Evidence) -> Told:
    if evidence.shareless_seconds is None:
        return None
    return "no_shares", f"no share for {evidence.shareless_seconds / 60:.0f} min; its pool may be the cause"


def _options(trouble: Trouble) -> Told:
    problem = trouble.options_problem
    return None if problem is None else (problem.code, f"its board's options: {problem.sentence}")
