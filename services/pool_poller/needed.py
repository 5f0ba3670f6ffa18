"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings


def is_needed(farm: FarmSettings) -> bool:
    """Whether any miner is a worker at a pool."""
    return any(miner.worker is not None for miner in farm.miners.values())
