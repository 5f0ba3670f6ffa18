"""What can befall an AxeOS stand-in, by name: it begins, and is over after a while; several at once are one state."""

from collections.abc import Collection
from enum import StrEnum

from services.simulator.axeos_board import Board
from services.simulator.axeos_firmware import AxeFaults, Firmware, Pace, Sensors
from services.simulator.axeos_machine import AxeMachine
from services.simulator.http import Wire
from shared.clock import Clock

HOT_CELSIUS = 73.0
"""Above an owner's usual limit, and below the firmware's own."""
SLOW_SECONDS = 3.0


class Ill(StrEnum):
    """The names."""

    SILENT = "silent"
    RESETS = "resets"
    HALF = "half"
    SLOW = "slow"
    GARBAGE = "garbage"
    REFUSES = "refuses"
    """Changes get 500."""
    LIES = "lies"
    """Changes get their yes and nothing happens."""
    OUTSIDER = "outsider"
    """All requests get 401."""
    BLIND = "blind"
    """Its sensors say null."""
    COLD = "cold"
    """Its sensors say -1."""
    TEXT = "text"
    """Numbers come as strings."""
    ABSURD = "absurd"
    """It tells 200 TH/s."""
    HOT = "heat"
    """The room warms until the chips come to so many degrees."""
    STALLED = "stalled"
    """The fan stands still."""
    BRITTLE = "brittle"
    """Too little voltage for its frequency brings the flatline."""
    FLAT = "flatline"
    """It computes nothing and tells its last hashrate."""
    STUBBORN = "stubborn"
    """The same, and a reboot does not help; a power cycle does."""
    DEAD = "dead"
    """No chip answers."""
    OFF = "off"
    """No mains. It boots when that is over."""
    SAGS = "sags"
    """A power fault; it boots when that is over."""
    REBOOTS = "reboots"
    OVERHEATS = "overheats"
    """Its own protection acts."""
    DEAF = "deaf"
    """Its web server is dead and it mines on."""


_WIRES = {Ill.HALF: Wire.HALF, Ill.SILENT: Wire.SILENCE, Ill.RESETS: Wire.RESET}


def faults_of(ills: Collection[Ill]) -> AxeFaults:
    """The faults of a web server with all these ills; of several on the wire the worst."""
    wires = [wire for ill, wire in _WIRES.items() if ill in ills]
    return AxeFaults(
        wire=wires[-1] if wires else Wire.WHOLE,
        slow_seconds=SLOW_SECONDS if Ill.SLOW in ills else 0.0,
        unauthorized=Ill.OUTSIDER in ills,
        server_error=Ill.REFUSES in ills,
        yes_and_nothing=Ill.LIES in ills,
        garbage=b"<html>" if Ill.GARBAGE in ills else None,
        sensors=Sensors.NULL if Ill.BLIND in ills else Sensors.MINUS_ONE if Ill.COLD in ills else Sensors.WELL,
        numbers_as_strings=Ill.TEXT in ills,
        absurd_hashrate=Ill.ABSURD in ills,
        brittle=Ill.BRITTLE in ills,
    )


class Patient(AxeMachine):
    """A machine that things befall."""

    def __init__(self, board: Board, firmware: Firmware, clock: Clock, pace: Pace) -> None:
        super().__init__(board, firmware, clock, pace)
        self.ills: dict[Ill, int] = {}
        self.server_dead = False
        """It answers nobody until it boots, and mines on."""

    def begin(self, ill: Ill, value: float | None = None) -> None:
        """From now on. `value`: degrees of the chips, for heat."""
        with self._present():
            self.ills[ill] = self.ills.get(ill, 0) + 1
            self._reflect()
            if ill is Ill.HOT:
                self.heat_to(HOT_CELSIUS if value is None else value)
            elif ill is Ill.DEAF:
                self.server_dead = True
            elif ill in _HAPPENS:
                _HAPPENS[ill](self)

    def end(self, ill: Ill) -> None:
        """It is over, unless it befell twice."""
        with self._present():
            self.ills[ill] = self.ills.get(ill, 1) - 1
            if self.ills[ill] > 0:
                return
            del self.ills[ill]
            self._reflect()
            if ill in _PASSES:
                _PASSES[ill](self)

    def mend(self) -> None:
        """Everything is over."""
        for ill, count in list(self.ills.items()):
            for _ in range(count):
                self.end(ill)

    def _reflect(self) -> None:
        self.faults = faults_of(self.ills)


_HAPPENS = {
    Ill.STALLED: AxeMachine.stall_fan,
    Ill.FLAT: AxeMachine.flatline,
    Ill.STUBBORN: AxeMachine.flatline_stubbornly,
    Ill.DEAD: AxeMachine.kill_chip,
    Ill.OFF: AxeMachine.cut_power,
    Ill.SAGS: AxeMachine.sag,
    Ill.REBOOTS: AxeMachine.reboot,
    Ill.OVERHEATS: AxeMachine.overheat,
}
_PASSES = {
    Ill.HOT: AxeMachine.set_ambient,
    Ill.STALLED: AxeMachine.free_fan,
    Ill.FLAT: AxeMachine.heal_chips,
    Ill.STUBBORN: AxeMachine.heal_chips,
    Ill.DEAD: AxeMachine.heal_chips,
    Ill.OFF: AxeMachine.restore_power,
    Ill.SAGS: AxeMachine.reboot,
    Ill.DEAF: AxeMachine.reboot,
}
