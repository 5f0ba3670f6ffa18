"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings
from shared.settings.concern import Concern

CONCERN = Concern(
    miners=lambda _miner: False,
    sections=frozenset({"groups", "schedules", "pools", "never_switch", "home_assistant", "observe"}),
)
"""What of the farm file it lives by."""


def is_needed(farm: FarmSettings) -> bool:
    """Without a battery there is nothing to read."""
    return farm.battery is not None
