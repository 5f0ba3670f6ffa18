"""The firmware's own loop: set-points taken up, pause, protection from heat, boots. Events are found, not stepped."""

import threading
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from services.simulator.axeos_board import Board
from services.simulator.axeos_body import Body
from services.simulator.axeos_firmware import AxeFaults, Firmware, Pace
from services.simulator.axeos_flash import Flash, factory_settings
from services.simulator.axeos_warmth import fan_for
from shared.clock import Clock

HOT_CHIP_CELSIUS = 75.0
HOT_REGULATOR_CELSIUS = 105.0
BOTTOM_MHZ, BOTTOM_MV = 50, 1000
STEP_DOWN = 100
"""Newer firmware goes on by so many MHz and mV less when it has become too hot."""
_APPLIED_KEPT = 4000
_IDLE_FAN = 0.3
_FLAT_PART = 0.6
"""A chip that computes nothing but is still clocked draws this part."""
_YIELD = 0.99
_MISCALCULATES_ALL_MV = 100.0
"""So much voltage too little leaves nothing of the hashrate."""
_NEVER = float("inf")


class Phase(StrEnum):
    """What it is about."""

    OFF = "off"
    BOOTING = "booting"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    RESTING = "resting"
    """Its own protection has switched the chips off for a while."""
    STUCK = "stuck"
    """The chips are off until it boots."""


_TIMED = frozenset({Phase.BOOTING, Phase.STARTING, Phase.RESTING})


@dataclass(frozen=True)
class Applied:
    """A set-point that the chips were really given."""

    at_seconds: float
    voltage_mv: float
    frequency_mhz: float


