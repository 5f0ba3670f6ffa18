"""What can befall an AxeOS stand-in, by name: it begins, and is over after a while; several at once are one state."""

from collections.abc import Callable, Collection
from enum import StrEnum

from services.simulator.axeos_board import Board
from services.simulator.axeos_firmware import AxeFaults, Firmware, Pace, Sensors
from services.simulator.axeos_loop import Phase
from services.simulator.axeos_machine import AxeMachine
from services.simulator.http import Wire
from services.simulator.mains import Frailty
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
    HANGS = "hang"
    """Nothing of it answers or hashes any more, until a power cycle."""
    UNSTABLE = "unstable"
    """It hangs, and again so many minutes of the farm's time after each power cycle."""
    FROZEN = "freeze"
    """The same as the flatline, by the name that all kinds of miners know."""


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
        self.frailty = Frailty(clock)
        self._plugged = True
        super().__init__(board, firmware, clock, pace)
        self.ills: dict[Ill, int] = {}
        self.server_dead = False
        """It answers nobody until it boots, and mines on."""

    def begin(self, ill: Ill, value: float | None = None) -> None:
        """From now on. `value`: degrees of the chips, for heat; minutes, for unstable."""
        with self._present():
            self.ills[ill] = self.ills.get(ill, 0) + 1
            self._reflect()
            if ill is Ill.HOT:
                self.heat_to(HOT_CELSIUS if value is None else value)
            elif ill is Ill.DEAF:
                self.server_dead = True
            elif ill is Ill.UNSTABLE:
                self.frailty.become_unstable(value)
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

    def cut_power(self) -> None:
        """Its outlet is off from now on."""
        with self._present():
            self._plugged = False
            self.feel_mains()

    def restore_power(self) -> None:
        """Its outlet is on again."""
        with self._present():
            self._plugged = True
            self.feel_mains()

    def stop_hanging(self) -> None:
        """It hangs no more, and boots."""
        with self._present():
            self.frailty.mend()
            self.reboot()

    def feel_mains(self) -> None:
        """The outlet and the house both have a say."""
        if self._plugged and Ill.OFF not in self.ills:
            self.frailty.restore()
            super().restore_power()
        else:
            self.frailty.cut()
            super().cut_power()

    def _catch_up(self) -> None:
        super()._catch_up()
        if self.frailty.hangs and self._phase not in {Phase.OFF, Phase.STUCK}:
            self.server_dead = True
            self._enter(Phase.STUCK)
            self._settle()

    def _reflect(self) -> None:
        self.faults = faults_of(self.ills)


_HAPPENS: dict[Ill, Callable[[Patient], None]] = {
    Ill.STALLED: AxeMachine.stall_fan,
    Ill.FLAT: AxeMachine.flatline,
    Ill.STUBBORN: AxeMachine.flatline_stubbornly,
    Ill.DEAD: AxeMachine.kill_chip,
    Ill.OFF: Patient.feel_mains,
    Ill.HANGS: lambda patient: patient.frailty.hang(),
    Ill.FROZEN: AxeMachine.flatline,
    Ill.SAGS: AxeMachine.sag,
    Ill.REBOOTS: AxeMachine.reboot,
    Ill.OVERHEATS: AxeMachine.overheat,
}
_PASSES: dict[Ill, Callable[[Patient], None]] = {
    Ill.HOT: AxeMachine.set_ambient,
    Ill.STALLED: AxeMachine.free_fan,
    Ill.FLAT: AxeMachine.heal_chips,
    Ill.STUBBORN: AxeMachine.heal_chips,
    Ill.DEAD: AxeMachine.heal_chips,
    Ill.OFF: Patient.feel_mains,
    Ill.HANGS: Patient.stop_hanging,
    Ill.UNSTABLE: Patient.stop_hanging,
    Ill.FROZEN: AxeMachine.heal_chips,
    Ill.SAGS: AxeMachine.reboot,
    Ill.DEAF: AxeMachine.reboot,
}
