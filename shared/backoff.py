"""How long to wait after failures: twice as long each time up to a limit, and never in step with others."""

import random


class BackOff:
    """Grows with each failure; a success ends it."""

    def __init__(self, first_seconds: float, longest_seconds: float) -> None:
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._failures = 0

    def failed(self) -> float:
        """The real seconds to wait now: between half and the whole of the present length."""
        # The exponent is bounded, so that a source that is away for a month does not overflow a float.
        whole = min(self._longest_seconds, self._first_seconds * 2.0 ** min(self._failures, 30))
        self._failures += 1
        # The module's own generator, so that a simulation's seed decides this, too.
        return whole * random.uniform(0.5, 1.0)  # noqa: S311 - spreading, not secrecy

    def succeeded(self) -> None:
        self._failures = 0
