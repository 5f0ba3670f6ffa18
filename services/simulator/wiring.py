"""Puts the simulator together.

`SUNHERD_START_SOC` (percent) and `SUNHERD_SIMULATED_GRID` (on, off) set the start, `SUNHERD_SIMULATED_ORDERS` what
befalls the miners by the time of day: `14:00 bitaxe-1 heat 73, 16:00 bitaxe-1 mend`, or `17:00 rig-7 hang, 17:00 rig-8
unstable 20`.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from services.simulator.farm import SimulatedFarm, SimulationError, Weather
from services.simulator.orders import Order, parse_orders
from services.simulator.pool_park import SimulatedPools
from shared.launch import EXIT_BAD_INPUT, Context

START_SOC_VARIABLE = "SUNHERD_START_SOC"
GRID_VARIABLE = "SUNHERD_SIMULATED_GRID"
ORDERS_VARIABLE = "SUNHERD_SIMULATED_ORDERS"
_PERCENT_MAX = 100.0


def build(context: Context) -> bool:
    """Listens at every address of the farm. Exits with 2 where that is not possible, saying why."""
    try:
        weather, orders = weather_from(os.environ), orders_from(os.environ)
        farm = SimulatedFarm(context.farm, context.secrets, context.service.clock, weather, orders)
        pools = SimulatedPools(context.farm, farm.miners, context.service.clock)
        pools.start()
        farm.start()
    except SimulationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_BAD_INPUT)
    context.service.spawn("site", farm)
    if pools.pools:
        context.service.spawn("pools", pools)
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


def orders_from(environment: Mapping[str, str]) -> tuple[Order, ...]:
    """What is to befall the miners. Raises SimulationError."""
    try:
        return parse_orders(environment.get(ORDERS_VARIABLE, ""))
    except ValueError as error:
        message = f"{ORDERS_VARIABLE}: {error}"
        raise SimulationError(message) from error
