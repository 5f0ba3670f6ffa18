"""Puts the simulator together: `SUNHERD_START_SOC` (percent) and `SUNHERD_SIMULATED_GRID` (on, off) set the start."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from services.simulator.farm import SimulatedFarm, SimulationError, Weather
from shared.launch import EXIT_BAD_INPUT, Context

START_SOC_VARIABLE = "SUNHERD_START_SOC"
GRID_VARIABLE = "SUNHERD_SIMULATED_GRID"
_PERCENT_MAX = 100.0


def build(context: Context) -> bool:
    """Listens at every address of the farm. Exits with 2 where that is not possible, saying why."""
    try:
        farm = SimulatedFarm(context.farm, context.secrets, context.service.clock, weather_from(os.environ))
        farm.start()
    except SimulationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_BAD_INPUT)
    context.service.spawn("site", farm)
    return True


def weather_from(environment: Mapping[str, str]) -> Weather:
    """How the day begins. Raises SimulationError."""
    weather = Weather()
    text = environment.get(START_SOC_VARIABLE)
    if text:
        try:
            percent = float(text)
        except ValueError:
            percent = -1.0
        if not 0 <= percent <= _PERCENT_MAX:
            message = f"{START_SOC_VARIABLE}: {text!r} is no percentage. Fix: give a number from 0 to 100."
            raise SimulationError(message)
        weather = replace(weather, state_of_charge_percent=percent)
    if environment.get(GRID_VARIABLE) == "on":
        weather = replace(weather, shape=replace(weather.shape, grid_available=True))
    return weather