class FirmwareLoop:
    """Time passes by the clock alone: what happened since is worked out when somebody looks, under the lock."""

    def __init__(self, board: Board, firmware: Firmware, clock: Clock, pace: Pace) -> None:
        self.board = board
        self.firmware = firmware
        self.clock = clock
        self.pace = pace
        self._flash = Flash(factory_settings(board), spares=firmware.spares_flash)
        self.faults = AxeFaults()
        self._applied: deque[Applied] = deque(maxlen=_APPLIED_KEPT)
        self._undervolted = 0
        self._boots = 0
        self._protections = 0
        self.power_fault: str | None = None
        self.reset_reason = "Reset due to power-on event"
        self.fan_stalled = False
        self.wants_pause = False
        self.voltage_mv = self.frequency_mhz = 0.0
        """What the chips run at now; 0 while they are off."""
        self._lock = threading.RLock()
        self._loop_seconds = firmware.loop_seconds if pace.loop_seconds is None else pace.loop_seconds
        self._at = self._boot_at = clock.seconds()
        self._phase, self._phase_until = Phase.RUNNING, self._at
        self._reboot_at = _NEVER
        self._flat = self._dead = self._stubborn = self._ordered_hot = False
        self._frozen_ghs = 0.0
        self._body = Body(board, pace, self._at)
        self._take_up()
        self._settle()
        self._body.arrive()

    def _catch_up(self) -> None:
        now = self.clock.seconds()
        while (due := self._next_event()) <= now:
            self._body.pass_to(due)
            self._at = due
            self._happen()
            self._settle()
        self._body.pass_to(now)
        self._at = max(self._at, now)

    # --- what comes next

    def _next_event(self) -> float:
        return min(self._reboot_at, self._next_of_phase())

    def _next_of_phase(self) -> float:
        if self._phase in _TIMED:
            return self._phase_until
        if self._phase is Phase.PAUSED and not self.wants_pause:
            return self._tick_after(self._at)
        if self._phase is not Phase.RUNNING:
            return _NEVER
        wanted = (self._flash["coreVoltage"], self._flash["frequency"])
        if wanted != (self.voltage_mv, self.frequency_mhz) or self.wants_pause or self._ordered_hot:
            return self._tick_after(self._at)
        hot_at = self._hot_at()
        return _NEVER if hot_at is None else self._tick_after(max(hot_at, self._at))

    def _hot_at(self) -> float | None:
        """When it will have become too hot, if nothing changes."""
        if self.frequency_mhz <= BOTTOM_MHZ:
            return None
        found = [self._body.chip.crosses_at(HOT_CHIP_CELSIUS)]
        if self.board.regulator_kelvin_per_watt is not None:
            found.append(self._body.regulator.crosses_at(HOT_REGULATOR_CELSIUS))
        return min((at for at in found if at is not None), default=None)

    def _tick_after(self, seconds: float) -> float:
        if self._loop_seconds <= 0:
            return seconds
        # A little is added before rounding down, so that a tick is not found a second time by its own rounding error.
        ticks = int((seconds - self._boot_at) / self._loop_seconds + 1e-6) + 1
        return self._boot_at + ticks * self._loop_seconds

    # --- what happens then

    def _happen(self) -> None:
        hot_at = self._hot_at() if self._phase is Phase.RUNNING else None
        if self._reboot_at <= self._at:
            self._boot(power_was_off=False)
        elif self._phase is Phase.BOOTING or self._phase is Phase.PAUSED:
            self._enter(Phase.STARTING, self.pace.starting_seconds)
        elif self._phase is Phase.STARTING:
            self._enter(Phase.RUNNING)
            self._take_up()
        elif self._phase is Phase.RESTING:
            self._end_rest()
        elif self._ordered_hot or (hot_at is not None and hot_at <= self._at):
            self._protect()
        elif self.wants_pause:
            self._enter(Phase.PAUSED)
        else:
            self._take_up()

    def _enter(self, phase: Phase, lasts_seconds: float = 0.0) -> None:
        self._phase, self._phase_until = phase, self._at + lasts_seconds
        if phase is not Phase.RUNNING:
            self.voltage_mv = self.frequency_mhz = 0.0

    def _take_up(self) -> None:
        """The chips get what is in flash: voltage first, then frequency, whichever way it goes."""
        for name, key in (("voltage_mv", "coreVoltage"), ("frequency_mhz", "frequency")):
            if getattr(self, name) != self._flash[key]:
                setattr(self, name, float(self._flash[key]))
                self._applied.append(Applied(self._at, self.voltage_mv, self.frequency_mhz))
                if self.voltage_mv < self.board.chip.needed_mv(self.frequency_mhz):
                    self._undervolted += 1
                    if self.faults.brittle:
                        self._go_flat()

    def _protect(self) -> None:
        self._protections += 1
        self._ordered_hot = False
        if self.firmware.fork:
            self._enter(Phase.STUCK)
            return
        self._flash.write({"autofanspeed": 0, "manualFanSpeed": 100, "overheat_mode": 1})
        if self.firmware.rests_when_hot:
            self._enter(Phase.RESTING, self.pace.resting_seconds)
        else:
            self._flash.write({"frequency": BOTTOM_MHZ, "coreVoltage": BOTTOM_MV})
            self._boot(power_was_off=False)

    def _end_rest(self) -> None:
        lower_mhz = max(BOTTOM_MHZ, self._flash["frequency"] - STEP_DOWN)
        lower_mv = max(BOTTOM_MV, self._flash["coreVoltage"] - STEP_DOWN)
        self._flash.write({"frequency": lower_mhz, "coreVoltage": lower_mv, "overheat_mode": 0})
        self._enter(Phase.STARTING, self.pace.starting_seconds)

    def _boot(self, *, power_was_off: bool) -> None:
        """Mining goes on afterwards, whatever was before."""
        self._boots += 1
        self._reboot_at = _NEVER
        self.wants_pause = self._ordered_hot = False
        self.power_fault = None
        self.reset_reason = "Reset due to power-on event" if power_was_off else "Software reset via esp_restart"
        self._flat = self._flat and self._stubborn and not power_was_off
        self._dead = self._dead and not power_was_off
        self._boot_at = self._at
        self._body.forget()
        self._enter(Phase.BOOTING, self.pace.booting_seconds)

    def _go_flat(self, *, stubborn: bool = False) -> None:
        if not self._flat:
            self._frozen_ghs = self._body.told_ghs.at(self._at)
        self._flat, self._stubborn = True, stubborn

    # --- what follows from it

    def _settle(self) -> None:
        """Warmth and work under the conditions as they are now."""
        runs = self._phase is Phase.RUNNING and not self._dead
        core_w = self.board.core_w(self.voltage_mv, self.frequency_mhz) if runs else 0.0
        real_ghs = self._real_ghs() if runs and not self._flat else 0.0
        if runs and self._flat:
            core_w *= _FLAT_PART
        told_ghs = self._frozen_ghs if runs and self._flat else None
        self._body.settle(core_w, self._fan(core_w), real_ghs, told_ghs=told_ghs)

    def _real_ghs(self) -> float:
        missing_mv = max(0.0, self.board.chip.needed_mv(self.frequency_mhz) - self.voltage_mv)
        part = max(0.0, 1 - missing_mv / _MISCALCULATES_ALL_MV)
        return self.board.expected_ghs(self.frequency_mhz) * _YIELD * part

    def _fan(self, core_w: float) -> float:
        if self.fan_stalled or self._phase is Phase.OFF:
            return 0.0
        if self._phase is Phase.PAUSED:
            return _IDLE_FAN
        if not self._flash["autofanspeed"]:
            return float(self._flash["manualFanSpeed"]) / 100
        least = float(self._flash["minFanSpeed"]) / 100
        return fan_for(self.board, core_w, self._body.ambient_celsius, float(self._flash["temptarget"]), least)
