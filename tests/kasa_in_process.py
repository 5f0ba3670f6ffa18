"""The simulator's plugs and strips in the place of the agent's connection: for farms in one thread, without sockets."""

from collections.abc import Callable

from services.kasa_power_agent.link import DeviceReading, Meter, OutletReading
from services.simulator.http import Wire
from services.simulator.kasa_machine import KasaMachine, Outlet
from shared.device import NonsenseError, RefusedError, UnauthorizedError, UnreachableError

PATIENCE_SECONDS = 8.0
"""How long the real connection waits for a device that says nothing."""


class InProcessStrip:
    """A `PlugLink` to a machine. Waiting is told to `wait`, so that a virtual clock can move."""

    def __init__(self, machine: KasaMachine, wait: Callable[[float], None] = lambda _seconds: None) -> None:
        self.machine = machine
        self.locked = False
        """It asks for another account than ours."""
        self.dead = False
        """Nobody is at its address."""
        self.reads: list[bool] = []
        """Each reading so far, and whether the meters were asked for."""
        self.closed = 0
        self._wait = wait

    def read(self, *, meters: bool) -> DeviceReading:
        self._bear()
        self.reads.append(meters)
        machine = self.machine
        with machine.lock:
            machine.count()
            outlets = tuple(self._read(outlet, index, meters=meters) for index, outlet in enumerate(machine.outlets))
        return DeviceReading(
            outlets=outlets,
            model=machine.model.name,
            firmware=machine.model.firmware,
            mac=machine.mac,
            alias=machine.alias,
            has_meter=machine.model.meter,
        )

    def switch(self, outlet_id: str, *, on: bool) -> None:
        self._bear()
        with self.machine.lock:
            outlet = next((each for each in self.machine.outlets if each.identifier == outlet_id), None)
            if outlet is None or not self.machine.relay(outlet, on=on):
                message = f"{self.machine.alias} refused to switch"
                raise RefusedError(message)
        if self.machine.faults.mute_relay:
            self._give_up_waiting()

    def close(self) -> None:
        self.closed += 1

    def _read(self, outlet: Outlet, index: int, *, meters: bool) -> OutletReading:
        machine, meter = self.machine, None
        if meters and machine.model.meter and not machine.faults.meter_fails:
            volts = machine.model.volts
            meter = Meter(outlet.power_w, volts, outlet.power_w / volts, outlet.today_wh)
        number = index + 1 if machine.is_strip else None
        return OutletReading(outlet.identifier, outlet.on, outlet.alias, number, meter)

    def _bear(self) -> None:
        """Lets the faults happen to the caller."""
        faults = self.machine.faults
        if self.dead or faults.wire is Wire.RESET:
            message = f"{self.machine.alias} refused the connection"
            raise UnreachableError(message)
        if self.locked:
            message = f"{self.machine.alias} does not accept the account"
            raise UnauthorizedError(message)
        if faults.wire is Wire.SILENCE or faults.slow_seconds >= PATIENCE_SECONDS:
            self._give_up_waiting()
        if faults.slow_seconds:
            self._wait(faults.slow_seconds)
        if faults.garbage is not None or faults.wire is Wire.HALF:
            message = f"{self.machine.alias} answered what is no answer"
            raise NonsenseError(message)

    def _give_up_waiting(self) -> None:
        self._wait(PATIENCE_SECONDS)
        message = f"{self.machine.alias} did not answer within {PATIENCE_SECONDS:g} s"
        raise UnreachableError(message)
