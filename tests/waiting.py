"""Waiting for something that another thread or process brings about."""

import time
from collections.abc import Callable


def eventually(predicate: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether the predicate became true within these seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if predicate():
            return True
        time.sleep(0.01)
    return bool(predicate())
