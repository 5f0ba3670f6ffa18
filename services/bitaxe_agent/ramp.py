"""The next thing to do on the way from one setting to another. Pure.

Down: the frequency first, then the voltage. Up: the voltage first, then the frequency. So at no time does the chip have
less voltage than the higher of the two settings' ends needs.
"""

from dataclasses import dataclass
from enum import StrEnum

from services.bitaxe_agent.setting import SAME_MHZ, Setting
from shared.messages import MinerState

_LEAST_STEP_MHZ = 10.0
_LEAST_STEP_MV = 10
"""Smaller steps would only wear the flash that holds the settings."""


class Move(StrEnum):
    """One bounded thing to do."""

    NONE = "none"
    PAUSE = "pause"
    RESUME = "resume"
    FREQUENCY = "frequency"
    VOLTAGE = "voltage"
    CLEAR = "clear"
    """End the overheat mode of firmware that stays in it."""
    FAN = "fan"
    """Give the fan back to the firmware, which took it in an emergency."""
    COOL = "cool"
    """Nothing to send: higher only when it is known to be cool enough."""
    START = "start"
    """Nothing to send: it has begun and does not hash yet."""
    FAILED = "failed"
    """Nothing to send that would help: it should hash and does not."""
    UNKNOWN = "unknown"
    """Nothing is sent into the unknown."""


@dataclass(frozen=True)
class Action:
    """A move, and the value that it sets."""

    move: Move
    millivolts: int = 0
    megahertz: float = 0.0


@dataclass(frozen=True)
class View:
    """Everything about a device that decides the next move."""

    state: MinerState
    setting: Setting | None
    limits: Setting | None = None
    """Not even a step on the way down lies above them."""
    pauses: bool = False
    may_rise: bool = False
    """Known to be below the owner's limits, and neither starting nor broken."""
    in_a_hurry: bool = False
    """Too hot, or stopped by somebody: down in one go."""
    clear_first: bool = False
    fan_to_return: bool = False


@dataclass(frozen=True)
class Ramp:
    """A way in equal steps."""

    begin: Setting
    end: Setting
    steps: int

    @property
    def step_mhz(self) -> float:
        return max(_LEAST_STEP_MHZ, abs(self.end.frequency_mhz - self.begin.frequency_mhz) / self.steps)

    @property
    def step_mv(self) -> int:
        return max(_LEAST_STEP_MV, round(abs(self.end.voltage_mv - self.begin.voltage_mv) / self.steps))

    @property
    def changes_both(self) -> bool:
        return self.begin.voltage_mv != self.end.voltage_mv and not _alike(
            self.begin.frequency_mhz, self.end.frequency_mhz
        )


_WITHOUT_A_MOVE = {MinerState.RAMPING: Move.START, MinerState.UNKNOWN: Move.UNKNOWN}


def towards_pause(view: View) -> Action:
    """NONE exactly when it is paused. For devices that can pause."""
    return Action(Move.NONE if view.state is MinerState.PAUSED else Move.PAUSE)


def towards(view: View, target: Setting, ramp: Ramp) -> Action:
    """NONE exactly when it hashes at the target."""
    here = view.setting
    if here is None:
        return Action(Move.UNKNOWN)
    down = _down(view, here, target, ramp)
    if down is not None:
        return down
    mends = ((view.clear_first, Move.CLEAR), (view.fan_to_return, Move.FAN), (_is_paused(view), Move.RESUME))
    first = next((move for needed, move in mends if needed), None)
    if first is not None:
        return Action(first)
    if not here.same_as(target):
        return _up(view, here, target, ramp)
    return Action(Move.NONE if view.state is MinerState.HASHING else _WITHOUT_A_MOVE.get(view.state, Move.FAILED))


def below(view: View, target: Setting, ramp: Ramp) -> Action:
    """NONE where neither voltage nor frequency is above the target: the pause of a device that has none."""
    if view.setting is None:
        return Action(Move.UNKNOWN)
    return _down(view, view.setting, target, ramp) or Action(Move.NONE)


def _down(view: View, here: Setting, target: Setting, ramp: Ramp) -> Action | None:
    at_once, most = view.in_a_hurry or _is_paused(view), view.limits
    if here.frequency_mhz >= target.frequency_mhz + SAME_MHZ:
        step = here.frequency_mhz if at_once else ramp.step_mhz
        megahertz = _stepped(here.frequency_mhz, target.frequency_mhz, step)
        return Action(Move.FREQUENCY, megahertz=megahertz if most is None else min(megahertz, most.frequency_mhz))
    if here.voltage_mv > target.voltage_mv:
        step = here.voltage_mv if at_once else ramp.step_mv
        millivolts = max(target.voltage_mv, here.voltage_mv - step)
        return Action(Move.VOLTAGE, millivolts=millivolts if most is None else min(millivolts, most.voltage_mv))
    return None


def _up(view: View, here: Setting, target: Setting, ramp: Ramp) -> Action:
    if not view.may_rise:
        return Action(Move.COOL if view.state is MinerState.HASHING else _WITHOUT_A_MOVE.get(view.state, Move.FAILED))
    if here.voltage_mv < target.voltage_mv:
        return Action(Move.VOLTAGE, millivolts=min(target.voltage_mv, here.voltage_mv + ramp.step_mv))
    return Action(Move.FREQUENCY, megahertz=_stepped(here.frequency_mhz, target.frequency_mhz, ramp.step_mhz, up=True))


def _is_paused(view: View) -> bool:
    return view.state is MinerState.PAUSED


def _stepped(here: float, target: float, step: float, *, up: bool = False) -> float:
    """One step on the way, in whole megahertz; the last one arrives."""
    if abs(target - here) <= step + SAME_MHZ:
        return target
    return float(round(here + step if up else here - step))


def _alike(one: float, other: float) -> bool:
    return abs(one - other) < SAME_MHZ
