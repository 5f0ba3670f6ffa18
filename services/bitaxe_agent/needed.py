"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings
from shared.settings.concern import OF_THE_ENGINE, Concern

CONCERN = Concern(
    miners=lambda miner: miner.driver == "bitaxe",
    sections=frozenset({"battery", "pools", "never_switch", "home_assistant"}),
    keys=OF_THE_ENGINE | {"plug"},
)
"""What of the farm file it lives by."""


def is_needed(farm: FarmSettings) -> bool:
    """Whether the farm has a Bitaxe."""
    return any(miner.driver == "bitaxe" and miner.host is not None for miner in farm.miners.values())
