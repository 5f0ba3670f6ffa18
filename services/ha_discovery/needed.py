"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings


def is_needed(farm: FarmSettings) -> bool:
    """As the owner says; else wherever Home Assistant could be on the same broker, which the embedded one is not."""
    said = farm.home_assistant.discovery
    return bool(farm.miners) and (said if said is not None else farm.broker.url is not None)
