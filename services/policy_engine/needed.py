"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings
from shared.settings.concern import Concern

CONCERN = Concern(sections=frozenset({"home_assistant", "never_switch"}))
"""What of the farm file it lives by."""


def is_needed(farm: FarmSettings) -> bool:
    """Without miners there is nothing to decide."""
    return bool(farm.miners)
