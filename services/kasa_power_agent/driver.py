"""One outlet as a device: reads it, and switches it towards a command."""

from services.kasa_power_agent.link import OutletReading
from services.kasa_power_agent.role import CYCLE_OFF, CYCLE_WAIT
from services.kasa_power_agent.unit import Unit
from shared.clock import Clock
from shared.device import NonsenseError, RefusedError, Step
from shared.messages import PlugCommand, PlugTelemetry

LOOK_AGAIN_SECONDS = 1.0
STILL_FLOWS_W = 5.0
"""An outlet that is off and whose meter shows more is not off: a relay that is welded, or not yet a new value."""
_METER_LAGS_SECONDS = 10.0
_PATIENCE_SECONDS = 60.0


class OutletDriver:
    """Device[PlugTelemetry, PlugCommand]. Called by one thread; its siblings on the strip share the unit."""

    def __init__(self, name: str, unit: Unit, clock: Clock, *, mac: str | None = None) -> None:
        self._name = name
        self._unit = unit
        self._clock = clock
        self._mac = None if mac is None else mac.upper()
        self._outlet: OutletReading | None = None
        self._cut_at: float | None = None

    def recall(self, previous: PlugTelemetry) -> None:
        self._mac = self._mac or previous.mac

    def read(self) -> PlugTelemetry:
        self._outlet = None
        device, outlet = self._unit.outlet(self._name)
        self._expect(device.mac)
        self._outlet = outlet
        meter = outlet.meter
        flows = outlet.on is False and meter is not None and (meter.power_w or 0.0) > STILL_FLOWS_W
        telemetry = PlugTelemetry(
            at=self._unit.read_at or self._clock.now(),
            reachable=True,
            # Off by its relay and on by its meter: nobody can tell.
            on=None if flows else outlet.on,
            power_w=None if meter is None else meter.power_w,
            energy_today_wh=None if meter is None else meter.energy_today_wh,
            voltage_v=None if meter is None else meter.voltage_v,
            current_a=None if meter is None else meter.current_a,
            outlet=outlet.alias,
            outlet_number=outlet.number,
            model=device.model,
            firmware=device.firmware,
            mac=device.mac,
        )
        return telemetry.model_copy(update=self._trouble(outlet, flows=flows))

    def settled(self, reading: PlugTelemetry, command: PlugCommand) -> bool:
        return command.code not in {CYCLE_OFF, CYCLE_WAIT} and reading.on is command.on

    def apply(self, command: PlugCommand, reading: PlugTelemetry) -> Step:
        if command.code == CYCLE_WAIT and reading.on is False:
            return Step(command.off_seconds, on_the_way=True, patience_seconds=command.off_seconds + _PATIENCE_SECONDS)
        if self._outlet is None:
            message = "it has not been read, so nobody knows which outlet is meant"
            raise RefusedError(message)
        if not command.on:
            self._cut_at = self._clock.seconds()
        self._unit.switch(self._outlet, on=command.on)
        return Step(LOOK_AGAIN_SECONDS)

    def close(self) -> None:
        self._unit.close(self._name)

    def _expect(self, mac: str | None) -> None:
        """Adopts the first device. Another one at the address feeds nobody knows what: it is never switched."""
        if self._mac is None:
            self._mac = mac
        if mac != self._mac:
            message = (
                f"another plug answers at this address: {mac or 'without a MAC'} in place of {self._mac}; correct "
                f"the address, or give mac: {mac} if it was replaced"
            )
            raise AnotherDeviceError(message)

    def _trouble(self, outlet: OutletReading, *, flows: bool) -> dict[str, str]:
        if outlet.on is None:
            return {"problem": "nonsense", "detail": "it does not tell whether the outlet is on"}
        if not flows:
            return {}
        self._unit.look_at_meters()
        if self._cut_at is not None and self._clock.seconds() - self._cut_at <= _METER_LAGS_SECONDS:
            return {}
        detail = f"it reads off, and its meter shows more than {STILL_FLOWS_W:g} W: the relay may be welded"
        return {"problem": "power_flows", "detail": detail}


class AnotherDeviceError(NonsenseError):
    """The device at this address is not the one that was adopted."""

    code = "another_device"
