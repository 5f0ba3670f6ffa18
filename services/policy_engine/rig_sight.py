"""What can be seen of a miner's power, and of what is done to bring it back, at one moment."""

from dataclasses import dataclass
from datetime import datetime

from shared.messages import PlugCommand


@dataclass(frozen=True, slots=True)
class RigSight:
    """Of one miner. What nobody can tell stays at its default, which breaks nothing."""

    outlet_on: bool | None = None
    """Whether its outlet truly has power; None where it has none."""
    outlet: PlugCommand | None = None
    """The newest command to its outlet."""
    plug_since: datetime | None = None
    """Since when outlet, its agent, broker and engine have been at work."""
    plug_tended_since: datetime | None = None
    """Since when outlet and agent have been, whoever leads them."""
    pool_since: datetime | None = None
    """Since when the pool, its poller, broker and engine have been at work."""
    touched: bool = False
    """Since the last look its power was cut to bring it back, or its software restarted."""
    before_touch_at: datetime | None = None
    """When that was done the time before, or when its power came back after that."""
    tries_within_day: int = 0
    """How often that was done within 24 h; a person who says *automatic* begins anew."""
    vain_tries: int = 0
    """How often without its truly working in between."""
    works_since: datetime | None = None
    """Since when it has truly worked, up to that moment."""
    hangs_since: datetime | None = None
    """Since when only a power cycle or a person helps."""
    stranger_switched: bool = False
    """An outlet was switched that is no miner's, or the whole strip at once."""
