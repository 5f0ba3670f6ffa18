"""A miner with an interface of its own, stopped over the driver of its agent."""

from collections.abc import Callable

from deploy.console.direct.effort import LOOK_SECONDS, Look
from shared.clock import Clock
from shared.device import Device, Step
from shared.messages import PAUSE, MinerCommand, MinerState, MinerTelemetry
from shared.miner_role import own_command


class MinerTarget:
    """A miner by its driver: the first word needs no reading, whatever follows does."""

    def __init__(
        self,
        driver: Device[MinerTelemetry, MinerCommand],
        first_word: Callable[[], bool],
        clock: Clock,
        *,
        was_sent: Callable[[Step], bool] = lambda _step: True,
    ) -> None:
        """`first_word`: see `Target.send`. `was_sent`: whether a step of the driver has told the miner anything."""
        self._driver = driver
        self._first_word = first_word
        self._clock = clock
        self._was_sent = was_sent

    def send(self) -> bool:
        return self._first_word()

    def close(self) -> None:
        self._driver.close()

    def look(self) -> Look:
        reading = self._driver.read()
        stop = own_command(PAUSE, "emergency_stop", "stopped by a person", self._clock.now())
        if self._driver.settled(reading, stop):
            return Look(_standing(reading), stands=True)
        step = self._driver.apply(stop, reading)
        wait_seconds = min(step.look_again_seconds, LOOK_SECONDS)
        return Look(f"still {reading.state}", told=self._was_sent(step), look_again_seconds=wait_seconds)


def _standing(reading: MinerTelemetry) -> str:
    if reading.state is MinerState.PAUSED:
        return "stopped"
    if reading.state is MinerState.FAULT:
        return "stands still after a failure of its own"
    setting = f"{reading.frequency_mhz:g} MHz {reading.voltage_mv} mV" if reading.frequency_mhz else "as low as it can"
    power = "" if reading.power_w is None else f", {reading.power_w:.0f} W"
    return f"at its lowest point ({setting}{power}): its firmware cannot pause"
