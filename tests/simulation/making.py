"""From the shape of a simulated farm to its machines and its farm file."""

from shared.settings import FarmSettings
from tests.simulation.bitaxe import Bitaxe
from tests.simulation.device import Machine
from tests.simulation.rig import Rig
from tests.simulation.scheduler import WorldClock
from tests.simulation.shape import MinerShape, Shape


def machine_of(name: str, shape: MinerShape, clock: WorldClock) -> Machine | Bitaxe | Rig:
    if shape.is_rig:
        return Rig(shape, clock)
    return Bitaxe(name, shape, clock) if shape.is_bitaxe else Machine(shape, clock)


def farm_settings(shape: Shape) -> FarmSettings:
    miners = {
        name: {"driver": miner.driver} | ({} if miner.is_rig else {"host": f"{name}.test"}) | miner.settings
        for name, miner in shape.miners.items()
    }
    return FarmSettings.model_validate({**shape.settings, "miners": miners})
