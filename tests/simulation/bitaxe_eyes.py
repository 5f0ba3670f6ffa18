"""What the world sees of a Bitaxe: how it is really set, and how warm it really is."""

from typing import Any

from services.bitaxe_agent.ladder import setting_of
from services.bitaxe_agent.setting import SAME_MHZ, Setting
from services.simulator.axeos_board import BOARDS
from shared.ladder import lowest_point, safe_point
from shared.messages import Following, Ladder, MinerCommand, MinerTelemetry
from tests.simulation.bitaxe import Bitaxe, Write
from tests.simulation.shape import MinerShape

_MAX_MV, _MAX_MHZ = 1300, 600.0
_CHIP_CELSIUS, _REGULATOR_CELSIUS = 70.0, 100.0
_SENSOR_CELSIUS = 0.5
"""A sensor may read so much less than is true."""
_FAR_CELSIUS = 5.0
_MV_APART = 5
"""Rungs are rounded to whole steps."""
_ACTS = {Following.COMMAND, Following.GRACE, Following.FAILSAFE}


def clamps_of(shape: MinerShape) -> Setting:
    """The most that it may ever be set to: what the owner allows, and what its board offers where it tells."""
    chip = BOARDS[shape.board].chip
    own = Setting(shape.settings.get("max_voltage_mv", _MAX_MV), shape.settings.get("max_frequency_mhz", _MAX_MHZ))
    if shape.generation == "2.4":
        return own
    return own.no_higher_than(Setting(max(chip.options_mv), float(max(chip.options_mhz))))


class BitaxeEyes:
    """Of one Bitaxe. Remembers the newest ladder and how it was set at the last look."""

    def __init__(self, machine: Bitaxe, shape: MinerShape) -> None:
        self._machine = machine
        self._clamps = clamps_of(shape)
        self._chip_celsius = shape.settings.get("max_chip_celsius", _CHIP_CELSIUS)
        self._regulator_celsius = shape.settings.get("max_regulator_celsius", _REGULATOR_CELSIUS)
        self._failsafe = shape.settings.get("failsafe", "safe_point")
        self._ladder: Ladder | None = None
        self._before: Setting | None = None

    def see(self, telemetry: MinerTelemetry) -> None:
        self._ladder = telemetry.ladder or self._ladder

    def look(self, telemetry: MinerTelemetry | None, commands: list[MinerCommand]) -> dict[str, Any]:
        """What of a Sight is otherwise than a VNish miner's. `commands`: the newest, and the one before."""
        machine, here = self._machine, Setting(*self._machine.setting)
        runs = machine.draws
        floor = None if self._ladder is None else setting_of(lowest_point(self._ladder))
        at_floor = floor is not None and not here.exceeds(_a_little_above(floor))
        bound = at_floor and not machine.firmware.pauses
        was, self._before = self._before, here
        writes, machine.writes = machine.writes, []
        return {
            "draws": runs and not bound,
            "at_floor": runs and bound,
            "power_w": self._nominal_w(here) if runs else 0.0,
            "above_failsafe": runs and self._is_above_failsafe(here, bound=bound),
            "written_badly": next((said for write in writes if (said := self._badly(write, commands))), ""),
            "above_clamps": self._above(here) if runs else "",
            "hot": self._hot() if runs and not bound and not _is_lower(here, was) else "",
            "far_too_hot": self._hot(_FAR_CELSIUS) if runs and not at_floor and self._is_acting(telemetry) else "",
        }

    # --- inside

    def _nominal_w(self, here: Setting) -> float:
        if self._ladder is None:
            return 0.0
        points = ((setting_of(point), point.power_w) for point in self._ladder.points)
        holding = [
            watts for setting, watts in points if setting is not None and not here.exceeds(_a_little_above(setting))
        ]
        return min(holding, default=self._machine.power_w)

    def _is_above_failsafe(self, here: Setting, *, bound: bool) -> bool:
        if self._failsafe == "hold" or self._ladder is None:
            return False
        if self._failsafe == "pause":
            return not bound
        safe = setting_of(safe_point(self._ladder))
        return safe is not None and here.exceeds(_a_little_above(safe))

    def _above(self, setting: Setting) -> str:
        return f"is set to {setting}, its limits are {self._clamps}" if setting.exceeds(self._clamps) else ""

    def _badly(self, write: Write, commands: list[MinerCommand]) -> str:
        """What is wrong with a change of ours: above the limits, or a voltage that is lowered too early."""
        was, now = Setting(*write.before), Setting(*write.after)
        too_high = now.voltage_mv != was.voltage_mv and now.voltage_mv > self._clamps.voltage_mv
        if too_high or (now.frequency_mhz != was.frequency_mhz and now.frequency_mhz > self._clamps.frequency_mhz):
            return f"was set from {was} to {now}, its limits are {self._clamps}"
        if now.voltage_mv >= was.voltage_mv or self._ladder is None:
            return ""
        points = [*self._ladder.points, *(command.point for command in commands)]
        carried = [
            setting
            for setting in map(setting_of, points)
            if setting is not None and setting.frequency_mhz >= now.frequency_mhz - 1
        ]
        if any(setting.voltage_mv <= now.voltage_mv + _MV_APART for setting in carried):
            return ""
        return f"its voltage was lowered before its frequency: from {was} to {now}"

    def _hot(self, more_celsius: float = 0.0) -> str:
        machine, spare = self._machine, more_celsius + _SENSOR_CELSIUS
        if machine.chip_celsius > self._chip_celsius + spare:
            return f"its chip has {machine.chip_celsius:.1f} °C at {Setting(*machine.setting)}"
        measured = machine.board.regulator_kelvin_per_watt is not None
        if measured and machine.regulator_celsius > self._regulator_celsius + spare:
            return f"its regulator has {machine.regulator_celsius:.1f} °C at {Setting(*machine.setting)}"
        return ""

    @staticmethod
    def _is_acting(telemetry: MinerTelemetry | None) -> bool:
        """Whether its agent tends it by anybody's word or its own, and not only looks on."""
        return telemetry is not None and telemetry.following in _ACTS


def _a_little_above(setting: Setting) -> Setting:
    """Old firmware keeps whole numbers only."""
    return Setting(setting.voltage_mv, setting.frequency_mhz + SAME_MHZ)


def _is_lower(setting: Setting, before: Setting | None) -> bool:
    return before is not None and before.exceeds(setting) and not setting.exceeds(before)
