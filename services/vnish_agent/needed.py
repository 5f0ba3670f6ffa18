"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings


def is_needed(farm: FarmSettings) -> bool:
    """Whether the farm has a miner with VNish."""
    return any(miner.driver == "vnish" and miner.host is not None for miner in farm.miners.values())
