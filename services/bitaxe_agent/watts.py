"""How many watts a setting draws: estimated from V²f, corrected by what is measured. Pure but for what it remembers."""

import math
from dataclasses import dataclass

from services.bitaxe_agent.boards import CHIPS, Recognised
from services.bitaxe_agent.setting import Setting

STEADY_SECONDS = 60.0
"""Power follows a change of setting slowly: the reading counts after so long."""
_STEP = 0.05
_HIGHER_MARGIN = 0.02
_LOWER_MARGIN = 0.15
"""The ladder must not change with every reading: a correction is taken up where it is clearly another one."""
_PLAUSIBLE = (0.4, 2.5)
_GREEDIEST = max(chip.watts_per_v2_mhz for chip in CHIPS.values())


def effort(setting: Setting) -> float:
    """What the power of a chip grows with."""
    return (setting.voltage_mv / 1000) ** 2 * setting.frequency_mhz


def estimated_w(setting: Setting, device: Recognised) -> float:
    """Before any correction."""
    per_effort = _GREEDIEST if device.chip is None else device.chip.watts_per_v2_mhz
    return device.idle_w + device.chips * per_effort * effort(setting)


@dataclass(frozen=True)
class Watts:
    """The estimate with its correction. `factor` None: nothing was measured yet."""

    device: Recognised
    factor: float | None = None

    def of(self, setting: Setting) -> float:
        return round(max(0.1, estimated_w(setting, self.device) * (self.factor or 1.0)), 1)


class Correction:
    """Watches measured power and settles on a factor."""

    def __init__(self) -> None:
        self.factor: float | None = None
        self._setting: Setting | None = None
        self._since = 0.0

    def measure(self, setting: Setting | None, power_w: float | None, device: Recognised, seconds: float) -> None:
        """One reading of a device that hashes at this setting; None for one that does not."""
        if setting != self._setting:
            self._setting, self._since = setting, seconds
        if setting is None or power_w is None or seconds - self._since < STEADY_SECONDS:
            return
        ratio = power_w / estimated_w(setting, device)
        if not _PLAUSIBLE[0] <= ratio <= _PLAUSIBLE[1]:
            return
        known = self.factor
        if known is None or ratio > known * (1 + _HIGHER_MARGIN) or ratio < known - _LOWER_MARGIN:
            self.factor = round(math.ceil(round(ratio / _STEP, 6)) * _STEP, 2)

    def recall(self, setting: Setting, power_w: float, device: Recognised) -> None:
        """The factor of an earlier process, from the watts that it published."""
        ratio = power_w / estimated_w(setting, device)
        if self.factor is None and _PLAUSIBLE[0] <= ratio <= _PLAUSIBLE[1]:
            self.factor = round(round(ratio / _STEP) * _STEP, 2)
