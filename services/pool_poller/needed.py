"""What in the farm file calls for this service. It is asked before anything else of the service is imported."""

from shared.settings import FarmSettings
from shared.settings.concern import OF_THE_ENGINE, Concern

_ASKED_BY = {"worker", "time_until_offline", "status_check_frequency"}

CONCERN = Concern(
    miners=lambda miner: miner.worker is not None,
    sections=frozenset({"battery", "groups", "schedules", "never_switch", "rules", "home_assistant", "observe"}),
    keys=OF_THE_ENGINE - _ASKED_BY | {"plug", "schedule", "observe", "nominal_w", "failsafe"},
)
"""What of the farm file it lives by."""


def is_needed(farm: FarmSettings) -> bool:
    """Whether any miner is a worker at a pool."""
    return any(miner.worker is not None for miner in farm.miners.values())
