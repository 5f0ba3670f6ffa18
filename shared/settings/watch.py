"""What a miner may say about how it is watched, and brought back when it hangs."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.duration import Duration, at_least
from shared.settings.section import Section

_WORKER = re.compile(r"[^/\s]+/[^/\s]+/\S+")


def _three_names(value: str) -> str:
    if not _WORKER.fullmatch(value):
        message = f"{value!r} is not a worker at a pool: write pool/account/worker, such as ckpool/bc1q.../rig7"
        raise ValueError(message)
    return value


class WatchKeys(Section):
    """Keys of a miner for the watchdog; most names are those of the rig restarter that it replaces."""

    worker: Annotated[str, AfterValidator(_three_names)] | None = None
    """Its worker at a pool: pool/account/worker, such as ckpool/bc1q…/rig7."""
    time_until_offline: Annotated[Duration, at_least(60)] | None = None
    """How long unseen by its pool is offline, but never below what the pool's own times allow. None: as the pool is."""
    status_check_frequency: Annotated[Duration, at_least(30)] | None = None
    """How often its pool is asked: the shortest wish of an account counts, but never below what the pool bears."""
    status_check_cooldown: Annotated[Duration, at_least(60)] = timedelta(minutes=10)
    """How long a miner has to come back before it is tried to be brought back again."""
    max_consecutive_restarts: Annotated[int, Field(ge=0, le=100)] = 3
    """After so many vain tries it is given up on. 0: it is only watched."""
    power_cycle_on_delay: Annotated[Duration, at_least(3)] | None = None
    """How long a power cycle keeps it off. None: 10 s, and 30 s for the power supplies of large miners."""
