"""A miner of the simulated farm: the simulator's stand-in, which also keeps what nobody but the world can know."""

from dataclasses import dataclass
from typing import Any

from services.simulator.http import Request, Response, Wire
from services.simulator.vnish import VnishStandIn
from services.simulator.vnish_firmware import Faults, Pace, StandInPreset
from shared.clock import Clock
from tests.simulation.shape import MinerShape

PACE = Pace(
    initializing_seconds=90.0, tuning_seconds=30.0, stopping_seconds=5.0, restarting_seconds=8.0, reboot_seconds=60.0
)
_PRESET_PARTS = (0.6, 0.8, 1.0)
_STILL = {"stopped", "shutting-down", "failure"}
STRANGER = "02:00:00:00:00:99"
_AFTERMATH_SECONDS = {"flooded": 1500.0, "token_dies": 1500.0, "swapped": 700.0}
"""For how long a device is let alone, or distrusted, after a fault is over: the client's own back-off."""


@dataclass
class Switch:
    """A change between drawing and standing still. `ours`: a request of ours brought it about."""

    at_seconds: float
    on: bool
    ours: bool


class Machine(VnishStandIn):
    """`sound_at_seconds`: from when it may be expected to do as it is told."""

    def __init__(self, shape: MinerShape, clock: Clock) -> None:
        presets = tuple(StandInPreset(round(shape.nominal_w * part)) for part in _PRESET_PARTS) if shape.presets else ()
        super().__init__(shape.generation, clock=clock, nominal_w=shape.nominal_w, presets=presets, pace=PACE)
        self.switches: list[Switch] = []
        self.touched = False
        self.stranger_touched = False
        self.deaf_since_seconds: float | None = None
        """Since when no reading can be taken of it."""
        self.restarts_by_us: list[bool] = []
        """Of each restart of its mining that we asked for: whether it worked until then."""
        self._by_us = False
        self._own_mac = self.mac
        self._faults: dict[str, int] = {}
        self._sound_at_seconds = 0.0

    @property
    def draws(self) -> bool:
        return self.state not in _STILL

    @property
    def is_sound(self) -> bool:
        return not self._faults and self.alive and self.clock.seconds() >= self._sound_at_seconds

    # --- what is seen of it

    def handle(self, request: Request) -> Response:
        changes = request.method == "POST" and not request.path.endswith("/unlock") and self.faults.wire is Wire.WHOLE
        if changes:
            self.touched = True
            self.stranger_touched |= self.mac != self._own_mac
        self._by_us = True
        try:
            return super().handle(request)
        finally:
            self._by_us = False

    def start(self) -> None:
        self._noting(super().start)

    def stop(self) -> None:
        self._noting(super().stop)

    def restart(self) -> None:
        if self._by_us:
            self.restarts_by_us.append(self.hashing)
        super().restart()

    def _noting(self, change: Any) -> None:
        before = self.draws
        change()
        if self.draws is not before:
            self.switches.append(Switch(self.clock.seconds(), self.draws, self._by_us))

    def restore_power(self) -> None:
        """Its outlet is on again."""
        if not self.frailty.powered:
            self._sound_at_seconds = max(self._sound_at_seconds, self.clock.seconds() + PACE.reboot_seconds + 5.0)
        super().restore_power()

    def mend(self) -> None:
        """A person has pulled its plug and put it in again."""
        if self.frailty.hangs:
            self._sound_at_seconds = max(self._sound_at_seconds, self.clock.seconds() + 5.0)
        self.frailty.mend()
        self.frozen = False

    # --- what happens to it

    def befall(self, fault: str, _value: float = 0.0) -> None:
        self._faults[fault] = self._faults.get(fault, 0) + 1
        self._set_faults()

    def pass_off(self, fault: str) -> None:
        self._faults[fault] = self._faults.get(fault, 1) - 1
        if self._faults[fault] <= 0:
            del self._faults[fault]
        after = _AFTERMATH_SECONDS.get(fault, 5.0)
        self._sound_at_seconds = max(self._sound_at_seconds, self.clock.seconds() + after)
        self._set_faults()

    def _set_faults(self) -> None:
        now = self._faults
        wire = Wire.WHOLE
        for fault, kind in (("half", Wire.HALF), ("silent", Wire.SILENCE), ("resets", Wire.RESET)):
            wire = kind if fault in now else wire
        if "off" in now:
            wire = Wire.RESET
        self.faults = Faults(
            wire=wire,
            slow_seconds=3.0 if "slow" in now else 0.0,
            server_error="refuses" in now,
            yes_and_nothing="lies" in now,
            miner_null="miner_null" in now,
            garbage=b"<html>" if "garbage" in now else None,
            flooded=5 if "flooded" in now else 0,
            unauthorized=2 if "token_dies" in now else 0,
        )
        if "swapped" in now and self.mac == self._own_mac:
            self.mac = STRANGER
        elif "swapped" not in now:
            self.mac = self._own_mac
        deaf = wire in {Wire.SILENCE, Wire.RESET} or "garbage" in now
        self.deaf_since_seconds = (self.deaf_since_seconds or self.clock.seconds()) if deaf else None

    def lose_mains(self) -> None:
        self.befall("off")
        self.force_state("stopped")

    def mains_return(self) -> None:
        """It boots and resumes mining by itself."""
        self.pass_off("off")
        self.expire_tokens()
        self.force_state("stopped")
        self.start()
