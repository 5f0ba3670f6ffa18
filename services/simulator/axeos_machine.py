"""A Bitaxe without its web server: what is true of it, and what can happen to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from services.simulator.axeos_body import Body
from services.simulator.axeos_flash import Flash
from services.simulator.axeos_loop import Applied, FirmwareLoop, Phase
from services.simulator.axeos_warmth import AMBIENT_CELSIUS


class AxeMachine(FirmwareLoop):
    """May be asked and ordered from any thread."""

    # --- what is true of it

    @property
    def phase(self) -> Phase:
        """What it is about now."""
        with self._present():
            return self._phase

    @property
    def body(self) -> Body:
        """Its warmth and work up to now."""
        with self._present():
            return self._body

    @property
    def hashing(self) -> bool:
        """Whether its chips compute anything, whatever it tells."""
        return self.body.real_ghs > 0

    @property
    def power_w(self) -> float:
        """What it really draws now, whatever its web server says."""
        with self._present():
            return 0.0 if self._phase is Phase.OFF else self.board.wall_w(self._body.core_w)

    @property
    def nominal_w(self) -> float:
        """What it draws as it comes from the factory."""
        return self.board.stock_w

    @property
    def chip_celsius(self) -> float:
        """How warm the chips really are."""
        return self.body.chip.at(self.clock.seconds())

    @property
    def regulator_celsius(self) -> float:
        """How warm the regulator really is."""
        return self.body.regulator.at(self.clock.seconds())

    @property
    def point(self) -> tuple[float, float]:
        """Voltage in mV and frequency in MHz of the chips; zeros while they are off."""
        with self._present():
            return self.voltage_mv, self.frequency_mhz

    @property
    def flash(self) -> Flash:
        """Its settings, and how often they were written."""
        with self._present():
            return self._flash

    @property
    def applied(self) -> list[Applied]:
        """Every set-point as the chips were given it: voltage and frequency one after the other."""
        with self._present():
            return list(self._applied)

    @property
    def undervolted(self) -> int:
        """How often the chips were clocked faster than their voltage carries."""
        with self._present():
            return self._undervolted

    @property
    def boots(self) -> int:
        """How often it has booted since it was made."""
        with self._present():
            return self._boots

    @property
    def protections(self) -> int:
        """How often its own protection has acted."""
        with self._present():
            return self._protections

    @property
    def uptime_seconds(self) -> float:
        return self.clock.seconds() - self._boot_at

    # --- what can happen to it

    def write(self, values: Mapping[str, Any]) -> None:
        """Somebody changes its settings. The firmware's loop takes them up in its own time."""
        with self._changed():
            self._flash.write(values)

    def pause(self, *, paused: bool) -> None:
        """Told by its web server, from 2.14. No boot outlasts it."""
        with self._changed():
            self.wants_pause = paused

    def reboot(self, after_seconds: float = 0.0) -> None:
        """By itself, by its own restart or by its watchdog."""
        with self._changed():
            if self._phase is Phase.OFF:
                return
            if after_seconds > 0:
                self._reboot_at = min(self._reboot_at, self._at + after_seconds)
            else:
                self._boot(power_was_off=False)

    def cut_power(self) -> None:
        """The plug is pulled."""
        with self._changed():
            self._enter(Phase.OFF)

    def restore_power(self) -> None:
        """It boots and mines."""
        with self._changed():
            if self._phase is Phase.OFF:
                self._boot(power_was_off=True)

    def sag(self, fault: str = "VIN under voltage") -> None:
        """Its supply sags: the chips go off until it boots."""
        with self._changed():
            self.power_fault = fault
            self._enter(Phase.STUCK)

    def shut_down(self) -> None:
        """The fork's own way to stop until the next boot."""
        with self._changed():
            self._enter(Phase.STUCK)

    def overheat(self) -> None:
        """Its own protection acts as if it had become too hot."""
        with self._changed():
            self._ordered_hot = self._phase is Phase.RUNNING

    def flatline(self) -> None:
        """It computes nothing more and goes on telling its last hashrate. A boot helps."""
        with self._changed():
            self._go_flat()

    def flatline_stubbornly(self) -> None:
        """The same, and only a power cycle helps."""
        with self._changed():
            self._go_flat(stubborn=True)

    def kill_chip(self) -> None:
        """No chip answers. Only a power cycle helps."""
        with self._changed():
            self._dead = True

    def set_ambient(self, celsius: float = AMBIENT_CELSIUS) -> None:
        """The room warms or cools."""
        with self._changed():
            self._body.ambient_celsius = celsius

    def heat_to(self, chip_celsius: float) -> None:
        """Warms the room until the chips come to this at their present settings, with the fan at full speed."""
        core_w = self.board.core_w(self._flash["coreVoltage"], self._flash["frequency"])
        self.set_ambient(chip_celsius - core_w * self.board.kelvin_per_watt)

    def stall_fan(self) -> None:
        """The fan stands still."""
        with self._changed():
            self.fan_stalled = True

    def free_fan(self) -> None:
        """The fan turns again."""
        with self._changed():
            self.fan_stalled = False

    def heal_chips(self) -> None:
        """The chips answer and compute again, without a boot."""
        with self._changed():
            self._flat = self._dead = False

    @contextmanager
    def _present(self) -> Iterator[None]:
        """Everything up to now has happened, and nobody else meddles."""
        with self._lock:
            self._catch_up()
            yield

    @contextmanager
    def _changed(self) -> Iterator[None]:
        """The same, and what is done in it has its consequences from now on."""
        with self._present():
            yield
            self._settle()
