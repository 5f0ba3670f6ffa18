"""A Bitaxe of the simulated farm: the simulator's stand-in, which also keeps what nobody but the world can know."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from services.simulator.axeos import AxeOsStandIn
from services.simulator.axeos_ills import Ill
from services.simulator.axeos_loop import Phase
from services.simulator.http import Request, Response, Wire
from shared.clock import Clock
from tests.simulation.device import STRANGER, Switch
from tests.simulation.hours import sound_setting
from tests.simulation.shape import MinerShape

_ILL = {kind: Ill(kind) for kind in Ill} | {"off": Ill.OFF, "restarts": Ill.REBOOTS}
_BEARABLE = {"heat", "stalled", "overheats", "restarts", "text"}
"""With these it still tells the truth and does as it is told."""
_DEAF = {"silent", "resets", "garbage", "outsider", "deaf", "off"}
_AFTERMATH_SECONDS = {
    "swapped": 700.0,
    **dict.fromkeys(("flatline", "stubborn", "dead", "sags", "blind", "cold", "absurd"), 1500.0),
}
"""For how long it is not believed, or not trusted to hash, after an ill is over."""
_RUNS = {Phase.RUNNING, Phase.STARTING}


@dataclass(frozen=True)
class Write:
    """A request of ours that has changed its setting: voltage in mV and frequency in MHz before and after."""

    before: tuple[int, float]
    after: tuple[int, float]


class Bitaxe(AxeOsStandIn):
    """Offers the world what `Machine` does."""

    def __init__(self, name: str, shape: MinerShape, clock: Clock) -> None:
        self.switches: list[Switch] = []
        self.writes: list[Write] = []
        self.on_write: Callable[[], None] = lambda: None
        self.touched = False
        self.stranger_touched = False
        self.deaf_since_seconds: float | None = None
        self._by_us = False
        self._befallen: dict[str, int] = {}
        self._sound_at_seconds = 0.0
        super().__init__(shape.generation, shape.board, clock=clock, name=name)
        self._settings = shape.settings
        self._own_mac = self.mac

    @property
    def setting(self) -> tuple[int, float]:
        """Voltage and frequency that it is set to."""
        return int(self.flash["coreVoltage"]), float(self.flash["frequency"])

    @property
    def draws(self) -> bool:
        return self.phase in _RUNS and not self.wants_pause

    @property
    def is_sound(self) -> bool:
        return not self._befallen.keys() - _BEARABLE and self.clock.seconds() >= self._sound_at_seconds

    # --- what is seen of it

    def handle(self, request: Request) -> Response:
        before, self._by_us = self.setting, True
        try:
            response = super().handle(request)
        finally:
            self._by_us = False
        if request.method != "GET" and response.wire in {Wire.WHOLE, Wire.HALF}:
            self.touched = True
            self.stranger_touched |= self.mac != self._own_mac
            if self.setting != before:
                self.writes.append(Write(before, self.setting))
                self.on_write()
        return response

    def pause(self, *, paused: bool) -> None:
        was_paused = self.wants_pause
        super().pause(paused=paused)
        if was_paused is not paused:
            self.switches.append(Switch(self.clock.seconds(), not paused, self._by_us))

    def _boot(self, *, power_was_off: bool) -> None:
        if self.wants_pause:
            self.switches.append(Switch(self.clock.seconds(), on=True, ours=False))
        super()._boot(power_was_off=power_was_off)

    # --- what happens to it

    def befall(self, fault: str, value: float = 0.0) -> None:
        self._befallen[fault] = self._befallen.get(fault, 0) + 1
        if fault in _ILL:
            self.begin(_ILL[fault], value or None)
        self._reflect_identity()

    def pass_off(self, fault: str) -> None:
        self._befallen[fault] = self._befallen.get(fault, 1) - 1
        if self._befallen[fault] <= 0:
            del self._befallen[fault]
        if fault in _ILL:
            self.end(_ILL[fault])
        if fault not in _BEARABLE:
            after = _AFTERMATH_SECONDS.get(fault, 60.0)
            self._sound_at_seconds = max(self._sound_at_seconds, self.clock.seconds() + after)
        self._reflect_identity()

    def _reflect_identity(self) -> None:
        self.mac = STRANGER if "swapped" in self._befallen else self._own_mac
        deaf = bool(self._befallen.keys() & _DEAF)
        self.deaf_since_seconds = (self.deaf_since_seconds or self.clock.seconds()) if deaf else None

    def lose_mains(self) -> None:
        self.befall("off")

    def mains_return(self) -> None:
        self.pass_off("off")

    def start(self) -> None:
        """By hand, where it has a button for that."""
        if self.firmware.pauses:
            self.pause(paused=False)

    def stop(self) -> None:
        """By hand; where it has no pause, somebody sets it lower."""
        if self.firmware.pauses:
            self.pause(paused=True)
        else:
            self.set_by_hand(0)

    def set_by_hand(self, which: int) -> None:
        """Somebody sets it at its web page, maybe higher than the owner has told us that it shall be."""
        limits = {} if which % 2 else self._settings
        found = sound_setting(random.Random(which), self.board, limits)
        self.write({"coreVoltage": found["voltage_mv"], "frequency": found["frequency_mhz"]})
