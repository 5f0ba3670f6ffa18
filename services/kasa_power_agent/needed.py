"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings
from shared.settings.concern import OF_THE_ENGINE, Concern

CONCERN = Concern(
    miners=lambda miner: miner.plug is not None,
    sections=frozenset({"battery", "pools", "home_assistant"}),
    keys=OF_THE_ENGINE,
)
"""What of the farm file it lives by."""


def is_needed(farm: FarmSettings) -> bool:
    """Whether any miner has a plug."""
    return any(miner.plug is not None for miner in farm.miners.values())
