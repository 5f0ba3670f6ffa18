"""Home Assistant in the simulated house: what its sensor shows, and when anybody could last know it."""

from datetime import datetime

from services.simulator.home_assistant_talk import Fault, HomeAssistantCore
from shared.clock import Clock

_PERCENT = {"unit_of_measurement": "%", "device_class": "battery"}
_WATTS = {"unit_of_measurement": "W", "device_class": "power"}
_SILENT = {Fault.RESTARTING, Fault.FROZEN, Fault.NONSENSE, Fault.BROKEN}


class House:
    """`soc_percent` is what the source shows; None while it shows nothing valid, or does not answer."""

    def __init__(self, core: HomeAssistantCore, clock: Clock) -> None:
        self.core = core
        self._clock = clock
        self._bad_values: list[str] = []
        self._faults: list[Fault] = []
        self._percent = 0.0
        self._known_at: datetime | None = None

    @property
    def soc_known_at(self) -> datetime | None:
        """When it last showed something valid."""
        return self._known_at if self.soc_percent is None else self._clock.now()

    @property
    def soc_percent(self) -> float | None:
        silent = self.core.fault in _SILENT or self.core.fault is Fault.UNAVAILABLE
        return None if silent or self._bad_values else self._percent

    def show(self, percent: float, battery_w: float, *, available: bool) -> None:
        """The sensors' new values."""
        self._percent = round(percent, 1)
        shown = self._bad_values[-1] if self._bad_values else f"{self._percent}"
        self.core.set_state("sensor.soc", shown, _PERCENT)
        self.core.set_state("sensor.battery", str(round(battery_w / 50) * 50), _WATTS)
        self.core.set_state("binary_sensor.grid", "on" if available else "off", {})
        self._note()

    def begin(self, fault: str) -> None:
        self._note()
        self._faults.append(Fault(fault))
        self._order_the_newest()

    def end(self, fault: str) -> None:
        self._faults.remove(Fault(fault))
        self._order_the_newest()

    def begin_bad_value(self, value: str) -> None:
        self._note()
        self._bad_values.append(value)
        self.core.set_state("sensor.soc", value, _PERCENT)
        self._note()

    def end_bad_value(self, value: str) -> None:
        self._bad_values.remove(value)
        shown = self._bad_values[-1] if self._bad_values else f"{self._percent}"
        self.core.set_state("sensor.soc", shown, _PERCENT)
        self._note()

    def _order_the_newest(self) -> None:
        """One fault gives way to another over a moment of health, in which the sensors can be seen."""
        self.core.order(None)
        self._note()
        if not self._faults:
            return
        self.core.order(self._faults[-1])
        if self._faults[-1] is Fault.BROKEN:
            self.core.cut()  # a push that is open already would go on and be right
        self._note()

    def _note(self) -> None:
        if self.soc_percent is not None:
            self._known_at = self._clock.now()
