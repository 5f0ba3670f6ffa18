"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings


def is_needed(farm: FarmSettings) -> bool:
    """Without a battery there is nothing to read."""
    return farm.battery is not None
